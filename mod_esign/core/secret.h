/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: pool memory that is wiped before the pool gives it back. */
#ifndef ESIGN_CORE_SECRET_H
#define ESIGN_CORE_SECRET_H

#include <apr_pools.h>

/* `size` zeroed bytes, owned by `p`, overwritten when `p` is cleared or destroyed. */
void *esign_secret_alloc(apr_pool_t *p, apr_size_t size);

/* A NUL-terminated copy of `length` bytes with the same life. */
char *esign_secret_copy(apr_pool_t *p, const void *bytes, apr_size_t length);

/* Overwrites now; the compiler cannot leave it out. */
void esign_secret_wipe(void *bytes, apr_size_t length);

/* Constant-time comparison of `length` bytes: 1 when equal. */
int esign_secret_equal(const void *a, const void *b, apr_size_t length);

#endif
