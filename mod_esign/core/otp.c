/* SPDX-License-Identifier: Apache-2.0 */
/* otp.c: derives one-time codes and compares them. */
#include "otp.h"

#include "digest.h"
#include "digits.h"
#include "secret.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SESSION_MAX 200

int esign_otp_code(const esign_keyring_t *keyring, int key, const char *session,
                   const unsigned char seed[ESIGN_OTP_SEED_SIZE], int digits,
                   char code[ESIGN_OTP_MAX_DIGITS + 1])
{
    const unsigned char *secret = esign_keyring_key(keyring, ESIGN_KEY_OTP, key);
    unsigned char input[SESSION_MAX + ESIGN_OTP_SEED_SIZE + 1], mac[ESIGN_DIGEST_SIZE];
    size_t length = strnlen(session, SESSION_MAX);
    uint64_t space = 1, number;
    code[0] = '\0';
    if (!secret)
        return 0;
    for (int i = 0; i < digits; i++)
        space *= 10;
    memcpy(input, session, length);
    memcpy(input + length, seed, ESIGN_OTP_SEED_SIZE);
    input[length + ESIGN_OTP_SEED_SIZE] = 0;
    /* Numbers above the last whole multiple of `space` would favour low codes, so the next counter
     * is tried. */
    do {
        esign_digest_hmac(secret, input, length + ESIGN_OTP_SEED_SIZE + 1, mac);
        memcpy(&number, mac, sizeof(number));
        input[length + ESIGN_OTP_SEED_SIZE]++;
    } while (number >= UINT64_MAX - UINT64_MAX % space);
    snprintf(code, ESIGN_OTP_MAX_DIGITS + 1, "%0*llu", digits,
             (unsigned long long)(number % space));
    esign_secret_wipe(mac, sizeof(mac));
    esign_secret_wipe(&number, sizeof(number));
    return 1;
}

/* Copies the digits of a typed text, without separators, and returns their number; -1 when the text
 * has other characters or too many digits. */
static int strip_separators(const char *typed, char digits[ESIGN_OTP_MAX_DIGITS + 1])
{
    int count = 0;
    while (*typed) {
        apr_size_t skip = esign_digits_separator(typed);
        if (skip == 0) {
            if (*typed < '0' || *typed > '9' || count == ESIGN_OTP_MAX_DIGITS)
                return -1;
            digits[count++] = *typed;
            skip = 1;
        }
        typed += skip;
    }
    digits[count] = '\0';
    return count;
}

int esign_otp_matches(const char *code, const char *typed)
{
    char digits[ESIGN_OTP_MAX_DIGITS + 1] = "";
    int count = strip_separators(typed, digits);
    int right = count >= 0 && (size_t)count == strlen(code) &&
                esign_secret_equal(code, digits, (apr_size_t)count);
    esign_secret_wipe(digits, sizeof(digits));
    return right;
}

int esign_otp_well_formed(const char *typed, int digits)
{
    char stripped[ESIGN_OTP_MAX_DIGITS + 1];
    int count = strip_separators(typed, stripped);
    esign_secret_wipe(stripped, sizeof(stripped));
    return count == digits;
}
