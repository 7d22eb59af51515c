/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h: authenticated encryption of one value, bound to the place where it is kept. */
#ifndef ESIGN_CORE_SEAL_H
#define ESIGN_CORE_SEAL_H

#include "keyring.h"

/* AES-256-GCM with a random nonce under the active key of `purpose`:
 *     version 1 (1 byte) | key id (1) | nonce (12) | ciphertext | tag (16), as base64url text in
 * `p`. `place` names where the value is kept ("subscriber/17/email", a memcached key) and is the
 * associated data: the sealed text opens nowhere else. */
esign_result_t esign_seal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                          const char *place, const void *clear, apr_size_t length,
                          const char **sealed, apr_pool_t *p);

/* Opens such a text with whichever key id it names. `clear` is NUL-terminated, wiped with `p`.
 * Fails with APR_EINVAL on anything forged, cut, moved or made under a key that the file no longer
 * has. */
esign_result_t esign_unseal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                            const char *place, const char *sealed, char **clear, apr_size_t *length,
                            apr_pool_t *p);

/* The key id that a sealed text names, 0 when it is none. */
int esign_seal_key_id(const char *sealed);

#endif
