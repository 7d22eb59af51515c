/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.h: the master keys of the key file, and the keys derived from them, one a purpose. */
#ifndef ESIGN_CORE_KEYRING_H
#define ESIGN_CORE_KEYRING_H

#include "key_file.h"

typedef enum {
    ESIGN_KEY_LOOKUP,    /* keyed hash of the national id */
    ESIGN_KEY_PEPPER,    /* sealed hashes of security words */
    ESIGN_KEY_DATABASE,  /* sealed columns */
    ESIGN_KEY_MEMCACHED, /* sealed values */
    ESIGN_KEY_CHALLENGE, /* the picture's answer inside its challenge */
    ESIGN_KEY_OTP,       /* one-time codes */
    ESIGN_KEY_COOKIE,    /* sealed cookies */
    ESIGN_KEY_AUDIT,     /* the chain over audit rows */
    ESIGN_KEY_WORK,      /* the number that a challenge's proof of work looks for */
    ESIGN_KEY_CAPTCHA_SEED,    /* a picture's distortion and noise, and its sound's */
    ESIGN_KEY_MARK,   /* keyed hashes that stand for a subscriber, in forms and the device cookie */
    ESIGN_KEY_REPORT, /* references of SMS delivery reports */
    ESIGN_KEY_MESSAGE_ID, /* left sides of Message-IDs */
    ESIGN_KEY_PURPOSES
} esign_key_purpose_e;

/* Lives in guarded memory (libsodium) that core files and swap leave out; wiped with its pool.
 * Read-only after load, so threads share it. */
typedef struct esign_keyring_t esign_keyring_t;

/* Loads the key file, as key_file.h reads and refuses it. */
esign_result_t esign_keyring_load(esign_keyring_t **keyring, const char *path, apr_pool_t *p);

/* Keeps the keys out of swap in a process that got them by fork, which unlocks memory. 0, or why
 * not: there is a limit, RLIMIT_MEMLOCK. */
apr_status_t esign_keyring_lock(const esign_keyring_t *keyring);

/* The id that new seals use. */
int esign_keyring_active(const esign_keyring_t *keyring);

/* The id that `key rotate` makes active; 0: none. */
int esign_keyring_next(const esign_keyring_t *keyring);

/* All ids, active one first; returns how many. */
int esign_keyring_ids(const esign_keyring_t *keyring, const int **ids);

/* The derived key of ESIGN_KEY_SIZE bytes (HKDF-SHA256, RFC 5869); NULL when the file has no key of
 * that id. */
const unsigned char *esign_keyring_key(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                                       int id);

#endif
