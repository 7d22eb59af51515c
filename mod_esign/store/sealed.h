/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h: seals and opens values of columns. A value opens only in the place where it was sealed:
 * table, row id and column are its associated data. */
#ifndef ESIGN_STORE_SEALED_H
#define ESIGN_STORE_SEALED_H

#include "core/keyring.h"

/* Seals a text under the active key of ESIGN_KEY_DATABASE. `*sealed` is printable (core/seal.h), in
 * `p`. */
esign_result_t esign_sealed_make(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *clear, const char **sealed,
                                 apr_pool_t *p);

/* Opens a sealed text; `sealed` may be NULL, which fails. `*clear` is wiped with `p`. APR_EINVAL:
 * it was changed, was sealed elsewhere, or its key is not in the key file; the detail names
 * TABLE/ID/COLUMN. */
esign_result_t esign_sealed_open(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *sealed, const char **clear,
                                 apr_pool_t *p);

/* The same for the hash of a security word, a PHC string `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
 * Only HASH is sealed, under ESIGN_KEY_PEPPER: without the key file nobody can test a guess against
 * a stolen database. Everything before HASH stays readable and is part of the associated data, so
 * that no parameter can be lowered. */
esign_result_t esign_sealed_make_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *phc,
                                      const char **sealed, apr_pool_t *p);
esign_result_t esign_sealed_open_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *sealed,
                                      const char **phc, apr_pool_t *p);

/* Opens a value and seals it under the active key. NULL and "" are no sealed values and are
 * returned unchanged. */
esign_result_t esign_sealed_renew(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                  const char *column, const char *old, const char **new,
                                  apr_pool_t *p);

/* The id of the key that a sealed text or a sealed hash is under; 0: it is no sealed value. */
int esign_sealed_key(const char *sealed);

#endif
