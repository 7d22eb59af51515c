/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: wipes memory of pools by a cleanup, and malloc's memory when it is freed. */
#include "secret.h"

#include <apr_file_io.h>

#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_LINE 1024

typedef struct {
    apr_size_t size;
    unsigned char bytes[]; /* aligned to 8 bytes, as the pool's memory is */
} secret_t;

static apr_status_t wipe_secret(void *data)
{
    secret_t *secret = data;
    sodium_memzero(secret->bytes, secret->size);
    return APR_SUCCESS;
}

void *esign_secret_alloc(apr_pool_t *p, apr_size_t size)
{
    secret_t *secret = apr_palloc(p, sizeof(*secret) + size);
    secret->size = size;
    memset(secret->bytes, 0, size);
    apr_pool_cleanup_register(p, secret, wipe_secret, apr_pool_cleanup_null);
    return secret->bytes;
}

char *esign_secret_copy(apr_pool_t *p, const void *bytes, apr_size_t length)
{
    char *copy = esign_secret_alloc(p, length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

esign_result_t esign_secret_read(const char **secret, const char *path, apr_pool_t *p)
{
    apr_file_t *file;
    char bytes[LONGEST_LINE + 1] = "", reason[120];
    apr_size_t length = 0;
    /* Without APR_BUFFERED, because the buffer would hold a copy. */
    apr_status_t status = apr_file_open(&file, path, APR_READ, 0, p);
    if (status == APR_SUCCESS) {
        status = apr_file_read_full(file, bytes, LONGEST_LINE, &length);
        apr_file_close(file);
    }
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status))
        return esign_result_make(p, status, "secret file", "%s cannot be read: %s", path,
                                 apr_strerror(status, reason, sizeof(reason)));
    length = strcspn(bytes, "\r\n");
    *secret = esign_secret_copy(p, bytes, length);
    esign_secret_wipe(bytes, sizeof(bytes));
    if (length == 0 || length == LONGEST_LINE)
        return esign_result_make(p, APR_EINVAL, "secret file",
                                 "%s has no first line of 1 to %d characters", path,
                                 LONGEST_LINE - 1);
    return ESIGN_OK;
}

void esign_secret_wipe(void *bytes, apr_size_t length)
{
    sodium_memzero(bytes, length);
}

void esign_secret_free(void *block)
{
    if (block)
        sodium_memzero(block, malloc_usable_size(block));
    free(block);
}

void *esign_secret_realloc(void *block, size_t size)
{
    size_t old = block == NULL ? 0 : malloc_usable_size(block);
    void *moved = malloc(size);
    if (!moved)
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
