/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: wipes pool memory by a clean-up of the pool, and compares without telling where two texts part. */
#include "core/secret.h"

#include <sodium.h>
#include <string.h>

typedef struct {
    apr_size_t size;
    unsigned char bytes[];   /* aligned as the pool aligns */
} secret_t;

static apr_status_t wipe(void *data)
{
    secret_t *secret = data;
    sodium_memzero(secret->bytes, secret->size);
    return APR_SUCCESS;
}

void *esign_secret_alloc(apr_pool_t *p, apr_size_t size)
{
    secret_t *secret = apr_palloc(p, sizeof *secret + size);
    secret->size = size;
    memset(secret->bytes, 0, size);
    apr_pool_cleanup_register(p, secret, wipe, apr_pool_cleanup_null);
    return secret->bytes;
}

char *esign_secret_copy(apr_pool_t *p, const void *bytes, apr_size_t length)
{
    char *copy = esign_secret_alloc(p, length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

void esign_secret_wipe(void *bytes, apr_size_t length)
{
    sodium_memzero(bytes, length);
}

int esign_secret_equal(const void *a, const void *b, apr_size_t length)
{
    return sodium_memcmp(a, b, length) == 0;
}
