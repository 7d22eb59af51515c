/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h: moves the seals of audit rows, and of the chain's head, to the active key. */
#ifndef ESIGN_AUDIT_RESEAL_H
#define ESIGN_AUDIT_RESEAL_H

#include "store/database.h"

/* For a change of keys. Looks at up to `max` rows behind `*after` (a row's id; 0: from the first)
 * and seals anew under the active key those that are right under another one, each only while it
 * stands where it was. `*after` gets the last row looked at, 0 at the end: the caller goes on from
 * there, at any later time. `*sealed` of them; `*refused`: left as they are, for their seal is
 * wrong or its key is missing. No transaction of the caller's is open. */
esign_result_t esign_audit_reseal(esign_database_t *database, apr_int64_t *after, int max,
                                  int *sealed, int *refused, apr_pool_t *p);

/* The same for the head of the chain; `*sealed` 0: nothing to do, or the courier was faster (then
 * the next count tells). */
esign_result_t esign_audit_reseal_head(esign_database_t *database, int *sealed, apr_pool_t *p);

/* How many rows, the head among them, are sealed under a key id. Rows that are kept out of the
 * chain do not count. Reads the whole table. */
esign_result_t esign_audit_count_key(esign_database_t *database, int key, apr_int64_t *count,
                                     apr_pool_t *p);

#endif
