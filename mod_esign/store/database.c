/* SPDX-License-Identifier: Apache-2.0 */
/* database.c: opens connections, runs prepared statements, begins and ends transactions. */
#include "database.h"

#include <apr_strings.h>

#include <string.h>

static int is_sqlite(const esign_database_t *database)
{
    return strcmp(apr_dbd_name(database->driver), "sqlite3") == 0;
}

/* The first line of what the driver says of a failure. */
static const char *error_text(const esign_database_t *database, int code, apr_pool_t *p)
{
    const char *error = apr_dbd_error(database->driver, database->handle, code);
    return error ? apr_pstrmemdup(p, error, strcspn(error, "\n")) : "failed";
}

/* The failure of SQL that is not prepared. */
static esign_result_t failed_unprepared(const esign_database_t *database, int code, apr_pool_t *p)
{
    return esign_result_make(p, APR_EGENERAL, "database", "%s", error_text(database, code, p));
}

/* The failure of a statement. The driver's message also says whether the prepared statements are
 * stale, and whether SQLite found its file write-protected. */
static esign_result_t failed_statement(esign_database_t *database, const char *doing, int code,
                                       apr_pool_t *p)
{
    const char *error = apr_dbd_error(database->driver, database->handle, code);
    if (error && (strstr(error, "schema") || strstr(error, "prepared statement")))
        database->stale = 1;
    if (error && strstr(error, "readonly database"))
        database->read_only = 1;
    return esign_result_make(p, APR_EGENERAL, "database", "%s: %s", doing,
                             error_text(database, code, p));
}

/* Reads the whole result at once (the 1). Reading row by row, the pgsql driver takes an error for
 * an empty result, and sleeps 100 ms over an empty one. */
static int select_text(esign_database_t *database, const char *sql, apr_dbd_results_t **results,
                       apr_pool_t *p)
{
    *results = NULL;
    return apr_dbd_select(database->driver, p, database->handle, results, sql, 1);
}

/* Drops mod_esign's prepared statements. Other modules may have theirs on the same connection. */
static void drop_statements(esign_database_t *database, apr_pool_t *p)
{
    int rows, pgsql = strcmp(apr_dbd_name(database->driver), "pgsql") == 0;
    for (const esign_statement_t *s = esign_database_statements; s->label; s++) {
        /* PostgreSQL refuses to prepare a statement under a name that it still has. */
        if (pgsql && apr_hash_get(database->prepared, s->label, APR_HASH_KEY_STRING))
            apr_dbd_query(database->driver, database->handle, &rows,
                          apr_pstrcat(p, "DEALLOCATE ", s->label, NULL));
        apr_hash_set(database->prepared, s->label, APR_HASH_KEY_STRING, NULL);
    }
}

/* Whether the statement that has just failed may run again: either the connection was lost and is
 * restored here, or the prepared statements were stale and are dropped here. Never within a
 * transaction of PostgreSQL, because its earlier statements are lost. In SQLite a transaction goes
 * on after a stale statement, which has done nothing. Running a statement twice is safe: each adds
 * a row under its own id, or makes a claim that fails the second time. */
static int recover_connection(esign_database_t *database, apr_pool_t *p)
{
    apr_dbd_results_t *results;
    if (database->transaction
            ? !database->stale || !is_sqlite(database)
            : !database->stale && select_text(database, "SELECT 1", &results, p) == 0)
        return 0;
    if (apr_dbd_check_conn(database->driver, database->pool, database->handle) != APR_SUCCESS)
        return 0;
    drop_statements(database, p);
    database->stale = 0;
    return 1;
}

void esign_database_refresh(esign_database_t *database)
{
    if (database->stale)
        recover_connection(database, database->pool);
}

static void run_pragmas(esign_database_t *database, apr_pool_t *p)
{
    static const char *const pragmas[] = { "PRAGMA busy_timeout=5000", "PRAGMA journal_mode=WAL",
                                           "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON" };
    for (size_t i = 0; i < sizeof(pragmas) / sizeof(*pragmas); i++) {
        apr_dbd_results_t *results;
        apr_dbd_row_t *row = NULL;
        if (select_text(database, pragmas[i], &results, p) == 0)
            while (apr_dbd_get_row(database->driver, p, results, &row, -1) != -1)
                ;
    }
}

static apr_status_t close_database(void *data)
{
    esign_database_t *database = data;
    return apr_dbd_close(database->driver, database->handle);
}

esign_result_t esign_database_open(esign_database_t **database, const char *driver,
                                   const char *params, const esign_keyring_t *keyring,
                                   apr_pool_t *p)
{
    esign_database_t *made = apr_pcalloc(p, sizeof(*made));
    const char *error = NULL;
    apr_dbd_init(p);
    apr_status_t status = apr_dbd_get_driver(p, driver, &made->driver);
    if (status != APR_SUCCESS)
        return esign_result_make(p, status, "database",
                                 "there is no driver %s (Debian: libaprutil1-dbd-%s)", driver,
                                 driver);
    status = apr_dbd_open_ex(made->driver, p, params, &made->handle, &error);
    if (status != APR_SUCCESS)
        return esign_result_make(p, status, "database", "cannot be opened: %s",
                                 error ? error : "refused");
    apr_pool_cleanup_register(p, made, close_database, apr_pool_cleanup_null);
    made->keyring = keyring;
    made->pool = p;
    made->prepared = apr_hash_make(p);
    if (is_sqlite(made))
        run_pragmas(made, p);
    *database = made;
    return ESIGN_OK;
}

esign_result_t esign_database_run(esign_database_t *database, const char *sql, apr_pool_t *p)
{
    int rows, code = apr_dbd_query(database->driver, database->handle, &rows, sql);
    return code == 0 ? ESIGN_OK : failed_unprepared(database, code, p);
}

esign_result_t esign_database_look(esign_database_t *database, const char *sql, const char **text,
                                   apr_pool_t *p)
{
    apr_dbd_results_t *results;
    apr_dbd_row_t *row = NULL;
    *text = NULL;
    int code = select_text(database, sql, &results, p);
    if (code != 0)
        return failed_unprepared(database, code, p);
    while (apr_dbd_get_row(database->driver, p, results, &row, -1) != -1)
        *text = apr_pstrdup(p, apr_dbd_get_entry(database->driver, row, 0));
    return ESIGN_OK;
}

/* How long to wait for the write gate: longer than any write takes. */
#define LONGEST_WAIT apr_time_from_sec(5)

/* Why there is a gate: SQLite has one writer at a time. While apr_dbd's driver waits for it, the
 * driver holds a lock of the whole process. When the writer is another thread of this process, it
 * needs that lock to finish. So each thread waits at the gate before it writes: first come, first
 * served over all processes. */
int esign_database_wait_to_write(esign_gate_t *write_gate)
{
    return esign_gate_enter(write_gate, LONGEST_WAIT) == APR_SUCCESS;
}

static void enter_write_gate(esign_database_t *database)
{
    if (database->write_gate && !database->holds_write_gate)
        database->holds_write_gate = esign_database_wait_to_write(database->write_gate);
}

static void leave_write_gate(esign_database_t *database)
{
    if (database->holds_write_gate)
        esign_gate_leave(database->write_gate);
    database->holds_write_gate = 0;
}

/* Does not use apr_dbd_transaction_start: that of the pgsql driver crashes when the server has just
 * closed the connection. */
static esign_result_t begin_once(esign_database_t *database, apr_pool_t *p)
{
    enter_write_gate(database);
    int rows, code = apr_dbd_query(database->driver, database->handle, &rows,
                                   is_sqlite(database) ? "BEGIN IMMEDIATE" : "BEGIN");
    database->broken = 0;
    if (code != 0) {
        leave_write_gate(database);
        return failed_statement(database, "a transaction cannot begin", code, p);
    }
    database->transaction = 1;
    return ESIGN_OK;
}

/* PostgreSQL's server may have closed the connection. A statement before BEGIN finds that while the
 * connection can still be restored. */
esign_result_t esign_database_begin(esign_database_t *database, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = is_sqlite(database) ? ESIGN_OK
                                                : esign_database_read(database, "database_alive",
                                                                      ESIGN_SQL(NULL), 1, &rows, p);
    if (!esign_failed(result))
        result = begin_once(database, p);
    return esign_failed(result) && recover_connection(database, p) ? begin_once(database, p)
                                                                   : result;
}

esign_result_t esign_database_end(esign_database_t *database, esign_result_t result, apr_pool_t *p)
{
    int rows;
    if (!database->transaction)
        return result;
    database->transaction = 0;
    /* At COMMIT PostgreSQL rolls a broken transaction back, and reports success. */
    if (!esign_failed(result) && database->broken)
        result = esign_result_make(p, APR_EGENERAL, "database",
                                   "a transaction cannot be committed: a statement of it failed");
    if (!esign_failed(result)) {
        int code = apr_dbd_query(database->driver, database->handle, &rows, "COMMIT");
        if (code == 0) {
            leave_write_gate(database);
            return ESIGN_OK;
        }
        result = failed_statement(database, "a transaction cannot be committed", code, p);
    }
    /* Also after a COMMIT that failed: SQLite may leave the transaction open. */
    apr_dbd_query(database->driver, database->handle, &rows, "ROLLBACK");
    leave_write_gate(database);
    return result;
}

/* The prepared statement of a label. It is prepared at the connection's first use of it, because
 * most connections use few. */
static esign_result_t find_statement(esign_database_t *database, const char *label,
                                     apr_dbd_prepared_t **prepared, apr_pool_t *p)
{
    const esign_statement_t *s = esign_database_statements;
    if ((*prepared = apr_hash_get(database->prepared, label, APR_HASH_KEY_STRING)) != NULL)
        return ESIGN_OK;
    while (s->label && strcmp(s->label, label) != 0)
        s++;
    if (!s->label)
        return esign_result_make(p, APR_ENOENT, "database", "there is no statement %s", label);
    int code = apr_dbd_prepare(database->driver, database->pool, database->handle, s->sql, s->label,
                               prepared);
    if (code != 0) {
        const char *doing = apr_psprintf(
            p, "the statement %s cannot be prepared (is the schema there? esignctl db init)",
            label);
        return failed_statement(database, doing, code, p);
    }
    apr_hash_set(database->prepared, s->label, APR_HASH_KEY_STRING, *prepared);
    return ESIGN_OK;
}

/* Marks the transaction as broken when a statement of it has failed; returns `result`. */
static esign_result_t mark_broken(esign_database_t *database, esign_result_t result)
{
    if (esign_failed(result) && database->transaction)
        database->broken = 1;
    return result;
}

static esign_result_t write_once(esign_database_t *database, const char *label,
                                 const void **arguments, int *rows, apr_pool_t *p)
{
    apr_dbd_prepared_t *prepared;
    esign_result_t result = find_statement(database, label, &prepared, p);
    if (esign_failed(result))
        return result;
    *rows = 0;
    if (!database->transaction)
        enter_write_gate(database);
    int code = apr_dbd_pbquery(database->driver, p, database->handle, rows, prepared, arguments);
    if (!database->transaction)
        leave_write_gate(database);
    return code == 0 ? ESIGN_OK : failed_statement(database, label, code, p);
}

esign_result_t esign_database_write(esign_database_t *database, const char *label,
                                    const void **arguments, int *rows, apr_pool_t *p)
{
    int changed = 0;
    esign_result_t result = write_once(database, label, arguments, &changed, p);
    if (esign_failed(result) && recover_connection(database, p))
        result = write_once(database, label, arguments, &changed, p);
    if (rows)
        *rows = changed;
    return mark_broken(database, result);
}

static esign_result_t select_once(esign_database_t *database, const char *label,
                                  const void **arguments, apr_dbd_results_t **results,
                                  apr_pool_t *p)
{
    apr_dbd_prepared_t *prepared;
    esign_result_t result = find_statement(database, label, &prepared, p);
    if (esign_failed(result))
        return result;
    *results = NULL;
    int code =
        apr_dbd_pbselect(database->driver, p, database->handle, results, prepared, 1, arguments);
    return code == 0 ? ESIGN_OK : failed_statement(database, label, code, p);
}

esign_result_t esign_database_read(esign_database_t *database, const char *label,
                                   const void **arguments, int columns,
                                   const apr_array_header_t **rows, apr_pool_t *p)
{
    apr_dbd_results_t *results;
    apr_dbd_row_t *row = NULL;
    esign_result_t result = select_once(database, label, arguments, &results, p);
    if (esign_failed(result) && recover_connection(database, p))
        result = select_once(database, label, arguments, &results, p);
    if (esign_failed(result))
        return mark_broken(database, result);
    apr_array_header_t *all = apr_array_make(p, 4, sizeof(const char *const *));
    /* `row` must be the same object in each call, because the pgsql driver counts rows in it. Its
     * apr_dbd_get_entry returns "" for NULL; apr_dbd_datum_get tells them apart. */
    while (apr_dbd_get_row(database->driver, p, results, &row, -1) != -1) {
        const char **texts = apr_pcalloc(p, sizeof(*texts) * (size_t)columns);
        for (int i = 0; i < columns; i++) {
            char *text = NULL;
            if (apr_dbd_datum_get(database->driver, row, i, APR_DBD_TYPE_STRING, &text) ==
                APR_SUCCESS)
                texts[i] = apr_pstrdup(p, text);
        }
        APR_ARRAY_PUSH(all, const char *const *) = texts;
    }
    *rows = all;
    return ESIGN_OK;
}

apr_int64_t esign_database_number(const char *const *row, int column)
{
    char *end = NULL;
    apr_int64_t number = row[column] ? apr_strtoi64(row[column], &end, 10) : 0;
    return end && *end ? 0 : number;
}
