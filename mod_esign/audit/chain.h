/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h: audit rows form a chain, in which each is bound to the row before it, and the chain's
 * head.
 *
 * esign_audit_add writes sealed rows that are not chained. The chainers of all nodes give them
 * positions: a row joins the chain if its seal is right, and is kept out for good if it is wrong.
 * The head is one sealed row that holds the chain's last position and chain value, and how far the
 * chain is copied. It changes by compare-and-swap in the transaction that chains. So of several
 * chainers one succeeds, and the others read again. */
#ifndef ESIGN_AUDIT_CHAIN_H
#define ESIGN_AUDIT_CHAIN_H

#include "row.h"

typedef struct {
    apr_int64_t position;    /* of the last row; 0: no row is chained */
    const char *chain;       /* the chain value of the last row; "": no row is chained */
    apr_int64_t copied;      /* rows up to this position are copied */
    const char *copier;      /* the chainer that writes the copy; "": none. Not sealed, and neither
                                is the next: a wrong value only delays the copy */
    apr_time_t copier_until; /* when another chainer may take the copying over */
    const char *seal;        /* KEYID.MAC */
} esign_audit_head_t;

/* Adds the head of a new database, within the transaction of esign_schema_create. */
esign_result_t esign_audit_head_add(esign_database_t *database, apr_pool_t *p);

/* The right seal of the head: over position, chain and copied. */
const char *esign_audit_head_seal(const esign_keyring_t *keyring, const esign_audit_head_t *head,
                                  apr_pool_t *p);

/* Reads the head. `*problem` is NULL, or says what is wrong with it: then no row may be chained. */
esign_result_t esign_audit_head_read(esign_database_t *database, esign_audit_head_t *head,
                                     const char **problem, apr_pool_t *p);

/* Where the next call begins: after the last row that was read, so that rows that cannot be chained
 * now do not hold up the others. It starts as ESIGN_AUDIT_FIRST and becomes that again after the
 * last row. */
typedef struct {
    apr_time_t time;
    apr_int64_t id;
} esign_audit_cursor_t;

#define ESIGN_AUDIT_FIRST ((esign_audit_cursor_t){ APR_INT64_MIN, APR_INT64_MIN })

/* What one call of esign_audit_chain did. */
typedef struct {
    int looked;  /* rows that were read; fewer than `max`: there are no more */
    int chained; /* rows that joined the chain */
    int waiting; /* sound rows that did not: another chainer, or `key rotate`, was faster */
    apr_array_header_t *forged; /* apr_int64_t, ids of rows that are kept out from now on */
    int unknown_key; /* the id of a key that is missing, for which rows wait; 0: none is missing */
} esign_audit_batch_t;

/* Chains up to `max` rows, oldest first, in one transaction. With nothing to chain it costs one
 * SELECT on an index. When another chainer or `key rotate` was faster, `chained` is 0. APR_EINVAL:
 * the head is wrong, and no row is chained. */
esign_result_t esign_audit_chain(esign_database_t *database, esign_audit_cursor_t *cursor, int max,
                                 esign_audit_batch_t *batch, apr_pool_t *p);

/* Reads up to `max` chained rows in the order of position and id: those after `position` and `id`,
 * up to position `last`. Two rows of one position are a sign of tampering. Array of
 * esign_audit_row_t. */
esign_result_t esign_audit_page(esign_database_t *database, apr_int64_t position, apr_int64_t id,
                                apr_int64_t last, int max, const apr_array_header_t **rows,
                                apr_pool_t *p);

/* Makes `copier` the chainer that writes the copy, until `until`, if the head has not changed in
 * this respect since it was read. `*claimed` 0: another chainer was faster. */
esign_result_t esign_audit_claim(esign_database_t *database, const esign_audit_head_t *head,
                                 const char *copier, apr_time_t until, int *claimed, apr_pool_t *p);

/* Records that rows up to `position` are copied, and extends the claim to `until`. `*done` 0:
 * `copier` has lost the claim, or the chain has grown since `head` was read; the caller reads it
 * again. */
esign_result_t esign_audit_copied(esign_database_t *database, const esign_audit_head_t *head,
                                  const char *copier, apr_int64_t position, apr_time_t until,
                                  int *done, apr_pool_t *p);

#endif
