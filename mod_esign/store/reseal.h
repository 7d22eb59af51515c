/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h: goes through a table and seals its rows under the active key, while other processes
 * read and write them. */
#ifndef ESIGN_STORE_RESEAL_H
#define ESIGN_STORE_RESEAL_H

#include "database.h"

#define ESIGN_RESEAL_KEYS (ESIGN_KEY_MAX_ID + 1) /* key ids begin at 1 */

/* The state of one pass through one table. The caller starts it as { .write = …, .pool = … } and
 * calls the table's function until `ended` is set. */
typedef struct {
    int write;         /* 0: rows are only counted */
    apr_pool_t *pool;  /* `refusal` lives in it */
    int ended;         /* all rows were read */
    apr_int64_t after; /* the id of the last row that was read; rows come by their ids, from 1 */
    apr_int64_t rows;  /* that were read */
    apr_int64_t resealed;
    apr_int64_t missed;  /* rows that another process changed meanwhile; its change stands */
    apr_int64_t refused; /* rows that cannot be unsealed; they stay as they are */
    const char *refusal; /* why the first of them cannot */
    /* By key id: how many rows have a value under that key after this pass. 0: values under no
     * valid key. A row counts once for each key. */
    apr_int64_t needed[ESIGN_RESEAL_KEYS];
} esign_reseal_t;

/* Handles one batch of rows of one table, in one or more short transactions. It may be stopped at
 * any moment and begun again. It fails when the database does; a row that cannot be unsealed counts
 * as `refused`. */
typedef esign_result_t esign_reseal_fn(esign_database_t *database, esign_reseal_t *run,
                                       apr_pool_t *p);

/* What is particular to one table. A value is sealed text, a lookup (KEYID:HASH), NULL or "". */
typedef struct {
    const char *select; /* statement that reads `id, value, …` by id; arguments: the id that rows
                           come after, how many rows */
    const char *update; /* statement that writes a row's values if it still has the old ones;
                           arguments: new values, id, old values */
    int values;         /* in a row, at most ESIGN_RESEAL_VALUES */
    int together;       /* 1: a batch is one transaction; 0: each row is one */
    /* Makes the new values of a row from the old ones. APR_EINVAL: one cannot be unsealed. */
    esign_result_t (*renew)(const esign_keyring_t *keyring, apr_int64_t id, const char *const *old,
                            const char **new, apr_pool_t *p);
} esign_reseal_table_t;

#define ESIGN_RESEAL_VALUES 8

/* An esign_reseal_fn over such a table; the tables' files call it. */
esign_result_t esign_reseal_rows(esign_database_t *database, const esign_reseal_table_t *table,
                                 esign_reseal_t *run, apr_pool_t *p);

#endif
