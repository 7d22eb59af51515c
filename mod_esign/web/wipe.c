/* SPDX-License-Identifier: Apache-2.0 */
/* wipe.c: overwrites, or has overwritten, what others would keep of a request. */
#include "wipe.h"

#include "client.h"
#include "request.h"

#include "core/secret.h"

#include <http_config.h>
#include <http_connection.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <util_filter.h>

#include <apr_allocator.h>

#include <malloc.h>

extern module AP_MODULE_DECLARE_DATA esign_module;

void esign_wipe_bucket(const apr_bucket *bucket, const char *bytes, apr_size_t length)
{
    /* Others may lie in memory that is not to be written, or is somebody else's. */
    if (APR_BUCKET_IS_TRANSIENT(bucket) || APR_BUCKET_IS_HEAP(bucket) || APR_BUCKET_IS_POOL(bucket))
        esign_secret_wipe((char *)bytes, length);
}

void esign_wipe_send(request_rec *r, const char *bytes, apr_size_t length, int secret)
{
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, list);
    /* mod_ssl collects short buckets in a buffer of the connection, but not across this. */
    if (secret)
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(list));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(bytes, length, r->pool, list));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(list));
    ap_pass_brigade(r->output_filters, brigade);
}

/* APR keeps pieces of memory in lists by size up to 80 KiB, the latest first, and asks the system when the lists have nothing as large. A connection with secrets keeps the last
 * piece, which is the first of them to be given back and of the greatest size, and so much besides. */
#define LAST (80 * 1024)
#define KEPT (LAST + 96 * 1024)
/* What comes from the system is zero. Of what was used, and was never overwritten here before, one piece may be so too, two in a row are not. */
#define FRESH 2
#define FILTER "ESIGN_WIPE"

/* Of a connection that has brought a secret. */
typedef struct {
    apr_allocator_t *allocator;
    const apr_memnode_t *last;
} secrets_t;

/* Whether a request brings what opens something: a word, a code, a link, a session. */
static int is_secret(const request_rec *r)
{
    const char *cookies = apr_table_get(r->headers_in, "Cookie");
    const esign_request_t *q = esign_request_of((request_rec *)r);
    return r->method_number == M_POST || q->argument || (cookies && (strstr(cookies, ESIGN_COOKIE_SESSION "=") || strstr(cookies, ESIGN_COOKIE_RESET "=")));
}

static const char mark[] = "overwritten";

static char *bytes_of(apr_memnode_t *piece)
{
    return (char *)piece + APR_MEMNODE_T_SIZE;
}

static int is_zero(const char *bytes, apr_size_t length)
{
    return *bytes == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Nobody has used the last piece whose first page is as it was. */
static int is_untouched(apr_memnode_t *piece)
{
    const char *bytes = bytes_of(piece);
    return memcmp(bytes, mark, sizeof(mark)) == 0 && is_zero(bytes + sizeof(mark), 4096 - APR_MEMNODE_T_SIZE - sizeof(mark));
}

/* Whether it held nothing. */
static int wipe_piece(apr_memnode_t *piece)
{
    char *bytes = bytes_of(piece);
    apr_size_t length = (apr_size_t)(piece->endp - bytes);
    int fresh = is_zero(bytes, length);
    if (!fresh)
        esign_secret_wipe(bytes, length);
    memcpy(bytes, mark, sizeof(mark));
    return fresh;
}

/* Takes all that the allocator keeps, overwrites it, and gives it back, the last piece first. It is all when the last piece comes untouched, or when the system is asked. To give
 * everything to the system instead costs a tenth of a millisecond a request: APR maps each 8 KiB apart. */
static void wipe_kept(secrets_t *secrets)
{
    apr_memnode_t *all = NULL, *piece;
    int fresh = 0, found = 0;
    while (!found && fresh < FRESH && (piece = apr_allocator_alloc(secrets->allocator, 1)) != NULL) {
        found = piece == secrets->last && is_untouched(piece);
        if (!found)
            fresh = wipe_piece(piece) ? fresh + 1 : 0;
        piece->next = all;
        all = piece;
    }
    if (!found && (piece = apr_allocator_alloc(secrets->allocator, LAST - APR_MEMNODE_T_SIZE)) != NULL) {
        wipe_piece(piece);
        secrets->last = piece;
        piece->next = all;
        all = piece;
    }
    if (all)
        apr_allocator_free(secrets->allocator, all);
}

static apr_status_t read_nothing(apr_bucket *bucket, const char **bytes, apr_size_t *length, apr_read_type_e block)
{
    (void)bucket, (void)block;
    *bytes = NULL;
    *length = 0;
    return APR_SUCCESS;
}

static void destroy_bucket(void *secrets)
{
    wipe_kept(secrets);
}

static const apr_bucket_type_t bucket_type = { FILTER, 5, APR_BUCKET_METADATA, destroy_bucket, read_nothing, apr_bucket_setaside_noop, apr_bucket_split_notimpl,
                                               apr_bucket_copy_notimpl };

/* Buckets go in their order: when this one does, at once or when a slow client has taken all, the one that ends the request has given its memory back. */
static apr_bucket *make_bucket(secrets_t *secrets, apr_bucket_alloc_t *list)
{
    apr_bucket *bucket = apr_bucket_alloc(sizeof(*bucket), list);
    APR_BUCKET_INIT(bucket);
    bucket->free = apr_bucket_free;
    bucket->list = list;
    bucket->type = &bucket_type;
    bucket->length = 0;
    bucket->start = 0;
    bucket->data = secrets;
    return bucket;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    int ends = 0;
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade) && !ends; bucket = APR_BUCKET_NEXT(bucket))
        ends = AP_BUCKET_IS_EOR(bucket);
    if (ends)
        APR_BRIGADE_INSERT_TAIL(brigade, make_bucket(f->ctx, brigade->bucket_alloc));
    return ap_pass_brigade(f->next, brigade);
}

static apr_status_t end_connection(void *allocator)
{
    apr_allocator_max_free_set(allocator, 1);
    return APR_SUCCESS;
}

void esign_wipe_after(request_rec *r)
{
    conn_rec *c = r->connection;
    apr_allocator_t *allocator = apr_pool_allocator_get(c->pool);
    if (!is_secret(r) || ap_get_module_config(c->conn_config, &esign_module))
        return;
    secrets_t *secrets = apr_pcalloc(c->pool, sizeof(*secrets));
    secrets->allocator = allocator;
    ap_set_module_config(c->conn_config, &esign_module, secrets);
    /* mod_http2's connections carry one request each. */
    apr_allocator_max_free_set(allocator, c->master ? 1 : KEPT);
    if (c->master)
        return;
    ap_add_output_filter(FILTER, secrets, NULL, c);
    /* Before the pools of requests go, which are below this one. */
    apr_pool_pre_cleanup_register(c->pool, allocator, end_connection);
}

/* The allocator may have served such a connection before. */
static int keep_memory(conn_rec *c, void *socket)
{
    (void)socket;
    if (esign_runtime_any())
        apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), ap_max_mem_free);
    return OK;
}

/* What OpenSSL, libcurl and others give back is overwritten by malloc, but for pieces of up to 1032 bytes, which glibc keeps at hand for the thread. */
static void child_init(apr_pool_t *p, server_rec *first)
{
    (void)p, (void)first;
    if (esign_runtime_any())
        mallopt(M_PERTURB, 0x5a);
}

void esign_wipe_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_register_output_filter(FILTER, filter, NULL, AP_FTYPE_CONNECTION);
    ap_hook_pre_connection(keep_memory, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
