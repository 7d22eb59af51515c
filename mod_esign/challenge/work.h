/* SPDX-License-Identifier: Apache-2.0 */
/* work.h: the proof of work that can replace a picture's answer, after ALTCHA's scheme. The browser
 * looks for the number from 0 to `max` for which SHA-256(challenge + number) is the target. The
 * number is an HMAC of the challenge under a key of ours, so the server stores nothing. */
#ifndef ESIGN_CHALLENGE_WORK_H
#define ESIGN_CHALLENGE_WORK_H

#include "core/keyring.h"

#define ESIGN_WORK_LENGTH 10 /* most digits of a number */

/* Computes the target of a challenge, as lower-case hexadecimal text in `p`. Fails when the key
 * file has no key of the challenge's id. */
esign_result_t esign_work_target(const esign_keyring_t *keyring, const char *challenge, int max,
                                 const char **target, apr_pool_t *p);

/* Returns 1 when `typed` is the challenge's number in decimal digits. The caller has seen by
 * esign_captcha_read that the challenge is open. */
int esign_work_matches(const esign_keyring_t *keyring, const char *challenge, int max,
                       const char *typed);

#endif
