/* SPDX-License-Identifier: Apache-2.0 */
/* work.h: the proof of work that may stand in for a picture's answer, after ALTCHA's scheme: the
 * browser looks for the number, from 0 to a highest one, for which SHA-256(salt + number) is the
 * target. The salt is the challenge, and the number follows from it and a key, so nothing is
 * stored. */
#ifndef ESIGN_CHALLENGE_WORK_H
#define ESIGN_CHALLENGE_WORK_H

#include "core/keyring.h"

#define ESIGN_WORK_LENGTH 10 /* digits of a number */

/* The target of a challenge in lower-case hex, in `p`. */
esign_result_t esign_work_target(const esign_keyring_t *keyring, const char *challenge, int max,
                                 const char **target, apr_pool_t *p);

/* Whether `typed` is the number of a challenge that esign_captcha_read found open, in decimal
 * digits. */
int esign_work_matches(const esign_keyring_t *keyring, const char *challenge, int max,
                       const char *typed);

#endif
