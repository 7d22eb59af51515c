/* SPDX-License-Identifier: Apache-2.0 */
/* token.c: stores reset tokens and used challenges in memcached. */
#include "token.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"

#include <string.h>

/* Prefixes of keys in memcached. */
#define RESET "reset:"
#define CHALLENGE "captcha:"

int esign_token_well_formed(const char *token)
{
    return strlen(token) == ESIGN_TOKEN_LENGTH &&
           strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               ESIGN_TOKEN_LENGTH;
}

static const char *encode_grant(const esign_token_grant_t *grant, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 3);
    esign_record_set_number(values, "subscriber", grant->subscriber);
    esign_record_set_number(values, "link-epoch", grant->link_epoch);
    esign_record_set_number(values, "expires", grant->expires);
    return esign_record_encode(p, values);
}

esign_cache_answer_e esign_token_issue(esign_cache_t *cache, const esign_token_grant_t *grant,
                                       const char **token, apr_pool_t *p)
{
    unsigned char bytes[32];
    esign_digest_random(bytes, sizeof(bytes));
    *token = esign_base64_url_encode(p, bytes, sizeof(bytes));
    return esign_cache_add(cache, esign_cache_key(RESET, *token, p), encode_grant(grant, p),
                           grant->expires, p);
}

esign_cache_answer_e esign_token_read(esign_cache_t *cache, const char *token,
                                      esign_token_grant_t *grant, apr_pool_t *p)
{
    char *text;
    esign_cache_answer_e answer =
        esign_cache_get(cache, esign_cache_key(RESET, token, p), &text, NULL, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    const apr_table_t *values = esign_record_decode(p, text, strlen(text));
    if (!values)
        return ESIGN_CACHE_ERROR;
    grant->subscriber = esign_record_number(values, "subscriber", 0);
    grant->link_epoch = esign_record_number(values, "link-epoch", 0);
    grant->expires = esign_record_number(values, "expires", 0);
    return ESIGN_CACHE_DONE;
}

esign_cache_answer_e esign_token_claim(esign_cache_t *cache, const char *token, apr_pool_t *p)
{
    return esign_cache_delete(cache, esign_cache_key(RESET, token, p));
}

esign_cache_answer_e esign_token_restore(esign_cache_t *cache, const char *token,
                                         const esign_token_grant_t *grant, apr_pool_t *p)
{
    return esign_cache_add(cache, esign_cache_key(RESET, token, p), encode_grant(grant, p),
                           grant->expires, p);
}

esign_cache_answer_e esign_token_use_challenge(esign_cache_t *cache, const char *challenge,
                                               apr_time_t expires, apr_pool_t *p)
{
    /* A second longer than the challenge is valid, so that it cannot be used again at its end. */
    return esign_cache_add(cache, esign_cache_key(CHALLENGE, challenge, p), "used",
                           expires + APR_USEC_PER_SEC, p);
}
