/* SPDX-License-Identifier: Apache-2.0 */
/* otp_store.c: one-time codes in memcached; every change is a compare-and-swap. */
#include "store/otp_store.h"

#include "core/digest.h"
#include "core/record.h"
#include "core/secret.h"

#include <string.h>

/* The record outlives its code, so that an expired code can be told from none. */
#define REMEMBERED apr_time_from_sec(600)
/* More races than this on one session's code are no person's. */
#define ROUNDS 8

static const char *key_of(const char *session, apr_pool_t *p)
{
    return esign_cache_key("otp:", session, p);
}

static const char *encode(const esign_otp_t *otp, int used, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 6);
    apr_table_setn(values, "seed", esign_digest_encode(p, otp->seed, sizeof(otp->seed)));
    esign_record_set_number(values, "key", otp->key);
    esign_record_set_number(values, "tries", otp->tries_left);
    esign_record_set_number(values, "sent", otp->sent);
    /* A used code is one that has expired: nothing accepts it again. */
    esign_record_set_number(values, "expires", used ? 0 : otp->expires);
    return esign_record_encode(p, values);
}

static esign_cache_answer_e swap(esign_cache_t *cache, const char *session, const esign_otp_t *otp, int used, apr_pool_t *p)
{
    return esign_cache_cas(cache, key_of(session, p), encode(otp, used, p), otp->expires + REMEMBERED, otp->cas, p);
}

esign_cache_answer_e esign_otp_store_get(esign_cache_t *cache, const char *session, esign_otp_t *otp, apr_pool_t *p)
{
    char *text;
    apr_size_t length = 0;
    esign_cache_answer_e answer = esign_cache_get(cache, key_of(session, p), &text, &otp->cas, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    const apr_table_t *values = esign_record_decode(p, text, strlen(text));
    const char *seed = values ? apr_table_get(values, "seed") : NULL;
    const unsigned char *bytes = seed ? esign_digest_decode(p, seed, &length) : NULL;
    if (!bytes || length != sizeof(otp->seed))
        return ESIGN_CACHE_ERROR;
    memcpy(otp->seed, bytes, length);
    otp->key = (int)esign_record_number(values, "key", 0);
    otp->tries_left = (int)esign_record_number(values, "tries", 0);
    otp->sent = esign_record_number(values, "sent", 0);
    otp->expires = esign_record_number(values, "expires", 0);
    return ESIGN_CACHE_DONE;
}

esign_cache_answer_e esign_otp_store_open(esign_cache_t *cache, const char *session, const esign_otp_policy_t *policy, const esign_otp_t *previous,
                                          apr_time_t now, esign_otp_t *otp, apr_pool_t *p)
{
    esign_otp_t made = { .key = policy->key, .tries_left = policy->tries, .sent = now, .expires = now + policy->life, .cas = previous ? previous->cas : 0 };
    esign_digest_random(made.seed, sizeof(made.seed));
    *otp = made;
    if (previous)
        return swap(cache, session, &made, 0, p);
    return esign_cache_add(cache, key_of(session, p), encode(&made, 0, p), made.expires + REMEMBERED, p);
}

esign_cache_answer_e esign_otp_store_resent(esign_cache_t *cache, const char *session, const esign_otp_t *otp, apr_time_t now, apr_pool_t *p)
{
    esign_otp_t sent = *otp;
    sent.sent = now;
    return swap(cache, session, &sent, 0, p);
}

/* One round of a try: the verdict, or a lost race. */
static esign_cache_answer_e try_once(esign_cache_t *cache, const esign_keyring_t *keyring, const char *session, const esign_otp_policy_t *policy,
                                     const char *typed, apr_time_t now, int *tries_left, esign_otp_verdict_e *verdict, apr_pool_t *p)
{
    esign_otp_t otp;
    char code[ESIGN_OTP_MAX_DIGITS + 1];
    esign_cache_answer_e answer = esign_otp_store_get(cache, session, &otp, p);
    *verdict = answer == ESIGN_CACHE_ERROR ? ESIGN_OTP_ERROR : ESIGN_OTP_GONE;
    if (answer != ESIGN_CACHE_DONE || otp.expires <= now)
        return ESIGN_CACHE_DONE;
    if (!esign_otp_code(keyring, otp.key, session, otp.seed, policy->digits, code))
        return ESIGN_CACHE_DONE;
    int right = esign_otp_matches(code, typed);
    esign_secret_wipe(code, sizeof(code));
    *verdict = ESIGN_OTP_EXHAUSTED;
    *tries_left = 0;
    if (otp.tries_left <= 0)
        return ESIGN_CACHE_DONE;
    otp.tries_left--;
    *tries_left = otp.tries_left;
    *verdict = right ? ESIGN_OTP_RIGHT : otp.tries_left > 0 ? ESIGN_OTP_WRONG : ESIGN_OTP_EXHAUSTED;
    return swap(cache, session, &otp, right, p);
}

esign_otp_verdict_e esign_otp_store_try(esign_cache_t *cache, const esign_keyring_t *keyring, const char *session, const esign_otp_policy_t *policy,
                                        const char *typed, apr_time_t now, int *tries_left, apr_pool_t *p)
{
    for (int round = 0; round < ROUNDS; round++) {
        esign_otp_verdict_e verdict;
        esign_cache_answer_e answer = try_once(cache, keyring, session, policy, typed, now, tries_left, &verdict, p);
        if (answer == ESIGN_CACHE_DONE)
            return verdict;
        if (answer == ESIGN_CACHE_ERROR)
            break;
    }
    return ESIGN_OTP_ERROR;
}
