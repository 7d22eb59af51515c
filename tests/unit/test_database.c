/* SPDX-License-Identifier: Apache-2.0 */
/* test_database.c: connections, the schema, statements and transactions, on SQLite. */
#include "tables.h"

static const char *new_path(void)
{
    return scratch_path(apr_psprintf(pool, "%d.db", ++tables_count));
}

static esign_result_t add(esign_database_t *database, apr_int64_t id, const char *error)
{
    apr_int64_t kind = 0, time = 5;
    esign_result_t result = esign_database_write(
        database, "outbox_add", ESIGN_SQL(&id, &kind, "body", &time, &time, &time), NULL, pool);
    if (esign_failed(result) || !error)
        return result;
    return esign_database_write(database, "outbox_retry", ESIGN_SQL(&time, error, &id, ""), NULL,
                                pool);
}

static apr_int64_t count(esign_database_t *database)
{
    return tables_number(database, "SELECT count(*) FROM outbox");
}

static void test_open(void)
{
    esign_database_t *database = NULL;
    const esign_keyring_t *keyring = scratch_keyring(SCRATCH_KEY_1);
    esign_result_t result = esign_database_open(&database, "nosuch", "x", keyring, pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "nosuch") != NULL);
    CU_ASSERT(esign_failed(
        esign_database_open(&database, "sqlite3", scratch_path("none/x.db"), keyring, pool)));
    CU_ASSERT(
        esign_failed(esign_database_open(&database, "sqlite3", scratch_folder, keyring, pool)));
    CU_ASSERT_PTR_NULL(database);

    database = tables_new();
    CU_ASSERT_STRING_EQUAL(tables_text(database, "PRAGMA journal_mode"), "wal");
    CU_ASSERT_EQUAL(tables_number(database, "PRAGMA foreign_keys"), 1);
    CU_ASSERT_EQUAL(tables_number(database, "PRAGMA synchronous"), 2);
    CU_ASSERT_EQUAL(tables_number(database, "PRAGMA busy_timeout"), 5000);
}

static void test_no_database(void)
{
    const char *path = new_path();
    FILE *file = fopen(path, "w");
    int version;
    esign_database_t *database = NULL;
    CU_ASSERT_FATAL(file != NULL && fputs("this is no database, and long enough to be looked at as "
                                          "one ....................................",
                                          file) > 0);
    fclose(file);
    esign_result_t result =
        esign_database_open(&database, "sqlite3", path, scratch_keyring(SCRATCH_KEY_1), pool);
    if (!esign_failed(result)) {
        CU_ASSERT(esign_failed(esign_schema_version(database, &version, pool)));
        CU_ASSERT(esign_failed(tables_init(database)));
    }
}

static void test_init(void)
{
    int version = -1;
    esign_database_t *database = tables_open(new_path(), SCRATCH_KEY_1);
    esign_result_t result = esign_schema_version(database, &version, pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "esignctl db init") != NULL);
    CU_ASSERT_EQUAL(version, 0);
    OK(tables_init(database));
    OK(esign_schema_version(database, &version, pool));
    CU_ASSERT_EQUAL(version, ESIGN_SCHEMA_VERSION);
    CU_ASSERT_EQUAL(tables_init(database).status, APR_EEXIST);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM schema_version"), 1);

    /* All tables are made, or none: another table of the same name stops it. */
    esign_database_t *other = tables_open(new_path(), SCRATCH_KEY_1);
    tables_run(other, "CREATE TABLE outbox (x INTEGER)");
    CU_ASSERT(esign_failed(tables_init(other)));
    CU_ASSERT_EQUAL(tables_number(other, "SELECT count(*) FROM sqlite_master"), 1);
    tables_run(other, "DROP TABLE outbox");
    OK(tables_init(other));
}

static void test_upgrade(void)
{
    int from = -1;
    esign_database_t *database = tables_open(new_path(), SCRATCH_KEY_1);
    CU_ASSERT_EQUAL(esign_schema_upgrade(database, &from, pool).status, APR_ENOENT);
    OK(tables_init(database));
    OK(esign_schema_upgrade(database, &from, pool));
    CU_ASSERT_EQUAL(from, ESIGN_SCHEMA_VERSION);
    tables_run(database, "UPDATE schema_version SET version = version + 1");
    CU_ASSERT_EQUAL(esign_schema_upgrade(database, &from, pool).status, APR_EINVAL);
    CU_ASSERT_EQUAL(from, ESIGN_SCHEMA_VERSION + 1);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT version FROM schema_version"),
                    ESIGN_SCHEMA_VERSION + 1);
}

static void test_write_and_read(void)
{
    esign_database_t *database = tables_new();
    const apr_array_header_t *rows;
    apr_int64_t large = APR_INT64_MAX, none = 7, most = 9;
    int changed = -1;
    OK(add(database, large, NULL));
    OK(add(database, -3, "50 % of 'ü'; --"));
    OK(esign_database_read(database, "outbox_list", ESIGN_SQL(&most), 10, &rows, pool));
    CU_ASSERT_EQUAL_FATAL(rows->nelts, 2);
    const char *const *first = APR_ARRAY_IDX(rows, 0, const char *const *),
                      *const *second = APR_ARRAY_IDX(rows, 1, const char *const *);
    CU_ASSERT_EQUAL(esign_database_number(first, 0), -3);
    CU_ASSERT_STRING_EQUAL(first[9], "50 % of 'ü'; --");
    CU_ASSERT_EQUAL(esign_database_number(second, 0), large);
    CU_ASSERT_PTR_NULL(second[9]);
    CU_ASSERT_EQUAL(esign_database_number(second, 9), 0);

    OK(esign_database_write(database, "outbox_done", ESIGN_SQL(&none, ""), &changed, pool));
    CU_ASSERT_EQUAL(changed, 0);
    OK(esign_database_write(database, "outbox_done", ESIGN_SQL(&large, ""), &changed, pool));
    CU_ASSERT_EQUAL(changed, 1);
    CU_ASSERT(esign_failed(add(database, -3, NULL))); /* the id is taken */
    CU_ASSERT_EQUAL(esign_database_write(database, "no.such", ESIGN_SQL(&none), NULL, pool).status,
                    APR_ENOENT);
    CU_ASSERT_EQUAL(
        esign_database_read(database, "no.such", ESIGN_SQL(&none), 1, &rows, pool).status,
        APR_ENOENT);
}

static void test_transactions(void)
{
    esign_database_t *database = tables_new(), *other = tables_again(SCRATCH_KEY_1);
    OK(esign_database_begin(database, pool));
    OK(add(database, 1, NULL));
    CU_ASSERT_EQUAL(count(other), 0);
    OK(esign_database_end(database, ESIGN_OK, pool));
    CU_ASSERT_EQUAL(count(other), 1);

    OK(esign_database_begin(database, pool));
    OK(add(database, 2, NULL));
    CU_ASSERT_EQUAL(count(database), 2);
    CU_ASSERT(esign_failed(esign_database_end(
        database, esign_result_make(pool, APR_EGENERAL, "test", "rolled back"), pool)));
    CU_ASSERT_PTR_NULL(database->transaction);
    CU_ASSERT_EQUAL(count(database), 1);

    OK(esign_database_begin(database, pool));
    OK(add(database, 3, NULL));
    CU_ASSERT(esign_failed(add(database, 1, NULL)));
    CU_ASSERT(esign_failed(esign_database_end(database, ESIGN_OK, pool)));
    CU_ASSERT_EQUAL(count(database), 1);

    OK(esign_database_end(database, ESIGN_OK, pool)); /* no transaction is open */
    OK(add(database, 4, NULL));
    CU_ASSERT_EQUAL(count(other), 2);
}

static void test_heal(void)
{
    esign_database_t *database = tables_new(), *other = tables_again(SCRATCH_KEY_1);
    OK(add(database, 1, NULL));
    esign_database_refresh(database);
    tables_run(other, "CREATE TABLE another (x INTEGER)");
    OK(add(database, 2, NULL)); /* recovers */

    /* Also within a transaction, which may be a connection's first use. */
    tables_run(other, "CREATE TABLE third (x INTEGER)");
    OK(esign_database_begin(database, pool));
    OK(add(database, 3, NULL));
    OK(add(database, 4, NULL));
    OK(esign_database_end(database, ESIGN_OK, pool));
    CU_ASSERT_EQUAL(count(database), 4);
    /* A statement that fails twice breaks the transaction. */
    tables_run(other, "ALTER TABLE outbox RENAME TO hidden");
    OK(esign_database_begin(database, pool));
    CU_ASSERT(esign_failed(add(database, 5, NULL)));
    CU_ASSERT(esign_failed(esign_database_end(database, ESIGN_OK, pool)));
    tables_run(other, "ALTER TABLE hidden RENAME TO outbox");

    database->stale = 1;
    static const char others[] = "of another module";
    apr_hash_set(database->prepared, others, APR_HASH_KEY_STRING, others);
    esign_database_refresh(database);
    CU_ASSERT(!database->stale);
    CU_ASSERT_PTR_NULL(apr_hash_get(database->prepared, "outbox_add", APR_HASH_KEY_STRING));
    CU_ASSERT_PTR_EQUAL(apr_hash_get(database->prepared, others, APR_HASH_KEY_STRING), others);
    CU_ASSERT_EQUAL(count(database), 4);

    /* A table that is missing is reported; once it is back, the statement works. */
    tables_run(other, "ALTER TABLE outbox RENAME TO hidden");
    esign_result_t result = add(database, 3, NULL);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "outbox") != NULL &&
              strstr(result.detail, "esignctl db init") != NULL);
    tables_run(other, "ALTER TABLE hidden RENAME TO outbox");
    OK(add(database, 5, NULL));
}

static int is_free(esign_gate_t *turn)
{
    apr_status_t status = esign_gate_enter(turn, 0);
    if (status == APR_SUCCESS)
        esign_gate_leave(turn);
    return status == APR_SUCCESS;
}

/* A writer holds the write gate until its statement or transaction has ended, well or not. */
static void test_turn(void)
{
    esign_database_t *database = tables_new();
    esign_gate_t *turn = NULL;
    OK(esign_gate_create(&turn, 1, 1000, pool));
    database->write_gate = turn;
    OK(esign_database_begin(database, pool));
    CU_ASSERT(!is_free(turn));
    OK(add(database, 1, NULL));
    CU_ASSERT(!is_free(turn));
    OK(esign_database_end(database, ESIGN_OK, pool));
    CU_ASSERT(is_free(turn));

    OK(esign_database_begin(database, pool));
    CU_ASSERT(esign_failed(add(database, 1, NULL)));
    CU_ASSERT(!is_free(turn));
    CU_ASSERT(esign_failed(esign_database_end(database, ESIGN_OK, pool)));
    CU_ASSERT(is_free(turn));

    OK(add(database, 2, "why"));
    CU_ASSERT(esign_failed(add(database, 2, NULL)));
    CU_ASSERT(is_free(turn));

    /* Without the gate's semaphores, which an operator may have removed, writes go on. */
    esign_gate_destroy(turn);
    OK(esign_database_begin(database, pool));
    OK(add(database, 3, NULL));
    OK(esign_database_end(database, ESIGN_OK, pool));
    CU_ASSERT_EQUAL(count(database), 3);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a connection opens or says why not", test_open },
                            { "a file that is no database is refused", test_no_database },
                            { "the schema is made once, whole or not at all", test_init },
                            { "an upgrade knows where it stands", test_upgrade },
                            { "what is written is read", test_write_and_read },
                            { "transactions commit, roll back and stop at a failure",
                              test_transactions },
                            { "who writes has the turn", test_turn },
                            { "a connection heals after a change of the schema", test_heal },
                            CU_TEST_INFO_NULL };
    return tables_suite("database", tests);
}
