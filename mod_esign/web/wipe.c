/* SPDX-License-Identifier: Apache-2.0 */
/* wipe.c: overwrites body buckets, and free memory of pools and malloc. */
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

/* Whether the MPM runs suspend_connection when a connection begins to wait, as event does. */
static int suspends;

void esign_wipe_bucket(const apr_bucket *bucket, const char *bytes, apr_size_t length)
{
    /* Buckets of other types may be in read-only memory, or in memory that others use. */
    if (APR_BUCKET_IS_TRANSIENT(bucket) || APR_BUCKET_IS_HEAP(bucket) || APR_BUCKET_IS_POOL(bucket))
        esign_secret_wipe((char *)bytes, length);
}

/* Whether a request carries a secret: a form, a link, or a cookie, which browsers also send to
 * locations outside the portal. A request that httpd refused while reading it has no file name yet
 * and may carry any of these. */
static int has_secret(const request_rec *r)
{
    const char *cookies = apr_table_get(r->headers_in, "Cookie");
    const esign_request_t *q = esign_request_of((request_rec *)r);
    if (ap_is_HTTP_ERROR(r->status) && !r->filename)
        return 1;
    return (q && (r->method_number == M_POST || q->argument)) ||
           (cookies &&
            (strstr(cookies, ESIGN_COOKIE_SESSION "=") || strstr(cookies, ESIGN_COOKIE_RESET "=")));
}

/* A connection whose free memory is overwritten when it waits. */
typedef struct {
    esign_allocator_t memory;
    int due; /* a request with a secret has ended since the last time */
} connection_t;

/* Runs when the request ends. */
static apr_status_t set_due(void *data)
{
    connection_t *connection = data;
    connection->due = 1;
    return APR_SUCCESS;
}

/* Runs when the connection ends, and before its own memory is freed, which then goes to the system
 * too. */
static apr_status_t give_memory_back(void *data)
{
    connection_t *connection = data;
    esign_allocator_give_back(&connection->memory);
    return APR_SUCCESS;
}

void esign_wipe_after(request_rec *r)
{
    conn_rec *c = r->connection;
    if (!esign_runtime_any() || !has_secret(r))
        return;
    /* No hook runs when such a connection waits: from now on it returns each piece to the system.
     */
    if (!suspends || c->master || c->clogging_input_filters) {
        apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), 1);
        return;
    }
    connection_t *connection = ap_get_module_config(c->conn_config, &esign_module);
    if (!connection) {
        connection = apr_pcalloc(c->pool, sizeof(*connection));
        connection->memory.allocator = apr_pool_allocator_get(c->pool);
        ap_set_module_config(c->conn_config, &esign_module, connection);
        apr_pool_cleanup_register(c->pool, connection, give_memory_back, apr_pool_cleanup_null);
    }
    apr_pool_cleanup_register(r->pool, connection, set_due, apr_pool_cleanup_null);
}

/* The connection waits for its next request, or for its client to read. */
static void suspend_connection(conn_rec *c, request_rec *r)
{
    (void)r;
    connection_t *connection = ap_get_module_config(c->conn_config, &esign_module);
    if (connection && connection->due) {
        connection->due = 0;
        esign_allocator_overwrite(&connection->memory, ap_max_mem_free);
    }
}

/* Sets the limit of the allocator, which an earlier connection may have lowered. */
static int reset_limit(conn_rec *c, void *socket)
{
    (void)socket;
    if (esign_runtime_any())
        apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), ap_max_mem_free);
    return OK;
}

/* Sets how malloc treats free memory, for OpenSSL, libcurl and other libraries:
 * - M_PERTURB overwrites it, but for pieces of up to 1032 bytes that glibc keeps for each thread.
 * - M_TRIM_THRESHOLD keeps up to 1 MiB in an arena. zlib needs a tenth of a megabyte for a picture;
 *   to return that and map it again costs a tenth of the picture's time.
 * - M_ARENA_MAX: one arena for two processors, because each arena keeps that much, and its free
 *   pieces lie between used ones. Threads do not wait for each other yet. glibc's default is
 *   sixteen times as many. */
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
    ap_hook_pre_connection(reset_limit, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(suspend_connection, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
