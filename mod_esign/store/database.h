/* SPDX-License-Identifier: Apache-2.0 */
/* database.h: one database connection with its prepared statements and its transaction. mod_dbd
 * opens connections for httpd, esign_database_open for esignctl. */
#ifndef ESIGN_STORE_DATABASE_H
#define ESIGN_STORE_DATABASE_H

#include "core/keyring.h"
#include "ipc/gate.h"
#include "ipc/meter.h"

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_tables.h>

/* A connection. One thread uses it at a time. The opener fills it; the functions below change the
 * members from `holds_write_gate` on. */
typedef struct {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_hash_t *prepared;           /* statement label -> apr_dbd_prepared_t *, mod_dbd's table */
    const esign_keyring_t *keyring; /* seals and unseals columns and audit rows */
    esign_meter_t *meter;           /* counts audit rows; NULL: they are not counted */
    apr_pool_t *pool;               /* as old as the connection; prepared statements live in it */
    esign_gate_t *write_gate;       /* of one slot, held while SQLite is written to; NULL: none */
    int holds_write_gate;
    int transaction; /* 1 from esign_database_begin to esign_database_end */
    int broken;      /* a statement of this transaction has failed */
    int stale;       /* the prepared statements fail from now on: esign_database_refresh */
    int read_only;   /* SQLite found its file write-protected when this process opened it; the
                        process cannot write to it until all its connections are closed */
} esign_database_t;

/* One SQL text for SQLite and PostgreSQL, with apr_dbd's placeholders: %s and %lld. */
typedef struct {
    const char *label; /* PostgreSQL's name of the prepared statement: letters and _ */
    const char *sql;
} esign_statement_t;

/* All statements of store/ and audit/; the last has a NULL label. A connection prepares a statement
 * at its first use. */
extern const esign_statement_t esign_database_statements[];

/* Opens a connection outside httpd. `driver` is "sqlite3" or "pgsql", `params` are the driver's
 * own. SQLite is set to WAL mode, with a busy time-out of 5 s. Does not look for tables:
 * esign_schema_version does. Closed with `p`. */
esign_result_t esign_database_open(esign_database_t **database, const char *driver,
                                   const char *params, const esign_keyring_t *keyring,
                                   apr_pool_t *p);

/* When `stale` is set, drops the prepared statements, so that they are prepared anew at their next
 * use. They become stale by a change of the schema (SQLite) or by a lost connection (PostgreSQL).
 * mod_dbd's check does not find that. A statement outside a transaction does this by itself and
 * runs again; so does one within a transaction of SQLite. */
void esign_database_refresh(esign_database_t *database);

/* Waits for the slot of a `write_gate`, at most 5 s, before the caller has a connection. 1: the
 * caller holds the slot; it sets `holds_write_gate` of its connection, or leaves the gate. 0: it
 * does not, and SQLite's own lock decides. */
int esign_database_wait_to_write(esign_gate_t *write_gate);

/* Begins a transaction. On SQLite it takes the write lock at once. */
esign_result_t esign_database_begin(esign_database_t *database, apr_pool_t *p);

/* Ends the transaction: commits when `result` is a success and no statement failed, else rolls
 * back. Returns `result`, or the failure of the commit. Without a transaction it returns `result`
 * and does nothing. */
esign_result_t esign_database_end(esign_database_t *database, esign_result_t result, apr_pool_t *p);

/* The arguments of a statement, in the order of its placeholders: pointers to const char for %s
 * (NULL is SQL's NULL) and to apr_int64_t for %lld. */
#define ESIGN_SQL(...) ((const void *[]){ __VA_ARGS__ })

/* Runs a statement that returns no rows. `*rows` gets how many rows it changed; `rows` may be NULL.
 * Failures have the problem "database"; within a transaction they set `broken`. */
esign_result_t esign_database_write(esign_database_t *database, const char *label,
                                    const void **arguments, int *rows, apr_pool_t *p);

/* Runs a statement that returns rows. `*rows`: an array, in `p`, of `const char *const *`; each
 * element has `columns` texts, NULL for SQL's NULL. Personal columns are still sealed. */
esign_result_t esign_database_read(esign_database_t *database, const char *label,
                                   const void **arguments, int columns,
                                   const apr_array_header_t **rows, apr_pool_t *p);

/* A column of such a row as a number. 0 for NULL and for a text that is not a whole number: SQLite
 * stores any text in a column of numbers, and "7x" must not pass for the id 7. */
apr_int64_t esign_database_number(const char *const *row, int column);

/* For schema.c: runs SQL that is not prepared and returns no rows. The detail of a failure is the
 * driver's message. */
esign_result_t esign_database_run(esign_database_t *database, const char *sql, apr_pool_t *p);

/* For schema.c: runs a SELECT that is not prepared. `*text` gets the first column of its last row,
 * in `p`; NULL: it has no row. */
esign_result_t esign_database_look(esign_database_t *database, const char *sql, const char **text,
                                   apr_pool_t *p);

#endif
