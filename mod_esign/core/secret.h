/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: memory that is wiped before it is freed. */
#ifndef ESIGN_CORE_SECRET_H
#define ESIGN_CORE_SECRET_H

#include "result.h"

/* Allocates `size` zeroed bytes of `p`, which are overwritten when `p` is cleared or destroyed. */
void *esign_secret_alloc(apr_pool_t *p, apr_size_t size);

/* Copies `length` bytes and adds a NUL. The copy is overwritten as above. */
char *esign_secret_copy(apr_pool_t *p, const void *bytes, apr_size_t length);

/* Reads the first line of a file, 1 to 1023 characters. It is overwritten as above. Fails when the
 * file cannot be read or has no such line; the error names the file. */
esign_result_t esign_secret_read(const char **secret, const char *path, apr_pool_t *p);

/* Overwrites `length` bytes with zeros. Compilers cannot remove the call. */
void esign_secret_wipe(void *bytes, apr_size_t length);

/* Like malloc's free and realloc, but freed memory is overwritten first. For libraries that accept
 * such functions. */
void esign_secret_free(void *block);
void *esign_secret_realloc(void *block, size_t size);

/* Compares `length` bytes in constant time. Returns 1 when they are equal. */
int esign_secret_equal(const void *a, const void *b, apr_size_t length);

#endif
