/* SPDX-License-Identifier: Apache-2.0 */
/* send.c: sends the body of an answer. */
#include "send.h"

#include <http_protocol.h>
#include <util_filter.h>

void esign_send_bytes(request_rec *r, const char *bytes, apr_size_t length, int secret)
{
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, list);
    /* mod_ssl collects short buckets in a buffer of the connection, but not across a flush bucket.
     * BYTERANGE would drop the flush bucket. */
    if (secret) {
        ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(list));
    }
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(bytes, length, r->pool, list));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(list));
    ap_pass_brigade(r->output_filters, brigade);
}
