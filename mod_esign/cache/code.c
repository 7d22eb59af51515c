/* SPDX-License-Identifier: Apache-2.0 */
/* code.c: one-time codes in the records of their sessions; every change is a compare-and-swap. */
#include "code.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"
#include "core/secret.h"

#include <string.h>

/* More races than this on one session's code are no person's. */
#define ROUNDS 8

static const char *encode(const esign_code_t *otp, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 5);
    apr_table_setn(values, "seed", esign_base64_url_encode(p, otp->seed, sizeof(otp->seed)));
    esign_record_set_number(values, "key", otp->key);
    esign_record_set_number(values, "tries", otp->tries_left);
    esign_record_set_number(values, "sent", otp->sent);
    esign_record_set_number(values, "expires", otp->expires);
    return esign_record_encode(p, values);
}

int esign_code_read(const esign_session_record_t *record, esign_code_t *otp, apr_pool_t *p)
{
    apr_size_t length = 0;
    const apr_table_t *values =
        record->code ? esign_record_decode(p, record->code, strlen(record->code)) : NULL;
    const char *seed = values ? apr_table_get(values, "seed") : NULL;
    const unsigned char *bytes = seed ? esign_base64_url_decode(p, seed, &length) : NULL;
    if (!bytes || length != sizeof(otp->seed))
        return 0;
    memcpy(otp->seed, bytes, length);
    otp->key = (int)esign_record_number(values, "key", 0);
    otp->tries_left = (int)esign_record_number(values, "tries", 0);
    otp->sent = esign_record_number(values, "sent", 0);
    otp->expires = esign_record_number(values, "expires", 0);
    return 1;
}

int esign_code_is_valid(const esign_code_t *otp, apr_time_t now)
{
    return otp->expires > now && otp->tries_left > 0;
}

/* After a lost race: the record as it is now. */
static esign_cache_answer_e load(const esign_code_session_t *s, apr_time_t now, apr_pool_t *p)
{
    return esign_session_store_load(s->cache, s->key, &s->limits, now, s->record, p);
}

esign_cache_answer_e esign_code_issue(const esign_code_session_t *s,
                                      const esign_code_policy_t *policy, apr_time_t now,
                                      esign_code_t *otp, int *resent, apr_pool_t *p)
{
    esign_cache_answer_e answer = ESIGN_CACHE_DONE;
    for (int round = 0; round < ROUNDS && answer == ESIGN_CACHE_DONE; round++) {
        *resent = esign_code_read(s->record, otp, p) && esign_code_is_valid(otp, now);
        if (!*resent) {
            *otp = (esign_code_t){ .key = policy->key,
                                   .tries_left = policy->tries,
                                   .expires = now + policy->life };
            esign_digest_random(otp->seed, sizeof(otp->seed));
        }
        otp->sent = now;
        s->record->code = encode(otp, p);
        answer = esign_session_store_update(s->cache, s->key, s->record, &s->limits, now, p);
        if (answer != ESIGN_CACHE_MISS)
            return answer;
        answer = load(s, now, p);
    }
    return answer == ESIGN_CACHE_MISS ? ESIGN_CACHE_MISS : ESIGN_CACHE_ERROR;
}

/* What a try comes to, by the record as it was loaded. 1: it counts, and the record has the code
 * with one try less. */
static int judge(const esign_code_session_t *s, const esign_keyring_t *keyring,
                 const esign_code_policy_t *policy, const char *typed, apr_time_t now,
                 int *tries_left, esign_code_verdict_e *verdict, apr_pool_t *p)
{
    esign_code_t otp;
    char code[ESIGN_OTP_MAX_DIGITS + 1];
    *verdict = ESIGN_CODE_GONE;
    if (!esign_code_read(s->record, &otp, p) || otp.expires <= now ||
        !esign_otp_code(keyring, otp.key, s->key, otp.seed, policy->digits, code))
        return 0;
    int right = esign_otp_matches(code, typed);
    esign_secret_wipe(code, sizeof(code));
    *verdict = ESIGN_CODE_EXHAUSTED;
    *tries_left = 0;
    if (otp.tries_left <= 0)
        return 0;
    *tries_left = --otp.tries_left;
    if (right || otp.tries_left > 0)
        *verdict = right ? ESIGN_CODE_RIGHT : ESIGN_CODE_WRONG;
    s->record->code = encode(&otp, p);
    return 1;
}

esign_code_verdict_e esign_code_try(const esign_code_session_t *s, const esign_keyring_t *keyring,
                                    const esign_code_policy_t *policy, const char *typed,
                                    apr_time_t now, int *tries_left, apr_pool_t *p)
{
    esign_cache_answer_e answer = ESIGN_CACHE_DONE;
    for (int round = 0; round < ROUNDS && answer == ESIGN_CACHE_DONE; round++) {
        esign_code_verdict_e verdict;
        if (!judge(s, keyring, policy, typed, now, tries_left, &verdict, p))
            return verdict;
        if (verdict == ESIGN_CODE_RIGHT)
            answer = esign_session_store_exchange(s->cache, s->key, s->record, &s->limits, p);
        else
            answer = esign_session_store_update(s->cache, s->key, s->record, &s->limits, now, p);
        if (answer == ESIGN_CACHE_DONE)
            return verdict;
        if (answer == ESIGN_CACHE_MISS)
            answer = load(s, now, p);
    }
    return answer == ESIGN_CACHE_MISS ? ESIGN_CODE_GONE : ESIGN_CODE_ERROR;
}
