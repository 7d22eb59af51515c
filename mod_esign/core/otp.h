/* SPDX-License-Identifier: Apache-2.0 */
/* otp.h: the one-time code that is sent by SMS. */
#ifndef ESIGN_CORE_OTP_H
#define ESIGN_CORE_OTP_H

#include "keyring.h"

#define ESIGN_OTP_MAX_DIGITS 10
#define ESIGN_OTP_SEED_SIZE 16

/* Derives the code of a session and a seed, `digits` decimal digits: an HMAC under the OTP key of
 * id `key`, reduced without bias. The same seed gives the same code, so sending a code again needs
 * no stored code. `session` is the session's key in memcached, of which the first 200 bytes count.
 * Returns 0, with `code` empty, when the key file has no key of this id. */
int esign_otp_code(const esign_keyring_t *keyring, int key, const char *session,
                   const unsigned char seed[ESIGN_OTP_SEED_SIZE], int digits,
                   char code[ESIGN_OTP_MAX_DIGITS + 1]);

/* Returns 1 when `typed`, without the separators of digits.h, is the code. The comparison takes
 * constant time. */
int esign_otp_matches(const char *code, const char *typed);

/* Returns 1 when `typed`, without separators, has exactly `digits` digits. */
int esign_otp_well_formed(const char *typed, int digits);

#endif
