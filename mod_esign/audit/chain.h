/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h: audit rows in one line, each bound to the one before, and how far the line has been
 * copied elsewhere.
 *
 * Rows are inserted by whoever has something to tell, unchained and sealed. The courier gives the
 * sound ones the next positions. One row, the head, says where the chain ends; it moves by
 * compare-and-swap in the transaction that chains, so that of any number of couriers one goes on
 * and the others look again. */
#ifndef ESIGN_AUDIT_CHAIN_H
#define ESIGN_AUDIT_CHAIN_H

#include "row.h"

typedef struct {
    apr_int64_t position; /* of the last row; 0: there is none */
    const char *chain;    /* its chain value; "" */
    apr_int64_t copied;   /* rows up to here have left the host */
    const char *copier;   /* who copies, until when: not sealed, for a wrong one only delays */
    apr_time_t copier_until;
    const char *seal;
} esign_audit_head_t;

/* The head of a new database, within the transaction that makes the tables. */
esign_result_t esign_audit_head_init(esign_database_t *database, apr_pool_t *p);

/* The seal that the head must have as it stands: over position, chain and copied. */
const char *esign_audit_head_seal(const esign_keyring_t *keyring, const esign_audit_head_t *head,
                                  apr_pool_t *p);

/* Reads the head; `*problem` is NULL, or what is wrong with it: then the chain must not go on. */
esign_result_t esign_audit_head_read(esign_database_t *database, esign_audit_head_t *head,
                                     const char **problem, apr_pool_t *p);

/* Where the next look at unchained rows begins: behind those that cannot be chained now. Begins as
 * ESIGN_AUDIT_FIRST; at the end it is that again. */
typedef struct {
    apr_time_t time;
    apr_int64_t id;
} esign_audit_cursor_t;

#define ESIGN_AUDIT_FIRST ((esign_audit_cursor_t){ APR_INT64_MIN, APR_INT64_MIN })

typedef struct {
    int looked; /* rows that were looked at; fewer than `max`: there are no more */
    int chained;
    int waiting; /* sound ones that were not: another courier, or a change of keys, was faster */
    apr_array_header_t
        *forged; /* apr_int64_t: ids of rows whose seal is wrong; they are kept out from now on */
    int unknown_key; /* a key id that some rows are sealed under and the key file lacks; they wait.
                        0: none */
} esign_audit_batch_t;

/* Chains up to `max` rows, oldest first, in one transaction; with nothing to chain it costs one
 * SELECT on an index. When another courier or a change of keys was faster, `chained` is 0.
 * APR_EINVAL: the head is wrong. */
esign_result_t esign_audit_chain(esign_database_t *database, esign_audit_cursor_t *cursor, int max,
                                 esign_audit_batch_t *batch, apr_pool_t *p);

/* Up to `max` rows behind position and id, up to position `last`, in their order. Array of
 * esign_audit_row_t. */
esign_result_t esign_audit_page(esign_database_t *database, apr_int64_t position, apr_int64_t id,
                                apr_int64_t last, int max, const apr_array_header_t **rows,
                                apr_pool_t *p);

/* Takes the copying until `until` for `copier`, from whoever `head` says has it: `*claimed` 0 when
 * somebody else was faster. */
esign_result_t esign_audit_claim(esign_database_t *database, const esign_audit_head_t *head,
                                 const char *copier, apr_time_t until, int *claimed, apr_pool_t *p);

/* Rows up to `position` have left the host. `*done` 0: the copying is no longer `copier`'s, or the
 * chain went on at this very moment; `head` must be read again. */
esign_result_t esign_audit_copied(esign_database_t *database, const esign_audit_head_t *head,
                                  const char *copier, apr_int64_t position, apr_time_t until,
                                  int *done, apr_pool_t *p);

#endif
