/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h: goes through a table and moves its rows to the active key, while others read and write
 * them. */
#ifndef ESIGN_STORE_RESEAL_H
#define ESIGN_STORE_RESEAL_H

#include "database.h"

#define ESIGN_RESEAL_KEYS 256

/* A way through one table; begins as { .write = …, .pool = … } and is handed to the table's
 * function until it has ended. */
typedef struct {
    int write;        /* 0: rows are only counted */
    apr_pool_t *pool; /* where `refusal` lives */
    int ended;
    apr_int64_t after; /* the last row looked at; rows come in the order of a number above 0 */
    apr_int64_t rows;  /* looked at */
    apr_int64_t resealed;
    apr_int64_t missed; /* rows that somebody changed meanwhile: they stand as that one left them */
    apr_int64_t refused;                   /* rows that do not open */
    const char *refusal;                   /* of the first of them */
    apr_int64_t needed[ESIGN_RESEAL_KEYS]; /* by key id: rows that something of is under that key,
                                              when this was done with them; 0: under none */
} esign_reseal_t;

/* One batch of one table, written in one short transaction; safe to be stopped at any moment and
 * begun anew. A failure is the database's. */
typedef esign_result_t esign_reseal_fn(esign_database_t *database, esign_reseal_t *run,
                                       apr_pool_t *p);

/* For the rooms of store/: such a function, of what one table has of its own. */
typedef struct {
    const char *select; /* statement: `id, value, …` of rows behind an id, by id (arguments: id, how
                           many) */
    const char *update; /* statement: writes the values of a row that still stands as it was read
                           (new values, id, old values) */
    int values;         /* in a row, at most ESIGN_RESEAL_VALUES: sealed, lookups, NULL or empty */
    int together;       /* 1: a batch is one transaction; 0: each row */
    esign_result_t (*renew)(const esign_keyring_t *keyring, apr_int64_t id, const char *const *old,
                            const char **new, apr_pool_t *p);
} esign_reseal_table_t;

#define ESIGN_RESEAL_VALUES 8

esign_result_t esign_reseal_rows(esign_database_t *database, const esign_reseal_table_t *table,
                                 esign_reseal_t *run, apr_pool_t *p);

#endif
