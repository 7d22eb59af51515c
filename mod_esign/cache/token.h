/* SPDX-License-Identifier: Apache-2.0 */
/* token.h: things that work once: tokens of reset links, and marks of used challenges. */
#ifndef ESIGN_CACHE_TOKEN_H
#define ESIGN_CACHE_TOKEN_H

#include "cache.h"

/* What the holder of a reset token may do: set a new word for this subscriber, while the subscriber
 * has this link epoch. */
typedef struct {
    apr_int64_t subscriber;
    apr_int64_t link_epoch;
    apr_time_t expires;
} esign_token_grant_t;

/* The length of a token: 256 random bits as base64url. */
#define ESIGN_TOKEN_LENGTH 43

/* Whether a text has the length and the characters of a token. */
int esign_token_well_formed(const char *token);

/* Makes a reset token for `grant`. memcached knows only its hash. `*token` is wiped with `p`. */
esign_cache_answer_e esign_token_issue(esign_cache_t *cache, const esign_token_grant_t *grant,
                                       const char **token, apr_pool_t *p);

/* Reads a token's grant without using it up. MISS: the token was never issued, has expired, or was
 * used. */
esign_cache_answer_e esign_token_read(esign_cache_t *cache, const char *token,
                                      esign_token_grant_t *grant, apr_pool_t *p);

/* Uses a token up. Of any number of calls at once, one gets DONE. */
esign_cache_answer_e esign_token_claim(esign_cache_t *cache, const char *token, apr_pool_t *p);

/* Stores a claimed token again, until it expires, because its use has failed. */
esign_cache_answer_e esign_token_restore(esign_cache_t *cache, const char *token,
                                         const esign_token_grant_t *grant, apr_pool_t *p);

/* Uses a challenge up. The first call gets DONE, all others MISS until the challenge expires. */
esign_cache_answer_e esign_token_use_challenge(esign_cache_t *cache, const char *challenge,
                                               apr_time_t expires, apr_pool_t *p);

#endif
