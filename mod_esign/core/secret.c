/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: wipes pool memory by a clean-up of the pool and other memory when it is freed, and compares without telling where two texts part. */
#include "core/secret.h"

#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
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

void esign_secret_free(void *block)
{
    if (block != NULL)
        sodium_memzero(block, malloc_usable_size(block));
    free(block);
}

void *esign_secret_realloc(void *block, size_t size)
{
    size_t old = block == NULL ? 0 : malloc_usable_size(block);
    void *moved = malloc(size);
    if (moved == NULL)
        return NULL;
    if (old > 0)
        memcpy(moved, block, old < size ? old : size);
    esign_secret_free(block);
    return moved;
}

int esign_secret_equal(const void *a, const void *b, apr_size_t length)
{
    return sodium_memcmp(a, b, length) == 0;
}
