/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.c: reads a batch of rows, seals them under the active key, and writes each that nobody has
 * changed meanwhile. */
#include "reseal.h"

#include "sealed.h"

#include <apr_strings.h>

#include <string.h>

/* Rows in a transaction. SQLite has one writer at a time: a batch must not keep others waiting. */
#define BATCH 100

typedef struct {
    apr_int64_t id;
    const char *const *old;
    const char **new;
} change_t;

/* The id of the key that a value is under; 0: no valid one. A lookup is KEYID:HASH. */
static int key_of_value(const char *value)
{
    apr_int64_t key = strchr(value, ':') ? apr_atoi64(value) : esign_sealed_key(value);
    return key > 0 && key < ESIGN_RESEAL_KEYS ? (int)key : 0;
}

static int is_under_old_key(const esign_database_t *database, const char *const *values, int count)
{
    int active = esign_keyring_active(database->keyring);
    for (int i = 0; i < count; i++)
        if (values[i] && *values[i] && key_of_value(values[i]) != active)
            return 1;
    return 0;
}

/* Counts a row once for each key that its values are under. */
static void count_keys(esign_reseal_t *run, const char *const *values, int count)
{
    for (int i = 0; i < count; i++) {
        int known = !values[i] || !*values[i];
        for (int earlier = 0; earlier < i && !known; earlier++)
            known = values[earlier] && *values[earlier] &&
                    key_of_value(values[earlier]) == key_of_value(values[i]);
        if (!known)
            run->needed[key_of_value(values[i])]++;
    }
}

static esign_result_t write_change(esign_database_t *database, const esign_reseal_table_t *table,
                                   esign_reseal_t *run, const change_t *change, apr_pool_t *p)
{
    const void *arguments[2 * ESIGN_RESEAL_VALUES + 1];
    int changed;
    for (int i = 0; i < table->values; i++) {
        arguments[i] = change->new[i];
        arguments[table->values + 1 + i] = change->old[i];
    }
    arguments[table->values] = &change->id;
    esign_result_t result = esign_database_write(database, table->update, arguments, &changed, p);
    if (esign_failed(result))
        return result;
    run->resealed += changed != 0;
    run->missed += changed == 0;
    count_keys(run, changed ? (const char *const *)change->new : change->old, table->values);
    return ESIGN_OK;
}

static esign_result_t write_changes(esign_database_t *database, const esign_reseal_table_t *table,
                                    esign_reseal_t *run, const apr_array_header_t *changes,
                                    apr_pool_t *p)
{
    esign_result_t result =
        changes->nelts > 0 && table->together ? esign_database_begin(database, p) : ESIGN_OK;
    for (int i = 0; i < changes->nelts && !esign_failed(result); i++)
        result = write_change(database, table, run, &APR_ARRAY_IDX(changes, i, change_t), p);
    return esign_database_end(database, result, p);
}

/* Makes the new values of a row. A row that cannot be unsealed is counted and left as it is. */
static esign_result_t renew_row(esign_database_t *database, const esign_reseal_table_t *table,
                                esign_reseal_t *run, change_t *change, int *renewed, apr_pool_t *p)
{
    change->new = apr_pcalloc(p, sizeof(*change->new) * (size_t)table->values);
    esign_result_t result =
        table->renew(database->keyring, change->id, change->old, change->new, p);
    *renewed = !esign_failed(result);
    if (!APR_STATUS_IS_EINVAL(result.status))
        return result;
    if (run->refused++ == 0)
        run->refusal = apr_pstrdup(run->pool, result.detail);
    return ESIGN_OK;
}

esign_result_t esign_reseal_rows(esign_database_t *database, const esign_reseal_table_t *table,
                                 esign_reseal_t *run, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = BATCH;
    apr_array_header_t *changes = apr_array_make(p, BATCH, sizeof(change_t));
    esign_result_t result = esign_database_read(
        database, table->select, ESIGN_SQL(&run->after, &most), 1 + table->values, &rows, p);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        change_t change = { .id = esign_database_number(row, 0), .old = row + 1 };
        int renewed = 0;
        /* SQLite stores a text in the column of ids and sorts it after all numbers, so that the
         * SELECT would find it again and again. */
        if (change.id <= run->after)
            return esign_result_make(p, APR_EGENERAL, "database",
                                     "%s finds a row whose id is no number above 0; mod_esign did "
                                     "not write it: remove it",
                                     table->select);
        run->rows++;
        run->after = change.id;
        if (run->write && is_under_old_key(database, change.old, table->values))
            result = renew_row(database, table, run, &change, &renewed, p);
        if (renewed)
            APR_ARRAY_PUSH(changes, change_t) = change;
        else
            count_keys(run, change.old, table->values);
    }
    if (esign_failed(result))
        return result;
    run->ended = rows->nelts < BATCH;
    return write_changes(database, table, run, changes, p);
}
