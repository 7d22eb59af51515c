/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.h: derives one key for each purpose from each master key of the key file. */
#ifndef ESIGN_CORE_KEYRING_H
#define ESIGN_CORE_KEYRING_H

#include "key_file.h"

typedef enum {
    ESIGN_KEY_LOOKUP,       /* keyed hashes of national ids, by which rows are found */
    ESIGN_KEY_PEPPER,       /* seals of the hashes of security words */
    ESIGN_KEY_DATABASE,     /* seals of other columns */
    ESIGN_KEY_MEMCACHED,    /* seals of values in memcached */
    ESIGN_KEY_CHALLENGE,    /* seals of pictures' answers in their challenges */
    ESIGN_KEY_OTP,          /* one-time codes */
    ESIGN_KEY_COOKIE,       /* seals of cookies */
    ESIGN_KEY_AUDIT,        /* seals (HMAC) of audit rows; the chain over them has no key */
    ESIGN_KEY_WORK,         /* numbers of proofs of work */
    ESIGN_KEY_CAPTCHA_SEED, /* seeds of distortion and noise, of pictures and their sounds */
    ESIGN_KEY_MARK,         /* keyed hashes of subscribers, in forms and the device cookie */
    ESIGN_KEY_REPORT,       /* references of SMS delivery reports */
    ESIGN_KEY_MESSAGE_ID,   /* left parts of Message-IDs */
    ESIGN_KEY_PURPOSES
} esign_key_purpose_e;

/* The keys are in libsodium's guarded memory, which is kept out of core files and swap, and wiped
 * with the pool. Read-only once loaded, so threads share it. */
typedef struct esign_keyring_t esign_keyring_t;

/* Reads the key file, with the errors of esign_key_file_read, and derives the keys. Freed with `p`.
 */
esign_result_t esign_keyring_load(esign_keyring_t **keyring, const char *path, apr_pool_t *p);

/* Keeps the keys out of swap in a child process: fork does not inherit memory locks. Fails when the
 * limit RLIMIT_MEMLOCK is too low. */
apr_status_t esign_keyring_lock(const esign_keyring_t *keyring);

/* The id of the active key, which new seals use. */
int esign_keyring_active(const esign_keyring_t *keyring);

/* The id of the key that `esignctl key rotate` makes active; 0: there is none. */
int esign_keyring_next(const esign_keyring_t *keyring);

/* Sets `*ids` to the ids of all keys, the active one first, and returns their number. */
int esign_keyring_ids(const esign_keyring_t *keyring, const int **ids);

/* The key of a purpose, ESIGN_KEY_SIZE bytes, derived from the master key `id` by HKDF-SHA256 (RFC
 * 5869). NULL when the file has no key of this id. */
const unsigned char *esign_keyring_key(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                                       int id);

#endif
