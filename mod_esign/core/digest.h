/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: random bytes, SHA-256 and HMAC-SHA256, all by OpenSSL. */
#ifndef ESIGN_CORE_DIGEST_H
#define ESIGN_CORE_DIGEST_H

#include <apr_pools.h>

#define ESIGN_DIGEST_SIZE 32

/* Fills `bytes` with `length` bytes of OpenSSL's random generator. If the generator fails, the
 * process aborts rather than go on with weak bytes. */
void esign_digest_random(void *bytes, apr_size_t length);

/* A random row id, from 1 to 2^63 - 1. */
apr_int64_t esign_digest_random_id(void);

/* SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104). Like the random generator, they abort the
 * process when OpenSSL fails. */
void esign_digest_sha256(const void *data, apr_size_t length,
                         unsigned char digest[ESIGN_DIGEST_SIZE]);

void esign_digest_hmac(const unsigned char key[ESIGN_DIGEST_SIZE], const void *data,
                       apr_size_t length, unsigned char mac[ESIGN_DIGEST_SIZE]);

#endif
