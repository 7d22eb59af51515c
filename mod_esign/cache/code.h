/* SPDX-License-Identifier: Apache-2.0 */
/* code.h: the one-time code of a session. It is valid for minutes and for a few tries, and its
 * state is part of the session's record. */
#ifndef ESIGN_CACHE_CODE_H
#define ESIGN_CACHE_CODE_H

#include "core/otp.h"
#include "session.h"

/* The figures are the defaults. */
typedef struct {
    int digits;               /* 6 to 10 */
    apr_interval_time_t life; /* 3 min */
    int tries;                /* 3 */
    int key;                  /* the id of the active key */
} esign_code_policy_t;

typedef struct {
    unsigned char seed[ESIGN_OTP_SEED_SIZE]; /* with `key` it gives the code: esign_otp_code */
    int key;         /* the key that was active when the code was made; it stays the code's */
    int tries_left;  /* 0: used up */
    apr_time_t sent; /* when the last SMS with this code was queued */
    apr_time_t expires;
} esign_code_t;

typedef enum {
    ESIGN_CODE_RIGHT, /* the session is exchanged: the code works once, and the caller makes
                         another session */
    ESIGN_CODE_WRONG,
    ESIGN_CODE_EXHAUSTED, /* wrong, and no try is left; or none was left before */
    ESIGN_CODE_GONE,      /* it has expired or was never sent, or the session is gone */
    ESIGN_CODE_ERROR      /* memcached failed */
} esign_code_verdict_e;

/* The session that a code belongs to. The functions below load `record` anew when another request
 * has changed it. */
typedef struct {
    esign_cache_t *cache;
    const char *key; /* of esign_session_store_key; `record` was loaded by it */
    esign_session_record_t *record;
    esign_session_limits_t limits;
} esign_code_session_t;

/* Reads the code of a record. 1: there is one, which may have expired or be used up. 0: none was
 * sent. A code stays as long as its session, so that these cases can be told apart. */
int esign_code_read(const esign_session_record_t *record, esign_code_t *code, apr_pool_t *p);

/* Whether a code has not expired and has a try left. */
int esign_code_is_valid(const esign_code_t *code, apr_time_t now);

/* The code that an SMS is to carry: the session's valid one, with its time and tries unchanged
 * (`*resent` 1), or a new one. Stores when it is sent. MISS: the session is gone. */
esign_cache_answer_e esign_code_issue(const esign_code_session_t *session,
                                      const esign_code_policy_t *policy, apr_time_t now,
                                      esign_code_t *code, int *resent, apr_pool_t *p);

/* Compares a typed code, and counts the try by compare-and-swap: of tries at once each counts, and
 * the right code works once. `*tries_left` after this try. */
esign_code_verdict_e esign_code_try(const esign_code_session_t *session,
                                    const esign_keyring_t *keyring,
                                    const esign_code_policy_t *policy, const char *typed,
                                    apr_time_t now, int *tries_left, apr_pool_t *p);

#endif
