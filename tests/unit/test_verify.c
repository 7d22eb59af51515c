/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify.c: changed, removed, reordered and inserted rows of the audit trail are found and
 * named. */
#include "core/digest.h"
#include "trail.h"

static void test_changed(void)
{
    static const char *const columns[] = { "time = time + 1",
                                           "node = 'other'",
                                           "event = 'signed-out'",
                                           "subscriber = 8",
                                           "address = '192.0.2.2'",
                                           "id = id + 1",
                                           "chain = '!' || substr(chain, 2)",
                                           "seal = '1.' || substr(seal, 4) || 'A'",
                                           "seal = ''",
                                           "seal = 'x'" };
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
        esign_database_t *database = trail_new(9);
        CU_ASSERT_EQUAL(tables_run(database, apr_pstrcat(pool, "UPDATE audit SET ", columns[i],
                                                         " WHERE position = 5", NULL)),
                        1);
        FOUND(database, "5: " CHANGED);
    }
    esign_database_t *database = trail_new(3);
    AFTER(database, "UPDATE audit SET seal = '9' || substr(seal, 2) WHERE position = 2",
          "2: sealed under key 9, which the key file does not have\n");
}

/* Characters that move from one column to the next are a change, too. */
static void test_unambiguous(void)
{
    esign_database_t *database = trail_new(3);
    AFTER(database,
          "UPDATE audit SET address = substr(event, 9) || address, event = substr(event, 1, 8) "
          "WHERE position = 2",
          "2: " CHANGED);
}

static void test_removed(void)
{
    esign_database_t *database = trail_new(9);
    AFTER(database, "DELETE FROM audit WHERE position = 5", "removed: position 5\n");
    AFTER(database, "DELETE FROM audit WHERE position IN (1, 7, 8)",
          "removed: position 1\nremoved: position 5\nremoved: positions 7 to 8\n");
    /* The gap is closed: each row after it was sealed for another position. */
    database = trail_new(4);
    tables_run(database, "DELETE FROM audit WHERE position = 2");
    AFTER(database, "UPDATE audit SET position = 2 WHERE position = 3",
          "2: moved: it was sealed for position 3\nremoved: position 3\n");
}

static void test_reordered(void)
{
    esign_database_t *database = trail_new(9);
    tables_run(database, "UPDATE audit SET position = 100 WHERE position = 3");
    tables_run(database, "UPDATE audit SET position = 3 WHERE position = 6");
    AFTER(database, "UPDATE audit SET position = 6 WHERE position = 100",
          "3: moved: it was sealed for position 6\n6: moved: it was sealed for position 3\n");
}

static void test_inserted(void)
{
    esign_database_t *database = trail_new(3);
    AFTER(database,
          "INSERT INTO audit SELECT 99, time, node, event, subscriber, address, 4, chain, seal "
          "FROM audit WHERE position = 3",
          "4: inserted beyond the head: its seal is wrong\n");
    AFTER(database, "UPDATE audit SET position = -7 WHERE id = 99",
          "-7: inserted, and kept out of the chain: its seal is wrong\n");
    tables_run(database, "UPDATE audit SET position = 2 WHERE id = 99");
    const char *found = trail_verify(database);
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "2: inserted: there is another row at this position\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "2: " CHANGED));
}

static void test_cut(void)
{
    esign_database_t *database = trail_new(9);
    AFTER(database, "DELETE FROM audit WHERE position >= 8",
          "cut off: positions 8 to 9, the end of the chain\n");
    AFTER(database, "DELETE FROM audit", "cut off: positions 1 to 9, the end of the chain\n");
    /* The head is set back to the row before. */
    database = trail_new(9);
    tables_run(database, "DELETE FROM audit WHERE position = 9");
    AFTER(
        database,
        "UPDATE audit_head SET position = 8, chain = (SELECT chain FROM audit WHERE position = 8)",
        "the head of the chain was changed: its seal is wrong\n");
}

static void test_head(void)
{
    esign_database_t *database = trail_new(3);
    const char *early = tables_text(database, "SELECT seal FROM audit_head"),
               *chain_3 = tables_text(database, "SELECT chain FROM audit_head");
    AFTER(database, "UPDATE audit_head SET copied = 1",
          "the head of the chain was changed: its seal is wrong\n");
    AFTER(database, "UPDATE audit_head SET copied = 0", "");
    trail_add(database, 2);
    trail_chain(database, 10);
    AFTER(database,
          apr_psprintf(pool, "UPDATE audit_head SET position = 3, chain = '%s', seal = '%s'",
                       chain_3, early),
          "4: beyond the head, and its seal is right: the head was set back\n5: beyond the head, "
          "and its seal is right: the head was set back\n");
    tables_run(database, "INSERT INTO audit_head SELECT * FROM audit_head");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(trail_verify(database), "the head of the chain stands there more than once\n"));
    tables_run(database, "DELETE FROM audit_head");
    CU_ASSERT_PTR_NOT_NULL(strstr(trail_verify(database), "the head of the chain is missing\n"));
    /* A chainer does not go on from there. */
    esign_audit_cursor_t cursor = ESIGN_AUDIT_FIRST;
    esign_audit_batch_t batch;
    trail_add(database, 1);
    esign_result_t result = esign_audit_chain(database, &cursor, 10, &batch, pool);
    CU_ASSERT(APR_STATUS_IS_EINVAL(result.status) && strstr(result.detail, "is missing") &&
              batch.chained == 0);
}

/* The whole table is set back, with the head, and the chain grows again. Only with an expected
 * position is that found. */
static void test_set_back(void)
{
    esign_database_t *database = trail_new(3);
    const char *head =
        tables_text(database, "SELECT 'UPDATE audit_head SET position = 3, chain = ''' || chain || "
                              "''', seal = ''' || seal || '''' FROM audit_head");
    trail_add(database, 2);
    trail_chain(database, 10);
    const char *end = tables_text(database, "SELECT chain FROM audit_head");
    CU_ASSERT_STRING_EQUAL(trail_verify_for(database, 5, end), "");
    tables_run(database, "DELETE FROM audit WHERE position > 3");
    AFTER(database, head, "");
    CU_ASSERT_STRING_EQUAL(trail_verify_for(database, 5, end),
                           "set back: the chain ends at position 3, and it once reached 5\n");
    trail_add(database, 3);
    trail_chain(database, 10);
    FOUND(database, "");
    CU_ASSERT_STRING_EQUAL(trail_verify_for(database, 5, end),
                           "5: not what was expected: the chain was another one then\n");
}

/* A row of another chain, with a right seal, in the place of a row of this chain. */
static void test_other_chain(void)
{
    esign_database_t *database = trail_new(3);
    tables_run(database, "CREATE TABLE aside AS SELECT * FROM audit WHERE position = 3");
    const char *head = tables_text(database, "SELECT seal FROM audit_head"),
               *end = tables_text(database, "SELECT chain FROM audit_head");
    tables_run(database, "DELETE FROM audit");
    tables_run(database,
               apr_pstrcat(pool, "UPDATE audit_head SET position = 0, chain = '', seal = '",
                           esign_audit_head_seal(database->keyring,
                                                 &(esign_audit_head_t){ .chain = "" }, pool),
                           "'", NULL));
    trail_add(database, 2);
    trail_chain(database, 10);
    tables_run(database, "INSERT INTO audit SELECT * FROM aside");
    AFTER(database,
          apr_psprintf(pool, "UPDATE audit_head SET position = 3, chain = '%s', seal = '%s'", end,
                       head),
          "3: does not follow the row before it: one of the two is of another chain\n");
}

int main(void)
{
    CU_TestInfo tests[] = { { "a changed row is named", test_changed },
                            { "a text cannot move to the column beside it", test_unambiguous },
                            { "removed rows are named", test_removed },
                            { "reordered rows are named", test_reordered },
                            { "inserted rows are named", test_inserted },
                            { "an end cut off shows", test_cut },
                            { "a changed, old, doubled or missing head shows", test_head },
                            { "a database set back shows to who knows what was", test_set_back },
                            { "a row of another chain shows", test_other_chain },
                            CU_TEST_INFO_NULL };
    return tables_suite("audit_verify", tests);
}
