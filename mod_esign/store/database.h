/* SPDX-License-Identifier: Apache-2.0 */
/* database.h: one connection with its prepared statements, whoever opened it: mod_dbd for the
 * server, esignctl for itself. */
#ifndef ESIGN_STORE_DATABASE_H
#define ESIGN_STORE_DATABASE_H

#include "core/keyring.h"
#include "ipc/gate.h"

#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_tables.h>

/* Everything the rooms of store/ need of a connection. Not shared between threads. */
typedef struct {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_hash_t *prepared; /* statement label -> apr_dbd_prepared_t, as mod_dbd keeps them */
    const esign_keyring_t *keyring;
    struct esign_meter_t *meter; /* counts audit rows; NULL: nobody does */
    apr_pool_t *pool;            /* the connection's own, where its statements live */
    esign_gate_t *write_gate; /* of one slot: held while SQLite is written to; NULL: none needed */
    int holds_write_gate;
    int transaction; /* 1 within esign_database_begin … _end */
    int stale;       /* statements fail until they are prepared anew: esign_database_refresh */
    int read_only; /* SQLite would not write: it found the file write-protected when it was opened,
                      and nobody in this process makes it look again */
    int broken;    /* a statement of this transaction has failed */
} esign_database_t;

/* One SQL text for SQLite and PostgreSQL, in apr_dbd's placeholders. */
typedef struct {
    const char *label; /* PostgreSQL's name for it too: letters and _ */
    const char *sql;
} esign_statement_t;

/* All statements of the store, ended by a NULL label. A connection prepares one when it first needs
 * it. */
extern const esign_statement_t esign_database_statements[];

/* Lets statements be prepared anew when `stale` says so: after a schema change (SQLite) or a lost
 * connection (PostgreSQL) the old ones fail for good while the connection still passes its check.
 * Outside a transaction, and under SQLite within one, too, a statement that meets this heals by
 * itself and is run again. */
void esign_database_refresh(esign_database_t *database);

/* Opens a connection outside httpd. `driver` "sqlite3" or "pgsql", `params` the driver's own.
 * Closed with `p`. SQLite is put into WAL mode with a busy time-out. The schema need not be there:
 * esign_schema_version. */
esign_result_t esign_database_open(esign_database_t **database, const char *driver,
                                   const char *params, const esign_keyring_t *keyring,
                                   apr_pool_t *p);

/* For schema.c: runs SQL that is not prepared and returns no rows. The detail of a failure is the
 * driver's message. */
esign_result_t esign_database_run(esign_database_t *database, const char *sql, apr_pool_t *p);

/* For schema.c: the first column of the last row of a SELECT that is not prepared; NULL: no row. */
esign_result_t esign_database_look(esign_database_t *database, const char *sql, const char **text,
                                   apr_pool_t *p);

/* Waits for the one slot of the gate, before the caller has a connection. 1: the caller sets
 * `holds_write_gate` of its connection, or leaves the gate. 0: the wait took too long; SQLite's own
 * lock decides then. */
int esign_database_wait_to_write(esign_gate_t *write_gate);

/* A transaction; under SQLite it has the write lock from the start. `_end` commits when all went
 * well, which `result` tells, and else rolls back; it gives back `result`, or the failure of the
 * commit. Where none is open it does nothing else. */
esign_result_t esign_database_begin(esign_database_t *database, apr_pool_t *p);
esign_result_t esign_database_end(esign_database_t *database, esign_result_t result, apr_pool_t *p);

/* For the rooms of store/: runs a statement by its label. `arguments`: pointers to what its
 * placeholders name (%s: char, NULL for SQL's NULL; %lld: apr_int64_t). */
#define ESIGN_SQL(...) ((const void *[]){ __VA_ARGS__ })

/* `rows` gets how many rows were changed; may be NULL. */
esign_result_t esign_database_write(esign_database_t *database, const char *label,
                                    const void **arguments, int *rows, apr_pool_t *p);

/* All rows, each `const char *const *` with `columns` texts, NULL for SQL's NULL. Personal columns
 * are sealed. */
esign_result_t esign_database_read(esign_database_t *database, const char *label,
                                   const void **arguments, int columns,
                                   const apr_array_header_t **rows, apr_pool_t *p);

/* A column of such a row as a number; 0 for NULL and for what is no whole number, which SQLite
 * stores in any column: no row may pass for another one because its id begins alike. */
apr_int64_t esign_database_number(const char *const *row, int column);

#endif
