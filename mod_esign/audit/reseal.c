/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.c: seals audit rows and the head of the chain under the active key. */
#include "reseal.h"

#include "chain.h"

#include <apr_strings.h>

#include <stdlib.h>

/* Seals one row under the active key, if its seal is right under another one. */
static esign_result_t reseal_row(esign_database_t *database, const esign_audit_row_t *row,
                                 int *sealed, int *refused, apr_pool_t *p)
{
    int rows = 0;
    if (row->position < 0 ||
        esign_audit_seal_key_id(row->seal) == esign_keyring_active(database->keyring))
        return ESIGN_OK;
    if (esign_audit_row_judge(database->keyring, row, p) != ESIGN_AUDIT_SOUND) {
        ++*refused;
        return ESIGN_OK;
    }
    esign_result_t result = esign_database_write(
        database, "audit_reseal",
        ESIGN_SQL(esign_audit_row_seal(database->keyring, row, p), &row->id, &row->position), &rows,
        p);
    *sealed += rows;
    return result;
}

/* For qsort: the order in which a chainer locks rows. In another order the two could end in
 * PostgreSQL's "deadlock detected". */
static int compare_rows(const void *a, const void *b)
{
    const esign_audit_row_t *one = a, *other = b;
    if (one->time != other->time)
        return one->time < other->time ? -1 : 1;
    return (one->id > other->id) - (one->id < other->id);
}

esign_result_t esign_audit_reseal(esign_database_t *database, apr_int64_t *after, int max,
                                  int *sealed, int *refused, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = max, last = 0;
    *sealed = *refused = 0;
    esign_result_t result = esign_database_read(database, "audit_by_id", ESIGN_SQL(after, &most),
                                                ESIGN_AUDIT_ROW_WIDTH, &rows, p);
    if (!esign_failed(result))
        result = esign_database_begin(database, p);
    apr_array_header_t *list = apr_array_make(p, max, sizeof(esign_audit_row_t));
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        APR_ARRAY_PUSH(list, esign_audit_row_t) =
            esign_audit_row_read(APR_ARRAY_IDX(rows, i, const char *const *));
        last = APR_ARRAY_IDX(list, i, esign_audit_row_t).id;
    }
    qsort(list->elts, (size_t)list->nelts, sizeof(esign_audit_row_t), compare_rows);
    for (int i = 0; !esign_failed(result) && i < list->nelts; i++)
        result =
            reseal_row(database, &APR_ARRAY_IDX(list, i, esign_audit_row_t), sealed, refused, p);
    result = esign_database_end(database, result, p);
    if (esign_failed(result))
        *sealed = 0;
    else
        *after = rows->nelts < max ? 0 : last;
    return result;
}

esign_result_t esign_audit_reseal_head(esign_database_t *database, int *sealed, apr_pool_t *p)
{
    esign_audit_head_t head;
    const char *problem;
    *sealed = 0;
    esign_result_t result = esign_audit_head_read(database, &head, &problem, p);
    if (esign_failed(result))
        return result;
    if (problem)
        return esign_result_make(p, APR_EINVAL, "audit",
                                 "the head of the chain %s; it is not sealed anew", problem);
    if (esign_audit_seal_key_id(head.seal) == esign_keyring_active(database->keyring))
        return ESIGN_OK;
    return esign_database_write(
        database, "audit_head_reseal",
        ESIGN_SQL(esign_audit_head_seal(database->keyring, &head, p), &head.position, &head.copied),
        sealed, p);
}

esign_result_t esign_audit_count_key(esign_database_t *database, int key, apr_int64_t *count,
                                     apr_pool_t *p)
{
    const apr_array_header_t *rows;
    const char *pattern = apr_psprintf(p, "%d.%%", key);
    esign_result_t result =
        esign_database_read(database, "audit_count_key", ESIGN_SQL(pattern, pattern), 1, &rows, p);
    if (!esign_failed(result))
        *count = esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0);
    return result;
}
