/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h: seals audit rows, and the head of the chain, under the active key, for `esignctl key
 * rotate`. */
#ifndef ESIGN_AUDIT_RESEAL_H
#define ESIGN_AUDIT_RESEAL_H

#include "store/database.h"

/* Handles up to `max` rows after the id `*after` (0: from the first), in one transaction. A row
 * whose seal is right under another key gets a seal under the active key, unless it was chained
 * meanwhile: `*sealed` of them. A row whose seal is wrong, or whose key is missing, stays as it is:
 * `*refused` of them. `*after` gets the last id that was read, 0 at the end; the caller may go on
 * from there at any time. The caller has no transaction open. */
esign_result_t esign_audit_reseal(esign_database_t *database, apr_int64_t *after, int max,
                                  int *sealed, int *refused, apr_pool_t *p);

/* The same for the head of the chain. `*sealed` 0: it is under the active key already, or a chainer
 * changed it meanwhile; esign_audit_count_key shows which. APR_EINVAL: its seal is wrong. */
esign_result_t esign_audit_reseal_head(esign_database_t *database, int *sealed, apr_pool_t *p);

/* How many rows, including the head, are sealed under a key. Rows that are kept out of the chain do
 * not count. Reads the whole table. */
esign_result_t esign_audit_count_key(esign_database_t *database, int key, apr_int64_t *count,
                                     apr_pool_t *p);

#endif
