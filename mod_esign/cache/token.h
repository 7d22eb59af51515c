/* SPDX-License-Identifier: Apache-2.0 */
/* token.h: things that work once: reset links and picture challenges. */
#ifndef ESIGN_CACHE_TOKEN_H
#define ESIGN_CACHE_TOKEN_H

#include "cache.h"

/* What a reset link stands for. */
typedef struct {
    apr_int64_t subscriber;
    apr_int64_t link_epoch;
    apr_time_t expires;
} esign_token_grant_t;

/* Length of a token's text: 256 random bits as base64url. */
#define ESIGN_TOKEN_LENGTH 43

/* Whether a text has the form of a token. */
int esign_token_well_formed(const char *token);

/* A new reset token for `grant`, kept as its hash alone. `*token` wiped with `p`. */
esign_cache_answer_e esign_token_issue(esign_cache_t *cache, const esign_token_grant_t *grant,
                                       const char **token, apr_pool_t *p);

/* Looks without using it up. MISS: never was, ended, or used. */
esign_cache_answer_e esign_token_read(esign_cache_t *cache, const char *token,
                                      esign_token_grant_t *grant, apr_pool_t *p);

/* Uses it up: DONE to exactly one of any number of racing calls. */
esign_cache_answer_e esign_token_claim(esign_cache_t *cache, const char *token, apr_pool_t *p);

/* Puts a claimed token back for the rest of its life, when what it was claimed for failed. */
esign_cache_answer_e esign_token_restore(esign_cache_t *cache, const char *token,
                                         const esign_token_grant_t *grant, apr_pool_t *p);

/* Uses up a picture challenge until it expires: DONE once, MISS ever after. */
esign_cache_answer_e esign_token_use_challenge(esign_cache_t *cache, const char *challenge,
                                               apr_time_t expires, apr_pool_t *p);

#endif
