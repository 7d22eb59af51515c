/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h: runs Argon2id inside the node's gate. The request gives its database connection back
 * before it waits there. */
#ifndef ESIGN_WEB_HASH_H
#define ESIGN_WEB_HASH_H

#include "request.h"

/* Hashes a normalized word. `*hash`: a PHC string in r->pool, wiped with it. APR_SUCCESS, or a
 * status for esign_hash_refused; a failure is logged, a full gate is not. */
apr_status_t esign_hash_make(esign_request_t *q, const char *word, const char **hash);

/* Compares a typed word with the subscriber's. `subscriber` NULL: no match, at the same cost.
 * `*better`: a new hash of a matching word, made only if `renew` is set and the stored hash has
 * other parameters than EsignHashMemory and EsignHashPasses now; else NULL. Status as above. */
apr_status_t esign_hash_verify(esign_request_t *q, const char *typed,
                               const esign_subscriber_t *subscriber, int renew, int *matches,
                               const char **better);

/* Sends the page for a status that is not APR_SUCCESS: busy (503, Retry-After) if the gate was full
 * or the wait too long, else unavailable. */
int esign_hash_refused(esign_request_t *q, apr_status_t status);

#endif
