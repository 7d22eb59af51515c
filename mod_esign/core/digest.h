/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: random bytes, SHA-256 and HMAC-SHA256, all from OpenSSL. */
#ifndef ESIGN_CORE_DIGEST_H
#define ESIGN_CORE_DIGEST_H

#include <apr_pools.h>

#define ESIGN_DIGEST_SIZE 32

/* Fills `bytes` from OpenSSL's random generator. It never gives weak bytes: a generator that fails
 * ends the process. */
void esign_digest_random(void *bytes, apr_size_t length);

/* A random positive 63-bit row id. */
apr_int64_t esign_digest_random_id(void);

void esign_digest_sha256(const void *data, apr_size_t length,
                         unsigned char digest[ESIGN_DIGEST_SIZE]);

void esign_digest_hmac(const unsigned char key[ESIGN_DIGEST_SIZE], const void *data,
                       apr_size_t length, unsigned char mac[ESIGN_DIGEST_SIZE]);

#endif
