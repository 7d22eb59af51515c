/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h: sealed columns: TABLE/ID/COLUMN is where a value belongs. */
#ifndef ESIGN_STORE_SEALED_H
#define ESIGN_STORE_SEALED_H

#include "core/keyring.h"

esign_result_t esign_sealed_make(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *clear, const char **sealed,
                                 apr_pool_t *p);

/* Fails with APR_EINVAL and a detail that names the place. */
esign_result_t esign_sealed_open(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *sealed, const char **clear,
                                 apr_pool_t *p);

/* The same for the hash of a word, a PHC string `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`: HASH is
 * sealed under ESIGN_KEY_PEPPER, so that a database without the key file lets nobody guess words;
 * what stands before it stays readable, and is bound as the place is: no parameter can be lowered.
 */
esign_result_t esign_sealed_make_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *phc,
                                      const char **sealed, apr_pool_t *p);
esign_result_t esign_sealed_open_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *sealed,
                                      const char **phc, apr_pool_t *p);

/* Opens a column's value and seals it under the active key. NULL and "" hold nothing and stay. */
esign_result_t esign_sealed_renew(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                  const char *column, const char *old, const char **new,
                                  apr_pool_t *p);

/* The id of the key that a value of either kind is sealed under; 0: it is none. */
int esign_sealed_key(const char *sealed);

#endif
