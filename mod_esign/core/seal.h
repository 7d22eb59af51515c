/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h: authenticated encryption of one value, bound to the place where it is stored. */
#ifndef ESIGN_CORE_SEAL_H
#define ESIGN_CORE_SEAL_H

#include "keyring.h"

/* Seals `length` bytes by AES-256-GCM (NIST SP 800-38D) with a random nonce, under the active key
 * of `purpose`. `*sealed` is base64url text in `p` of these bytes: the version, 1 (1 byte), the key
 * id (1), the nonce (12), the ciphertext, the tag (16).
 *
 * `place` names where the value is stored, such as "subscriber/17/email" or a memcached key. It is
 * the associated data, so the sealed text opens at this place only. */
esign_result_t esign_seal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                          const char *place, const void *clear, apr_size_t length,
                          const char **sealed, apr_pool_t *p);

/* Opens a sealed text with the key whose id it names. `*clear` has `length` bytes and a NUL, in
 * `p`, wiped with it. APR_EINVAL: the text is forged, truncated, of another place or purpose, or
 * its key is no longer in the file. */
esign_result_t esign_unseal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                            const char *place, const char *sealed, char **clear, apr_size_t *length,
                            apr_pool_t *p);

/* The key id that a sealed text names; 0 when the text is not a sealed value. */
int esign_seal_key_id(const char *sealed);

#endif
