/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h: bytes as base64 or base64url text, and back. */
#ifndef ESIGN_CORE_BASE64_H
#define ESIGN_CORE_BASE64_H

#include <apr_pools.h>

/* All functions use libsodium, whose time depends on the length of a text alone and not on its
 * letters. Reading is strict: one sequence of bytes has exactly one text. */

/* base64url (RFC 4648 section 5) without padding. */
#define ESIGN_BASE64_URL_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Characters in the base64url text of `bytes` bytes, without the NUL. */
#define ESIGN_BASE64_URL_LENGTH(bytes) (((bytes)*4 + 2) / 3)

/* The text in `p`, wiped with it. */
char *esign_base64_url_encode(apr_pool_t *p, const void *bytes, apr_size_t length);

/* Writes the text, ESIGN_BASE64_URL_LENGTH(length) characters and a NUL, into the caller's
 * `text`. */
void esign_base64_url_write(char *text, const void *bytes, apr_size_t length);

/* The bytes in `p`, wiped with it. NULL when `text` is no base64url, is padded, or is not the
 * canonical text of its bytes. */
unsigned char *esign_base64_url_decode(apr_pool_t *p, const char *text, apr_size_t *length);

/* The same for the first `given` characters of `text`, into the caller's `bytes` of `size` bytes.
 * Returns 1, or 0 when they are refused or more than `size` bytes. */
int esign_base64_url_read(unsigned char *bytes, apr_size_t size, const char *text, apr_size_t given,
                          apr_size_t *length);

/* base64 (RFC 4648 section 4) with padding, for mail and HTTP headers. In `p`, wiped with it. */
char *esign_base64_encode(apr_pool_t *p, const void *bytes, apr_size_t length);

/* As esign_base64_url_read, of section 4's alphabet without padding: what PHC strings hold. */
int esign_base64_read_unpadded(unsigned char *bytes, apr_size_t size, const char *text,
                               apr_size_t given, apr_size_t *length);

#endif
