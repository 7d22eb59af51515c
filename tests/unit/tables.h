/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h: a new SQLite database for each test, and SQL that bypasses store/. */
#ifndef ESIGN_TESTS_TABLES_H
#define ESIGN_TESTS_TABLES_H

#include "audit/chain.h"
#include "scratch.h"
#include "store/schema.h"

#define OK(result) CU_ASSERT(!esign_failed(result))

/* The number of the running test's database; tables_new raises it. */
static int tables_count;

/* A connection with its own pool, as mod_dbd's have: any thread may use it. */
static inline esign_database_t *tables_open(const char *path, const char *keys)
{
    esign_database_t *database = NULL;
    apr_pool_t *own;
    apr_pool_create(&own, pool);
    CU_ASSERT_FATAL(!esign_failed(esign_database_open(&database, "sqlite3", path,
                                                      scratch_keyring(keys), own)) &&
                    database != NULL);
    return database;
}

/* Another connection to the running test's database. */
static inline esign_database_t *tables_again(const char *keys)
{
    return tables_open(scratch_path(apr_psprintf(pool, "%d.db", tables_count)), keys);
}

/* Makes the tables and begins the chain of audit rows, as `esignctl db init` does. */
static inline esign_result_t tables_init(esign_database_t *database)
{
    esign_result_t result = esign_schema_create(database, pool);
    if (!esign_failed(result))
        result = esign_audit_head_add(database, pool);
    return esign_database_end(database, result, pool);
}

/* A new database with the schema, under key 1. */
static inline esign_database_t *tables_new(void)
{
    tables_count++;
    esign_database_t *maker =
        tables_open(scratch_path(apr_psprintf(pool, "%d.db", tables_count)), SCRATCH_KEY_1);
    CU_ASSERT_FATAL(!esign_failed(tables_init(maker)));
    return tables_again(SCRATCH_KEY_1);
}

static inline int tables_run(esign_database_t *database, const char *sql)
{
    int rows = 0;
    CU_ASSERT_EQUAL(apr_dbd_query(database->driver, database->handle, &rows, sql), 0);
    return rows;
}

/* The first column of the only row of a SELECT; "" for NULL or no row. */
static inline const char *tables_text(esign_database_t *database, const char *sql)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    const char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(
        apr_dbd_select(database->driver, pool, database->handle, &results, sql, 0), 0);
    while (apr_dbd_get_row(database->driver, pool, results, &row, -1) != -1)
        text = apr_dbd_get_entry(database->driver, row, 0);
    return text ? apr_pstrdup(pool, text) : "";
}

static inline apr_int64_t tables_number(esign_database_t *database, const char *sql)
{
    return apr_atoi64(tables_text(database, sql));
}

/* suite_run, with a folder. */
static inline int tables_suite(const char *name, CU_TestInfo *tests)
{
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = suite_run(name, tests);
    scratch_remove();
    return status;
}

#endif
