/* SPDX-License-Identifier: Apache-2.0 */
/* captcha.h: the picture of characters to read, and its spoken form. The challenge holds its own
 * answer, sealed, so the server stores nothing until the challenge is used. */
#ifndef ESIGN_CHALLENGE_CAPTCHA_H
#define ESIGN_CHALLENGE_CAPTCHA_H

#include "core/keyring.h"

/* At most one character of each group that look alike when distorted: 0 O Q, 1 I L J, 2 Z, 5 S,
 * 8 B, 6 G, U V, A 4, E F, P R, T 7, K X Y. M and W are too wide. */
#define ESIGN_CAPTCHA_ALPHABET "ACDEHKNRT39"
#define ESIGN_CAPTCHA_LENGTH 5
#define ESIGN_CAPTCHA_WIDTH 200
#define ESIGN_CAPTCHA_HEIGHT 60
#define ESIGN_CAPTCHA_RATE 11025 /* samples a second of the spoken form */

typedef enum {
    ESIGN_CAPTCHA_OPEN,    /* made by this portal and not expired */
    ESIGN_CAPTCHA_EXPIRED, /* made by this portal */
    ESIGN_CAPTCHA_FORGED   /* not made by this portal, or under a key that the file no longer has */
} esign_captcha_state_e;

/* Makes a challenge in `p`, which seals a random answer and its expiry at `now` + `life`. It is
 * base64url text, so it can be a part of a URL. */
esign_result_t esign_captcha_issue(const esign_keyring_t *keyring, apr_time_t now,
                                   apr_interval_time_t life, const char **challenge, apr_pool_t *p);

/* Opens a challenge. Sets `answer` and `expires` when it is open or expired. `p` is for scratch. */
esign_captcha_state_e esign_captcha_read(const esign_keyring_t *keyring, const char *challenge,
                                         apr_time_t now, char answer[ESIGN_CAPTCHA_LENGTH + 1],
                                         apr_time_t *expires, apr_pool_t *p);

/* Returns 1 when `typed` is the answer. Spaces and tabs do not count, nor does case; i, ı, I and İ
 * are one letter. */
int esign_captcha_matches(const char *answer, const char *typed);

/* The seed of a challenge's distortion and noise: always the same text for a challenge, and an HMAC
 * under a key of ours. With the seed an attacker could draw each of the 161,051 answers and compare
 * the noise. In `p`, wiped with it. NULL when the key file has no key of the challenge's id. */
const char *esign_captcha_seed(const esign_keyring_t *keyring, const char *challenge,
                               apr_pool_t *p);

/* Draws the answer as a PNG in `p`: ESIGN_CAPTCHA_WIDTH by ESIGN_CAPTCHA_HEIGHT pixels, grey, about
 * 2 KB. Distortion and noise follow from `seed`, so a challenge always gives the same picture.
 * Fails when a character is not of the alphabet. */
esign_result_t esign_captcha_draw(const char *answer, const char *seed, const char **png,
                                  apr_size_t *length, apr_pool_t *p);

/* Spells the answer in a language of the catalogues, as a WAV file: 16 bits, one channel, at most
 * about 200 KiB. In `p`, wiped with it. Pauses, loudness and noise follow from `seed`, so a
 * challenge always gives the same sound. Fails when a character is not of the alphabet. */
esign_result_t esign_captcha_speak(const char *answer, const char *seed, const char *language,
                                   const char **wav, apr_size_t *length, apr_pool_t *p);

#endif
