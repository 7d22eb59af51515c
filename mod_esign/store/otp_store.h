/* SPDX-License-Identifier: Apache-2.0 */
/* otp_store.h: the one-time code of a session: alive for minutes, for a few tries. */
#ifndef ESIGN_STORE_OTP_STORE_H
#define ESIGN_STORE_OTP_STORE_H

#include "cache.h"
#include "core/otp.h"

typedef struct {
    int digits;                 /* 6 to 10 */
    apr_interval_time_t life;   /* 3 min */
    int tries;                  /* 3 */
    int key;                    /* the active key's id */
} esign_otp_policy_t;

typedef struct {
    unsigned char seed[ESIGN_OTP_SEED_SIZE];   /* the code follows from it and `key`: esign_otp_code */
    int key;                    /* active when the code was made: it lives on when another key is */
    int tries_left;
    apr_time_t sent;            /* when the last SMS with it was queued; 0: not yet */
    apr_time_t expires;
    apr_uint64_t cas;
} esign_otp_t;

typedef enum {
    ESIGN_OTP_RIGHT,            /* the record is gone: the code worked once */
    ESIGN_OTP_WRONG,
    ESIGN_OTP_EXHAUSTED,        /* this or an earlier try was the last one */
    ESIGN_OTP_GONE,             /* expired, never sent, or already used */
    ESIGN_OTP_ERROR
} esign_otp_verdict_e;

/* `session`: esign_session_store_key of the session that the code is bound to. The record lives until `expires` + 10 minutes, so that an expired code and an exhausted one
 * can be told from none; `now` decides. */

/* Looks. DONE with a record that may be expired or exhausted; MISS: none. */
esign_cache_answer_e esign_otp_store_get(esign_cache_t *cache, const char *session, esign_otp_t *otp, apr_pool_t *p);

/* Makes a record with a fresh seed when there is none or `previous` (from _get, else NULL) is expired or exhausted; MISS: another request was faster. */
esign_cache_answer_e esign_otp_store_open(esign_cache_t *cache, const char *session, const esign_otp_policy_t *policy, const esign_otp_t *previous,
                                          apr_time_t now, esign_otp_t *otp, apr_pool_t *p);

/* Notes that the same code is sent again, life and tries unchanged. MISS: changed meanwhile. */
esign_cache_answer_e esign_otp_store_resent(esign_cache_t *cache, const char *session, const esign_otp_t *otp, apr_time_t now, apr_pool_t *p);

/* Tries a code with compare-and-swap: of racing tries each is counted, and the right code works once. `*tries_left` after this try. */
esign_otp_verdict_e esign_otp_store_try(esign_cache_t *cache, const esign_keyring_t *keyring, const char *session, const esign_otp_policy_t *policy,
                                        const char *typed, apr_time_t now, int *tries_left, apr_pool_t *p);

#endif
