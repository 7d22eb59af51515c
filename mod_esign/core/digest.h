/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: random bytes, SHA-256, HMAC-SHA256 and base64url, each from OpenSSL's EVP. */
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

/* base64url without padding (RFC 4648 section 5), wiped with `p`. */
char *esign_digest_encode(apr_pool_t *p, const void *bytes, apr_size_t length);

/* The bytes of a base64url text, wiped with `p`; NULL when the text is not the one canonical
 * encoding of some bytes. */
unsigned char *esign_digest_decode(apr_pool_t *p, const char *text, apr_size_t *length);

#endif
