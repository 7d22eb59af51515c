/* SPDX-License-Identifier: Apache-2.0 */
/* code.h: the one-time code of a session: alive for minutes, for a few tries. */
#ifndef ESIGN_CACHE_CODE_H
#define ESIGN_CACHE_CODE_H

#include "core/otp.h"
#include "session.h"

typedef struct {
    int digits;               /* 6 to 10 */
    apr_interval_time_t life; /* 3 min */
    int tries;                /* 3 */
    int key;                  /* the active key's id */
} esign_code_policy_t;

typedef struct {
    unsigned char
        seed[ESIGN_OTP_SEED_SIZE]; /* the code follows from it and `key`: esign_otp_code */
    int key; /* active when the code was made: it lives on when another key is */
    int tries_left;
    apr_time_t sent; /* when the last SMS with it was queued */
    apr_time_t expires;
} esign_code_t;

typedef enum {
    ESIGN_CODE_RIGHT, /* the session has been exchanged: the code works once, and another session
                        has to be made */
    ESIGN_CODE_WRONG,
    ESIGN_CODE_EXHAUSTED, /* this or an earlier try was the last one */
    ESIGN_CODE_GONE,      /* expired, never sent, or the session is gone */
    ESIGN_CODE_ERROR
} esign_code_verdict_e;

/* What changes between requests. `record` was loaded by `key`, and is loaded anew when others were
 * faster. */
typedef struct {
    esign_cache_t *cache;
    const char *key; /* esign_session_store_key of the session that the code is bound to */
    esign_session_record_t *record;
    esign_session_limits_t limits;
} esign_code_session_t;

/* The code of a loaded record: 1, perhaps expired or exhausted; 0: none was asked for. It stays as
 * long as its session, so that an expired and an exhausted one can be told from none. */
int esign_code_read(const esign_session_record_t *record, esign_code_t *otp, apr_pool_t *p);

/* Whether it can still be used. */
int esign_code_is_valid(const esign_code_t *otp, apr_time_t now);

/* A code that is to be sent: the session's living one (`*resent` 1), life and tries unchanged, or a
 * fresh one. MISS: the session is gone. */
esign_cache_answer_e esign_code_issue(const esign_code_session_t *session,
                                      const esign_code_policy_t *policy, apr_time_t now,
                                      esign_code_t *otp, int *resent, apr_pool_t *p);

/* Tries a code with compare-and-swap: of racing tries each is counted, and the right code works
 * once. `*tries_left` after this try. */
esign_code_verdict_e esign_code_try(const esign_code_session_t *session,
                                    const esign_keyring_t *keyring,
                                    const esign_code_policy_t *policy, const char *typed,
                                    apr_time_t now, int *tries_left, apr_pool_t *p);

#endif
