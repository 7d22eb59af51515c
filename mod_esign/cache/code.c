/* SPDX-License-Identifier: Apache-2.0 */
/* code.c: one-time codes in the records of their sessions. Every change is a compare-and-swap. */
#include "code.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"
#include "core/secret.h"

#include <string.h>

/* How often a change is tried again. A person never loses so many races on one session. */
#define ROUNDS 8

static const char *encode_code(const esign_code_t *code, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 5);
    apr_table_setn(values, "seed", esign_base64_url_encode(p, code->seed, sizeof(code->seed)));
    esign_record_set_number(values, "key", code->key);
    esign_record_set_number(values, "tries", code->tries_left);
    esign_record_set_number(values, "sent", code->sent);
    esign_record_set_number(values, "expires", code->expires);
    return esign_record_encode(p, values);
}

int esign_code_read(const esign_session_record_t *record, esign_code_t *code, apr_pool_t *p)
{
    apr_size_t length = 0;
    const apr_table_t *values =
        record->code ? esign_record_decode(p, record->code, strlen(record->code)) : NULL;
    const char *seed = values ? apr_table_get(values, "seed") : NULL;
    const unsigned char *bytes = seed ? esign_base64_url_decode(p, seed, &length) : NULL;
    if (!bytes || length != sizeof(code->seed))
        return 0;
    memcpy(code->seed, bytes, length);
    code->key = (int)esign_record_number(values, "key", 0);
    code->tries_left = (int)esign_record_number(values, "tries", 0);
    code->sent = esign_record_number(values, "sent", 0);
    code->expires = esign_record_number(values, "expires", 0);
    return 1;
}

int esign_code_is_valid(const esign_code_t *code, apr_time_t now)
{
    return code->expires > now && code->tries_left > 0;
}

/* Loads the record again after a lost race. */
static esign_cache_answer_e load_again(const esign_code_session_t *s, apr_time_t now, apr_pool_t *p)
{
    return esign_session_store_load(s->cache, s->key, &s->limits, now, s->record, p);
}

esign_cache_answer_e esign_code_issue(const esign_code_session_t *s,
                                      const esign_code_policy_t *policy, apr_time_t now,
                                      esign_code_t *code, int *resent, apr_pool_t *p)
{
    esign_cache_answer_e answer = ESIGN_CACHE_DONE;
    for (int round = 0; round < ROUNDS && answer == ESIGN_CACHE_DONE; round++) {
        *resent = esign_code_read(s->record, code, p) && esign_code_is_valid(code, now);
        if (!*resent) {
            *code = (esign_code_t){ .key = policy->key,
                                    .tries_left = policy->tries,
                                    .expires = now + policy->life };
            esign_digest_random(code->seed, sizeof(code->seed));
        }
        code->sent = now;
        s->record->code = encode_code(code, p);
        answer = esign_session_store_update(s->cache, s->key, s->record, &s->limits, now, p);
        if (answer != ESIGN_CACHE_MISS)
            return answer;
        answer = load_again(s, now, p);
    }
    return answer == ESIGN_CACHE_MISS ? ESIGN_CACHE_MISS : ESIGN_CACHE_ERROR;
}

/* Judges a try by the record as it was loaded. 1: the try counts, and the record now has the code
 * with one try less, not stored yet. 0: it does not count. */
static int judge_try(const esign_code_session_t *s, const esign_keyring_t *keyring,
                     const esign_code_policy_t *policy, const char *typed, apr_time_t now,
                     int *tries_left, esign_code_verdict_e *verdict, apr_pool_t *p)
{
    esign_code_t code;
    char digits[ESIGN_OTP_MAX_DIGITS + 1];
    *verdict = ESIGN_CODE_GONE;
    if (!esign_code_read(s->record, &code, p) || code.expires <= now ||
        !esign_otp_code(keyring, code.key, s->key, code.seed, policy->digits, digits))
        return 0;
    int right = esign_otp_matches(digits, typed);
    esign_secret_wipe(digits, sizeof(digits));
    *verdict = ESIGN_CODE_EXHAUSTED;
    *tries_left = 0;
    if (code.tries_left <= 0)
        return 0;
    *tries_left = --code.tries_left;
    if (right || code.tries_left > 0)
        *verdict = right ? ESIGN_CODE_RIGHT : ESIGN_CODE_WRONG;
    s->record->code = encode_code(&code, p);
    return 1;
}

esign_code_verdict_e esign_code_try(const esign_code_session_t *s, const esign_keyring_t *keyring,
                                    const esign_code_policy_t *policy, const char *typed,
                                    apr_time_t now, int *tries_left, apr_pool_t *p)
{
    esign_cache_answer_e answer = ESIGN_CACHE_DONE;
    for (int round = 0; round < ROUNDS && answer == ESIGN_CACHE_DONE; round++) {
        esign_code_verdict_e verdict;
        if (!judge_try(s, keyring, policy, typed, now, tries_left, &verdict, p))
            return verdict;
        if (verdict == ESIGN_CODE_RIGHT)
            answer = esign_session_store_exchange(s->cache, s->key, s->record, &s->limits, p);
        else
            answer = esign_session_store_update(s->cache, s->key, s->record, &s->limits, now, p);
        if (answer == ESIGN_CACHE_DONE)
            return verdict;
        if (answer == ESIGN_CACHE_MISS)
            answer = load_again(s, now, p);
    }
    return answer == ESIGN_CACHE_MISS ? ESIGN_CODE_GONE : ESIGN_CODE_ERROR;
}
