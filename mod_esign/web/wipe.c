/* SPDX-License-Identifier: Apache-2.0 */
/* wipe.c: overwrites, or has overwritten, what others would keep of a request. */
#include "wipe.h"

#include "allocator.h"
#include "client.h"
#include "request.h"

#include "core/secret.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_protocol.h>
#include <mpm_common.h>

#include <malloc.h>
#include <string.h>
#include <sys/sysinfo.h>

extern module AP_MODULE_DECLARE_DATA esign_module;

/* Whether the MPM says when a connection begins to wait, as event does. */
static int suspends;

void esign_wipe_bucket(const apr_bucket *bucket, const char *bytes, apr_size_t length)
{
    /* Others may lie in memory that is not to be written, or is somebody else's. */
    if (APR_BUCKET_IS_TRANSIENT(bucket) || APR_BUCKET_IS_HEAP(bucket) || APR_BUCKET_IS_POOL(bucket))
        esign_secret_wipe((char *)bytes, length);
}

/* Whether a request brings what opens something: a word, a code, a link; a session's cookie comes
 * with requests for whatever stands beside the portal, too. One that was refused before anybody
 * could look at it, and has no file name yet, may bring any of it. */
static int is_secret(const request_rec *r)
{
    const char *cookies = apr_table_get(r->headers_in, "Cookie");
    const esign_request_t *q = esign_request_of((request_rec *)r);
    if (ap_is_HTTP_ERROR(r->status) && !r->filename)
        return 1;
    return (q && (r->method_number == M_POST || q->argument)) ||
           (cookies &&
            (strstr(cookies, ESIGN_COOKIE_SESSION "=") || strstr(cookies, ESIGN_COOKIE_RESET "=")));
}

/* A connection whose memory is overwritten when it waits. */
typedef struct {
    esign_allocator_t kept;
    int due; /* a request with a secret has ended since it was overwritten */
} wiping_t;

static apr_status_t make_due(void *wiping)
{
    ((wiping_t *)wiping)->due = 1;
    return APR_SUCCESS;
}

/* All goes to the system: what is kept now, and what the connection itself gives back behind this.
 */
static apr_status_t end_wiping(void *wiping)
{
    esign_allocator_give_back(&((wiping_t *)wiping)->kept);
    return APR_SUCCESS;
}

void esign_wipe_after(request_rec *r)
{
    conn_rec *c = r->connection;
    if (!esign_runtime_any() || !is_secret(r))
        return;
    /* Nobody tells when such a connection begins to wait: it gives back each piece at once. */
    if (!suspends || c->master || c->clogging_input_filters) {
        apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), 1);
        return;
    }
    wiping_t *wiping = ap_get_module_config(c->conn_config, &esign_module);
    if (!wiping) {
        wiping = apr_pcalloc(c->pool, sizeof(*wiping));
        wiping->kept.allocator = apr_pool_allocator_get(c->pool);
        ap_set_module_config(c->conn_config, &esign_module, wiping);
        apr_pool_cleanup_register(c->pool, wiping, end_wiping, apr_pool_cleanup_null);
    }
    apr_pool_cleanup_register(r->pool, wiping, make_due, apr_pool_cleanup_null);
}

/* A connection waits, for its next request or for its client to read. */
static void wipe_kept(conn_rec *c, request_rec *r)
{
    (void)r;
    wiping_t *wiping = ap_get_module_config(c->conn_config, &esign_module);
    if (wiping && wiping->due) {
        wiping->due = 0;
        esign_allocator_overwrite(&wiping->kept, ap_max_mem_free);
    }
}

/* The allocator may have served such a connection before. */
static int keep_memory(conn_rec *c, void *socket)
{
    (void)socket;
    if (esign_runtime_any())
        apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), ap_max_mem_free);
    return OK;
}

/* What OpenSSL, libcurl and others give back is overwritten by malloc, but for pieces of up to 1032
 * bytes, which glibc keeps at hand for the thread. What some requests need, zlib's tenth of a
 * megabyte for a picture being the most, malloc keeps for the next: to give it to the system and
 * take it again costs a tenth of the picture. That is kept in each arena: with one for two
 * processors threads do not wait for each other yet, and little lies about between what is in use;
 * malloc would make sixteen times as many. */
static void child_init(apr_pool_t *p, server_rec *first)
{
    (void)p, (void)first;
    if (!esign_runtime_any())
        return;
    ap_mpm_query(AP_MPMQ_IS_ASYNC, &suspends);
    mallopt(M_PERTURB, ESIGN_ALLOCATOR_WIPED);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    mallopt(M_ARENA_MAX, (get_nprocs() + 1) / 2);
}

void esign_wipe_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_pre_connection(keep_memory, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(wipe_kept, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
