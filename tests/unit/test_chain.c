/* SPDX-License-Identifier: Apache-2.0 */
/* test_chain.c: rows join the chain once, forged ones are kept out, and chainers at once do not
 * fork it. */
#include "audit/reseal.h"
#include "core/base64.h"
#include "core/digest.h"
#include "race.h"
#include "trail.h"

static void test_whole(void)
{
    esign_database_t *database = tables_new();
    FOUND(database, "");
    CU_ASSERT(trail_report.rows == 0 && trail_report.head.position == 0);
    CU_ASSERT_EQUAL(trail_chain(database, 10).looked, 0);
    trail_add(database, 25);
    FOUND(database, "");
    CU_ASSERT(trail_report.rows == 0 && trail_report.waiting == 25 &&
              trail_report.waiting_since == NOW);
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 10);
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 10);
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 5);
    FOUND(database, "");
    CU_ASSERT(trail_report.rows == 25 && trail_report.waiting == 0 &&
              trail_report.head.position == 25);
    /* Oldest first. */
    CU_ASSERT_EQUAL(
        tables_number(database,
                      "SELECT COUNT(*) FROM audit WHERE time = 1000000000000 + position - 1"),
        25);
}

/* The chain value can be checked without a key, by the formula in docs/manual/esignctl.xml. */
static void test_formula(void)
{
    esign_database_t *database = trail_new(1);
    unsigned char digest[ESIGN_DIGEST_SIZE];
    const char *id = tables_text(database, "SELECT id FROM audit"),
               *node = tables_text(database, "SELECT node FROM audit");
    const char *content =
        apr_psprintf(pool, "0:1:1%d:%s13:1000000000000%d:%s9:signed-in1:79:192.0.2.1",
                     (int)strlen(id), id, (int)strlen(node), node);
    esign_digest_sha256(content, strlen(content), digest);
    CU_ASSERT_STRING_EQUAL(tables_text(database, "SELECT chain FROM audit"),
                           esign_base64_url_encode(pool, digest, sizeof(digest)));
}

static void test_line(void)
{
    char text[6000];
    esign_audit_row_t row = { .id = 9007199254740993,
                              .time = 1000000000000001,
                              .node = "a\"b\\c",
                              .event = "word-refused",
                              .subscriber = 0,
                              .address = "x\n\x1b\xff\xc3\xa9",
                              .position = 7,
                              .chain = "hash",
                              .seal = "" };
    CU_ASSERT_STRING_EQUAL(
        esign_audit_row_line(&row, NULL, pool),
        "{\"position\":7,\"time\":\"2001-09-09T01:46:40.000001Z\",\"node\":\"a\\\"b\\\\c\","
        "\"event\":\"word-refused\",\"result\":\"failure\",\"subscriber\":null,"
        "\"address\":\"x\\u000a\\u001b\\ufffd\xc3\xa9\",\"id\":\"9007199254740993\",\"chain\":"
        "\"hash\"}\n");
    /* Whatever a row holds, a pipe takes its line whole. */
    memset(text, 1, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    row.node = row.event = row.address = row.chain = text;
    const char *line = esign_audit_row_line(&row, "changed", pool);
    CU_ASSERT(strlen(line) <= ESIGN_AUDIT_LINE_MAX &&
              strstr(line, "\"problem\":\"changed: its texts are too long for a line\"}\n") !=
                  NULL);
}

static void test_forged(void)
{
    esign_database_t *database = tables_new();
    trail_add(database, 2);
    tables_run(database, "INSERT INTO audit SELECT 99, 0, node, 'signed-in', 7, '192.0.2.66', "
                         "NULL, NULL, seal FROM audit LIMIT 1");
    tables_run(database, "INSERT INTO audit SELECT -3, -5, node, 'signed-in', 7, '192.0.2.66', "
                         "NULL, NULL, '1.none' FROM audit LIMIT 1");
    tables_run(database, "INSERT INTO audit SELECT 0, 1, node, 'signed-in', 7, '192.0.2.66', NULL, "
                         "NULL, '' FROM audit LIMIT 1");
    const char *found = trail_verify(database);
    CU_ASSERT_STRING_EQUAL(found, "0: inserted: its seal is wrong\n0: inserted: its seal is "
                                  "wrong\n0: inserted: its seal is wrong\n");
    esign_audit_batch_t batch = trail_chain(database, 10);
    CU_ASSERT(batch.chained == 2 && batch.forged->nelts == 3);
    CU_ASSERT_EQUAL(APR_ARRAY_IDX(batch.forged, 0, apr_int64_t), -3);
    CU_ASSERT_EQUAL(trail_chain(database, 10).looked, 0);
    CU_ASSERT_EQUAL(
        tables_number(
            database,
            "SELECT COUNT(*) FROM audit WHERE chain = 'kept out' AND address = '192.0.2.66'"),
        3);
    found = trail_verify(database);
    CU_ASSERT_STRING_EQUAL(found, "-1: inserted, and kept out of the chain: its seal is wrong\n-1: "
                                  "inserted, and kept out of the chain: its seal is wrong\n"
                                  "-1: inserted, and kept out of the chain: its seal is wrong\n");
    /* A row that waits is given a position by SQL: its seal is wrong with it. */
    trail_add(database, 1);
    tables_run(database, "UPDATE audit SET position = -5 WHERE chain IS NULL");
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 1);
    trail_add(database, 1);
    tables_run(database, "UPDATE audit SET position = 1000 WHERE chain IS NULL");
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(trail_verify(database), "1000: inserted beyond the head: its seal is wrong\n"));
    tables_run(database, "DELETE FROM audit WHERE position = 1000");
    /* A sound row is marked as forged. */
    trail_add(database, 1);
    tables_run(database,
               "UPDATE audit SET chain = 'kept out' WHERE position IS NULL AND chain IS NULL");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(trail_verify(database), "-1: marked as forged, but its seal is right\n"));
    /* Lists say which rows are sound. */
    const apr_array_header_t *entries;
    OK(esign_audit_list(database, 7, 100, &entries, pool));
    int sound = 0;
    for (int i = 0; i < entries->nelts; i++)
        sound += APR_ARRAY_IDX(entries, i, esign_audit_entry_t).sound;
    CU_ASSERT(entries->nelts == 7 && sound == 4);
}

/* An inserted row with the next position does not stop the chain. */
static void test_place_taken(void)
{
    esign_database_t *database = trail_new(3);
    tables_run(database, "INSERT INTO audit SELECT 99, time, node, event, subscriber, address, 4, "
                         "chain, seal FROM audit WHERE position = 3");
    trail_add(database, 2);
    CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(trail_verify(database), "4: " CHANGED));
    AFTER(database, "DELETE FROM audit WHERE id = 99", "");
}

/* SQLite stores any value in any column. One that reads like a valid value, and compares
 * differently, does not stop the chain. */
static void test_odd_values(void)
{
    static const char *const heads[] = {
        "seal = CAST(seal AS BLOB)",   "seal = seal || CHAR(0) || 'x'",
        "chain = CAST(chain AS BLOB)", "position = CAST(position AS BLOB)",
        "copied = CAST('0' AS BLOB)",  "copier = X'00', copier_until = CAST('0' AS BLOB)"
    };
    static const char *const ids[] = { "'x' || n", "n || 'x'", "n + 0.5", "NULL",
                                       "CAST(n AS BLOB)" };
    esign_database_t *database = trail_new(2);
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        tables_run(database, apr_pstrcat(pool, "UPDATE audit_head SET ", heads[i], NULL));
        trail_add(database, 1);
        CU_ASSERT_EQUAL(trail_chain(database, 10).chained, 1);
    }
    trail_add(database, 3);
    tables_run(database, "UPDATE audit SET seal = CAST(seal AS BLOB) WHERE chain IS NULL");
    CU_ASSERT_EQUAL(trail_chain(database, 2).chained, 2);
    tables_run(database, "UPDATE audit SET seal = seal || CHAR(0) || 'x' WHERE chain IS NULL");
    CU_ASSERT_EQUAL(trail_chain(database, 2).chained, 1);
    FOUND(database, "");
    CU_ASSERT_EQUAL(trail_report.rows, 11);

    /* Rows that no UPDATE by id finds come before all others; the others still join. */
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        tables_run(
            database,
            apr_psprintf(
                pool,
                "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9) "
                "INSERT INTO audit SELECT %s, 0, 'n', 'signed-in', 7, '192.0.2.66', NULL, NULL, "
                "'1.none' FROM c",
                ids[i]));
        trail_add(database, 1);
        CU_ASSERT_EQUAL(trail_chain(database, 3).chained, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(trail_verify(database), ODD));
        CU_ASSERT_EQUAL(trail_report.findings, 9);
        tables_run(database, "DELETE FROM audit WHERE address = '192.0.2.66'");
    }
    /* Forged rows whose seals no UPDATE by seal finds. */
    tables_run(
        database,
        "INSERT INTO audit SELECT 99, 0, 'n', 'signed-in', 7, '192.0.2.66', NULL, NULL, X'312E78'");
    CU_ASSERT_EQUAL(trail_chain(database, 3).forged->nelts, 1);
    CU_ASSERT_EQUAL(trail_chain(database, 3).looked, 0);
    tables_run(database, "DELETE FROM audit WHERE address = '192.0.2.66'");
    /* Positions between two, and beyond all numbers. */
    tables_run(
        database,
        "INSERT INTO audit SELECT 99, 0, 'n', 'signed-in', 7, '192.0.2.66', 2.5, 'x', '1.none'");
    tables_run(
        database,
        "INSERT INTO audit SELECT 98, 0, 'n', 'signed-in', 7, '192.0.2.66', 'x', 'x', '1.none'");
    const char *found = trail_verify(database);
    CU_ASSERT_STRING_EQUAL(found, "0: " ODD "0: " ODD);
    const apr_array_header_t *rows;
    OK(esign_audit_page(database, 2, APR_INT64_MAX, 3, 10, &rows, pool));
    CU_ASSERT(rows->nelts == 1 && APR_ARRAY_IDX(rows, 0, esign_audit_row_t).position == 3);
    AFTER(database, "DELETE FROM audit WHERE address = '192.0.2.66'", "");
}

/* A text of a hundred megabytes is not read into memory. */
static void test_long_texts(void)
{
    esign_database_t *database = trail_new(3);
    AFTER(database,
          "UPDATE audit SET address = address || REPLACE(HEX(ZEROBLOB(500000)), '0', 'x') WHERE "
          "position = 2",
          "2: " CHANGED);
    const apr_array_header_t *rows;
    OK(esign_audit_page(database, 1, APR_INT64_MAX, 2, 1, &rows, pool));
    CU_ASSERT_EQUAL(strlen(APR_ARRAY_IDX(rows, 0, esign_audit_row_t).address), 300);
}

/* The largest positions, which only a forged head can have. */
static void test_last_position(void)
{
    esign_database_t *database = trail_new(2);
    tables_run(database, "UPDATE audit SET position = 9223372036854775807 WHERE position = 2");
    tables_run(database, "UPDATE audit_head SET position = 9223372036854775807");
    const char *found = trail_verify(database);
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "removed: positions 2 to 9223372036854775806\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "the head of the chain was changed: its seal is wrong\n"));
}

/* Rows that wait for a missing key do not keep others from the chain. */
static void test_unknown_key(void)
{
    esign_database_t *database = tables_new();
    esign_audit_cursor_t cursor = ESIGN_AUDIT_FIRST;
    esign_audit_batch_t batch;
    int chained_all = 0;
    trail_add(tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2), 8);
    for (int i = 0; i < 3; i++)
        OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_OUT, 7, "192.0.2.1", NOW + i, pool));
    for (int i = 0; i < 4; i++) {
        OK(esign_audit_chain(database, &cursor, 4, &batch, pool));
        chained_all += batch.chained;
        CU_ASSERT(i == 3 || batch.unknown_key == 2 || batch.chained);
    }
    CU_ASSERT_EQUAL(chained_all, 3);
    CU_ASSERT_EQUAL(trail_chain(tables_again(SCRATCH_KEY_2 SCRATCH_KEY_1), 100).chained, 8);
    CU_ASSERT_STRING_EQUAL(trail_verify(tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2)), "");
}

static void test_compare_and_swap(void)
{
    esign_database_t *one = tables_new(), *two = tables_again(SCRATCH_KEY_1);
    esign_audit_head_t head;
    const char *problem;
    int done;
    trail_add(one, 6);
    trail_chain(one, 2);
    OK(esign_audit_head_read(two, &head, &problem, pool));
    CU_ASSERT_PTR_NULL(problem);
    trail_chain(one, 2);
    /* The second, with the head that it read before, changes nothing. */
    OK(esign_audit_claim(two, &head, "two", NOW, &done, pool));
    CU_ASSERT_EQUAL(done, 1);
    OK(esign_audit_claim(one, &head, "one", NOW, &done, pool));
    CU_ASSERT_EQUAL(done, 0);
    OK(esign_audit_copied(two, &head, "two", 2, NOW, &done, pool));
    CU_ASSERT_EQUAL(done, 0);
    OK(esign_audit_head_read(two, &head, &problem, pool));
    OK(esign_audit_copied(one, &head, "one", 3, NOW, &done, pool));
    CU_ASSERT_EQUAL(done, 0);
    OK(esign_audit_copied(two, &head, "two", 3, NOW, &done, pool));
    CU_ASSERT_EQUAL(done, 1);
    trail_chain(two, 10);
    FOUND(one, "");
    CU_ASSERT(trail_report.rows == 6 && trail_report.head.copied == 3);
}

/* One chainer of several, with its own connection, until no row waits. */
static int keep_chaining(void *baton, apr_pool_t *p)
{
    esign_database_t **connections = baton, *database = NULL;
    static int next;
    database = connections[__atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST)];
    esign_audit_cursor_t cursor = ESIGN_AUDIT_FIRST;
    esign_audit_batch_t batch = { .looked = 1 };
    for (int round = 0; round < 2000 && batch.looked > 0; round++) {
        esign_result_t result = esign_audit_chain(database, &cursor, 7, &batch, p);
        if (esign_failed(result))
            batch.looked = 1; /* SQLite was busy, or the other chainer was faster */
    }
    return batch.looked;
}

static void test_couriers(void)
{
    esign_database_t *connections[4] = { tables_new() };
    for (int i = 1; i < 4; i++)
        connections[i] = tables_again(SCRATCH_KEY_1);
    /* As in httpd: a thread that waits in SQLite keeps out the thread that it waits for. */
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(tables_number(connections[i], "PRAGMA busy_timeout=10"), 10);
    trail_add(connections[0], 300);
    CU_ASSERT_EQUAL(race(4, keep_chaining, connections, 0), 4);
    FOUND(connections[0], "");
    CU_ASSERT(trail_report.rows == 300 && trail_report.waiting == 0);
}

static void test_reseal(void)
{
    esign_database_t *old = trail_new(5);
    trail_add(old, 2);
    tables_run(old, "UPDATE audit SET address = 'x' WHERE position = 3");
    esign_database_t *both = tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2),
                     *fresh = tables_again(SCRATCH_KEY_2);
    apr_int64_t after = 0, count;
    int sealed, refused, all = 0, all_refused = 0, steps = 0;
    OK(esign_audit_count_key(both, 1, &count, pool));
    CU_ASSERT_EQUAL(count, 8); /* seven rows and the head */
    do {
        OK(esign_audit_reseal(both, &after, 3, &sealed, &refused, pool));
        all += sealed;
        all_refused += refused;
        steps++;
    } while (after);
    CU_ASSERT(all == 6 && all_refused == 1 && steps == 3);
    OK(esign_audit_reseal_head(both, &sealed, pool));
    CU_ASSERT_EQUAL(sealed, 1);
    OK(esign_audit_reseal_head(both, &sealed, pool));
    CU_ASSERT_EQUAL(sealed, 0);
    OK(esign_audit_count_key(both, 1, &count, pool));
    CU_ASSERT_EQUAL(count, 1);
    FOUND(both, "3: " CHANGED);
    CU_ASSERT_EQUAL(trail_report.waiting, 2);
    CU_ASSERT_EQUAL(trail_chain(fresh, 10).chained, 2);
    FOUND(fresh, "3: sealed under key 1, which the key file does not have\n");
    /* The head under the old key is not accepted any more. */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(trail_verify(old),
               "the head of the chain is sealed under key 2, which the key file does not have\n"));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a chain grows in batches and is whole", test_whole },
                            { "its values follow a formula without a key", test_formula },
                            { "a line is JSON and short, whatever the row says", test_line },
                            { "forged rows are kept out of the chain", test_forged },
                            { "a place that is taken stops nothing", test_place_taken },
                            { "values of another kind than the column's stop nothing",
                              test_odd_values },
                            { "long texts are read in part", test_long_texts },
                            { "the last of all positions", test_last_position },
                            { "rows of an unknown key wait and hold up nobody", test_unknown_key },
                            { "the head moves for one only", test_compare_and_swap },
                            { "four couriers make one chain", test_couriers },
                            { "a new key takes over, step by step", test_reseal },
                            CU_TEST_INFO_NULL };
    return tables_suite("audit_chain", tests);
}
