/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: reads and writes the head of the chain, and chains rows. */
#include "chain.h"

#include <apr_strings.h>

/* The text that the head's seal covers. */
static const char *covered_by_seal(const esign_audit_head_t *head, apr_pool_t *p)
{
    const char *position = apr_psprintf(p, "%" APR_INT64_T_FMT, head->position),
               *copied = apr_psprintf(p, "%" APR_INT64_T_FMT, head->copied);
    return esign_audit_encode(p, "audit head", position, head->chain, copied, NULL);
}

const char *esign_audit_head_seal(const esign_keyring_t *keyring, const esign_audit_head_t *head,
                                  apr_pool_t *p)
{
    return esign_audit_seal(keyring, covered_by_seal(head, p), p);
}

/* The first head is sealed, too: otherwise an attacker could put back a head without a seal. */
esign_result_t esign_audit_head_add(esign_database_t *database, apr_pool_t *p)
{
    const esign_audit_head_t head = { .chain = "" };
    return esign_database_write(database, "audit_head_add",
                                ESIGN_SQL(esign_audit_head_seal(database->keyring, &head, p)), NULL,
                                p);
}

esign_result_t esign_audit_head_read(esign_database_t *database, esign_audit_head_t *head,
                                     const char **problem, apr_pool_t *p)
{
    enum { POSITION, CHAIN, COPIED, COPIER, COPIER_UNTIL, SEAL, COLUMNS };
    const apr_array_header_t *rows;
    *head = (esign_audit_head_t){ .chain = "", .copier = "", .seal = "" };
    *problem = NULL;
    esign_result_t result =
        esign_database_read(database, "audit_head", ESIGN_SQL(NULL), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    if (rows->nelts != 1) {
        *problem = rows->nelts ? "stands there more than once" : "is missing";
        return ESIGN_OK;
    }
    const char *const *row = APR_ARRAY_IDX(rows, 0, const char *const *);
    /* A table that an attacker made in place of this one may hold NULL. */
#define TEXT(column) (row[column] ? row[column] : "")
    *head = (esign_audit_head_t){ .position = esign_database_number(row, POSITION),
                                  .chain = TEXT(CHAIN),
                                  .copied = esign_database_number(row, COPIED),
                                  .copier = TEXT(COPIER),
                                  .copier_until = esign_database_number(row, COPIER_UNTIL),
                                  .seal = TEXT(SEAL) };
#undef TEXT
    switch (esign_audit_judge(database->keyring, head->seal, covered_by_seal(head, p))) {
    case ESIGN_AUDIT_SOUND:
        break;
    case ESIGN_AUDIT_NO_KEY:
        *problem = apr_psprintf(p, "is sealed under key %d, which the key file does not have",
                                esign_audit_seal_key_id(head->seal));
        break;
    default:
        *problem = "was changed: its seal is wrong";
    }
    return ESIGN_OK;
}

static esign_result_t keep_row_out(esign_database_t *database, const esign_audit_row_t *row,
                                   esign_audit_batch_t *batch, apr_pool_t *p)
{
    int rows;
    esign_result_t result =
        esign_database_write(database, "audit_keep_out", ESIGN_SQL(&row->id), &rows, p);
    if (!esign_failed(result) && rows)
        APR_ARRAY_PUSH(batch->forged, apr_int64_t) = row->id;
    return result;
}

/* Checks the seals of rows: sound ones are added to `sound`, forged ones are kept out. */
static esign_result_t judge_rows(esign_database_t *database, const apr_array_header_t *rows,
                                 apr_array_header_t *sound, esign_audit_batch_t *batch,
                                 apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < rows->nelts && !esign_failed(result); i++) {
        esign_audit_row_t row = esign_audit_row_read(APR_ARRAY_IDX(rows, i, const char *const *));
        esign_audit_verdict_e verdict = esign_audit_row_judge(database->keyring, &row, p);
        if (verdict == ESIGN_AUDIT_SOUND)
            APR_ARRAY_PUSH(sound, esign_audit_row_t) = row;
        else if (verdict == ESIGN_AUDIT_NO_KEY)
            batch->unknown_key = esign_audit_seal_key_id(row.seal);
        else
            result = keep_row_out(database, &row, batch, p);
    }
    return result;
}

static esign_result_t write_chained_row(esign_database_t *database, const esign_audit_row_t *row,
                                        const char *seal, apr_pool_t *p)
{
    int rows;
    esign_result_t result = esign_database_write(
        database, "audit_chain", ESIGN_SQL(&row->position, row->chain, seal, &row->id), &rows, p);
    return esign_failed(result) || rows == 1
               ? result
               : esign_result_make(p, APR_EBUSY, "audit",
                                   "row %" APR_INT64_T_FMT
                                   " was changed or removed while it was being chained",
                                   row->id);
}

/* Chains the rows in one transaction. The head is written first: a second chainer waits for its
 * lock, finds the head changed, and has done no work. `*moved` 0: this chainer is the second. */
static esign_result_t write_chain(esign_database_t *database, const esign_audit_head_t *head,
                                  apr_array_header_t *sound, int *moved, apr_pool_t *p)
{
    esign_audit_head_t next = *head;
    for (int i = 0; i < sound->nelts; i++) {
        esign_audit_row_t *row = &APR_ARRAY_IDX(sound, i, esign_audit_row_t);
        row->position = ++next.position;
        row->chain = next.chain = esign_audit_row_chain(next.chain, row, p);
    }
    next.seal = esign_audit_head_seal(database->keyring, &next, p);
    esign_result_t result = esign_database_begin(database, p);
    if (!esign_failed(result))
        result = esign_database_write(
            database, "audit_head_chained",
            ESIGN_SQL(&next.position, next.chain, next.seal, &head->position, &head->copied), moved,
            p);
    for (int i = 0; i < sound->nelts && !esign_failed(result) && *moved; i++) {
        const esign_audit_row_t *row = &APR_ARRAY_IDX(sound, i, esign_audit_row_t);
        result =
            write_chained_row(database, row, esign_audit_row_seal(database->keyring, row, p), p);
    }
    return esign_database_end(database, result, p);
}

esign_result_t esign_audit_chain(esign_database_t *database, esign_audit_cursor_t *cursor, int max,
                                 esign_audit_batch_t *batch, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = max;
    esign_audit_head_t head;
    const char *problem;
    int moved = 0;
    *batch = (esign_audit_batch_t){ .forged = apr_array_make(p, 0, sizeof(apr_int64_t)) };
    esign_result_t result = esign_database_read(database, "audit_unchained",
                                                ESIGN_SQL(&cursor->time, &cursor->id, &most),
                                                ESIGN_AUDIT_ROW_WIDTH, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *sound = apr_array_make(p, rows->nelts, sizeof(esign_audit_row_t));
    batch->looked = rows->nelts;
    *cursor = ESIGN_AUDIT_FIRST;
    if (rows->nelts == max) {
        esign_audit_row_t last =
            esign_audit_row_read(APR_ARRAY_IDX(rows, max - 1, const char *const *));
        *cursor = (esign_audit_cursor_t){ last.time, last.id };
    }
    result = judge_rows(database, rows, sound, batch, p);
    if (esign_failed(result) || sound->nelts == 0)
        return result;
    result = esign_audit_head_read(database, &head, &problem, p);
    if (!esign_failed(result) && problem)
        result = esign_result_make(p, APR_EINVAL, "audit",
                                   "the head of the chain %s; no row is chained", problem);
    if (!esign_failed(result))
        result = write_chain(database, &head, sound, &moved, p);
    batch->chained = esign_failed(result) || !moved ? 0 : sound->nelts;
    batch->waiting = sound->nelts - batch->chained;
    /* EBUSY: `key rotate`, or an attacker, changed a row meanwhile. The next call checks it. */
    return APR_STATUS_IS_EBUSY(result.status) ? ESIGN_OK : result;
}

esign_result_t esign_audit_page(esign_database_t *database, apr_int64_t position, apr_int64_t id,
                                apr_int64_t last, int max, const apr_array_header_t **rows,
                                apr_pool_t *p)
{
    const apr_array_header_t *found;
    apr_int64_t most = max;
    esign_result_t result =
        esign_database_read(database, "audit_page", ESIGN_SQL(&position, &id, &last, &most),
                            ESIGN_AUDIT_ROW_WIDTH, &found, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, found->nelts, sizeof(esign_audit_row_t));
    for (int i = 0; i < found->nelts; i++)
        APR_ARRAY_PUSH(list, esign_audit_row_t) =
            esign_audit_row_read(APR_ARRAY_IDX(found, i, const char *const *));
    *rows = list;
    return ESIGN_OK;
}

esign_result_t esign_audit_claim(esign_database_t *database, const esign_audit_head_t *head,
                                 const char *copier, apr_time_t until, int *claimed, apr_pool_t *p)
{
    return esign_database_write(database, "audit_head_claim",
                                ESIGN_SQL(copier, &until, &head->copier_until), claimed, p);
}

esign_result_t esign_audit_copied(esign_database_t *database, const esign_audit_head_t *head,
                                  const char *copier, apr_int64_t position, apr_time_t until,
                                  int *done, apr_pool_t *p)
{
    esign_audit_head_t next = *head;
    next.copied = position;
    return esign_database_write(database, "audit_head_copied",
                                ESIGN_SQL(&position, &until,
                                          esign_audit_head_seal(database->keyring, &next, p),
                                          &head->position, &head->copied, copier),
                                done, p);
}
