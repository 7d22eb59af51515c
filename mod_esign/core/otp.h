/* SPDX-License-Identifier: Apache-2.0 */
/* otp.h: the one-time code that goes out by SMS. */
#ifndef ESIGN_CORE_OTP_H
#define ESIGN_CORE_OTP_H

#include "keyring.h"

#define ESIGN_OTP_MAX_DIGITS 10
#define ESIGN_OTP_SEED_SIZE 16

/* The code of `digits` decimal digits for one session and seed: HMAC under the OTP key of id `key`,
 * reduced without bias. Asking again with the same seed gives the same code, so a resend needs no
 * stored code. `session` is the session's store key. 0: the key file has no key of that id. */
int esign_otp_code(const esign_keyring_t *keyring, int key, const char *session,
                   const unsigned char seed[ESIGN_OTP_SEED_SIZE], int digits,
                   char code[ESIGN_OTP_MAX_DIGITS + 1]);

/* Whether `typed` (separators of digits.h ignored) is the code; constant time. */
int esign_otp_matches(const char *code, const char *typed);

/* Whether `typed` has the form of a code of `digits` digits once separators are gone. */
int esign_otp_well_formed(const char *typed, int digits);

#endif
