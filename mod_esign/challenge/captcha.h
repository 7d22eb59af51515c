/* SPDX-License-Identifier: Apache-2.0 */
/* captcha.h: the picture with characters to read, and its spoken form. The challenge carries its
 * own answer, sealed, so nothing is stored until it is used. */
#ifndef ESIGN_CHALLENGE_CAPTCHA_H
#define ESIGN_CHALLENGE_CAPTCHA_H

#include "core/keyring.h"

/* Without those that pass for one another when distorted: 0 O Q, 1 I L J, 2 Z, 5 S, 8 B, 6 G, U V,
 * A 4, E F, P R, T 7, K X Y; and without M and W, which are too wide. */
#define ESIGN_CAPTCHA_ALPHABET "ACDEHKNRT39"
#define ESIGN_CAPTCHA_LENGTH 5
#define ESIGN_CAPTCHA_WIDTH 200
#define ESIGN_CAPTCHA_HEIGHT 60
#define ESIGN_CAPTCHA_RATE 11025 /* samples a second of the spoken form */

typedef enum {
    ESIGN_CAPTCHA_OPEN, /* real and alive */
    ESIGN_CAPTCHA_EXPIRED,
    ESIGN_CAPTCHA_FORGED
} esign_captcha_state_e;

/* A new challenge: base64url text (fit for a file name in a URL) that seals a random answer and its
 * expiry. In `p`. */
esign_result_t esign_captcha_issue(const esign_keyring_t *keyring, apr_time_t now,
                                   apr_interval_time_t life, const char **challenge, apr_pool_t *p);

/* What a challenge holds. `answer` and `expires` are set when it is open or expired. */
esign_captcha_state_e esign_captcha_read(const esign_keyring_t *keyring, const char *challenge,
                                         apr_time_t now, char answer[ESIGN_CAPTCHA_LENGTH + 1],
                                         apr_time_t *expires, apr_pool_t *p);

/* Whether `typed` is the answer: spaces are ignored; case too, for i, ı, I, İ as one letter. */
int esign_captcha_matches(const char *answer, const char *typed);

/* A challenge's own chance: the same each time, and known to nobody without our key. Whoever could
 * compute it would take all answers, a few hundred thousand, and see at the noise which one was
 * drawn. In `p`, wiped with it; NULL: the challenge names a key that is not there. */
const char *esign_captcha_chance(const esign_keyring_t *keyring, const char *challenge,
                                 apr_pool_t *p);

/* A PNG (ESIGN_CAPTCHA_WIDTH by _HEIGHT, grey, some 2 KB) of the answer. Distortion and noise
 * follow from `chance`, so the same challenge always gives the same picture. In `p`. Fails when a
 * character is not of the alphabet. */
esign_result_t esign_captcha_draw(const char *answer, const char *chance, const char **png,
                                  apr_size_t *length, apr_pool_t *p);

/* A WAV file (16 bits, one channel, at most some 200 KiB) of the answer, spelled in `language` (of
 * the catalogues'). Pauses, loudness and noise follow from `chance`, so the same challenge always
 * sounds the same. Wiped with `p`. */
esign_result_t esign_captcha_speak(const char *answer, const char *chance, const char *language,
                                   const char **wav, apr_size_t *length, apr_pool_t *p);

#endif
