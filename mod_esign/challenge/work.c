/* SPDX-License-Identifier: Apache-2.0 */
/* work.c: derives a challenge's number and target, and compares numbers. */
#include "work.h"
#include "core/digest.h"
#include "core/seal.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define PROBLEM "proof of work"

/* Writes the number as decimal text. Returns 0 when the key file has no key of the challenge's id.
 */
static int derive_number(const esign_keyring_t *keyring, const char *challenge, int max,
                         char number[ESIGN_WORK_LENGTH + 1])
{
    unsigned char mac[ESIGN_DIGEST_SIZE];
    uint64_t value = 0;
    const unsigned char *key =
        esign_keyring_key(keyring, ESIGN_KEY_WORK, esign_seal_key_id(challenge));
    if (!key)
        return 0;
    esign_digest_hmac(key, challenge, strlen(challenge), mac);
    for (size_t i = 0; i < sizeof(value); i++)
        value = value << 8 | mac[i];
    /* `max` is below 2^31, so the remainder makes no number likelier by more than 2^-33. */
    apr_snprintf(number, ESIGN_WORK_LENGTH + 1, "%" APR_UINT64_T_FMT,
                 (apr_uint64_t)(value % ((uint64_t)max + 1)));
    esign_secret_wipe(mac, sizeof(mac));
    return 1;
}

esign_result_t esign_work_target(const esign_keyring_t *keyring, const char *challenge, int max,
                                 const char **target, apr_pool_t *p)
{
    char number[ESIGN_WORK_LENGTH + 1], *hex = apr_palloc(p, 2 * ESIGN_DIGEST_SIZE + 1);
    unsigned char digest[ESIGN_DIGEST_SIZE];
    if (!derive_number(keyring, challenge, max, number))
        return esign_result_make(p, APR_EINVAL, PROBLEM,
                                 "the challenge names a key that the key file does not have");
    apr_size_t length = strlen(challenge);
    char *text = esign_secret_alloc(p, length + sizeof(number));
    memcpy(text, challenge, length);
    memcpy(text + length, number, strlen(number));
    esign_digest_sha256(text, length + strlen(number), digest);
    esign_secret_wipe(number, sizeof(number));
    *target = sodium_bin2hex(hex, 2 * ESIGN_DIGEST_SIZE + 1, digest, sizeof(digest));
    return ESIGN_OK;
}

int esign_work_matches(const esign_keyring_t *keyring, const char *challenge, int max,
                       const char *typed)
{
    char number[ESIGN_WORK_LENGTH + 1];
    int right = derive_number(keyring, challenge, max, number) && strcmp(number, typed) == 0;
    esign_secret_wipe(number, sizeof(number));
    return right;
}
