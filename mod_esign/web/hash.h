/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h: Argon2id as the screens ask for it: behind the gate of the node, with nothing held
 * meanwhile that others wait for. */
#ifndef ESIGN_WEB_HASH_H
#define ESIGN_WEB_HASH_H

#include "request.h"

/* Hashes a normalized word. APR_SUCCESS, or what esign_hash_refused answers to, logged. */
apr_status_t esign_hash_make(esign_request_t *q, const char *word, const char **hash);

/* Compares what was typed with a subscriber's word (NULL: nobody's, which costs the same).
 * `*better`: the same word under today's parameters, made only when `renew` is set and the stored
 * hash is behind them; else NULL. */
apr_status_t esign_hash_verify(esign_request_t *q, const char *typed,
                               const esign_subscriber_t *subscriber, int renew, int *matches,
                               const char **better);

/* The page for a status that is not APR_SUCCESS: busy, or out of order. */
int esign_hash_refused(esign_request_t *q, apr_status_t status);

#endif
