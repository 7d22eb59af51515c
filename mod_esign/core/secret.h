/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: memory that is wiped before it is given back. */
#ifndef ESIGN_CORE_SECRET_H
#define ESIGN_CORE_SECRET_H

#include "result.h"

/* `size` zeroed bytes, owned by `p`, overwritten when `p` is cleared or destroyed. */
void *esign_secret_alloc(apr_pool_t *p, apr_size_t size);

/* A NUL-terminated copy of `length` bytes with the same life. */
char *esign_secret_copy(apr_pool_t *p, const void *bytes, apr_size_t length);

/* The first line of a file, with the same life. Fails, naming the file, when it cannot be read, or
 * its first line is empty. */
esign_result_t esign_secret_read(const char **secret, const char *path, apr_pool_t *p);

/* Overwrites now; the compiler cannot leave it out. */
void esign_secret_wipe(void *bytes, apr_size_t length);

/* For libraries that let others keep their memory: as malloc's own, but what is given back is
 * overwritten first. */
void esign_secret_free(void *block);
void *esign_secret_realloc(void *block, size_t size);

/* Constant-time comparison of `length` bytes: 1 when equal. */
int esign_secret_equal(const void *a, const void *b, apr_size_t length);

#endif
