/* SPDX-License-Identifier: Apache-2.0 */
/* wipe.h: overwrites secrets of a request in memory that httpd, mod_ssl and libraries keep. */
#ifndef ESIGN_WEB_WIPE_H
#define ESIGN_WEB_WIPE_H

#include <httpd.h>

#include <apr_buckets.h>

/* Has the connection's free memory overwritten after this request, if it carries a secret. httpd
 * keeps memory of a finished request for the next one, as it is. Under the event MPM it is
 * overwritten when the connection next waits (allocator.h). Under other MPMs and HTTP/2, which do
 * not report that, each piece goes back to the system until the connection ends; this costs a
 * quarter of a millisecond a request. mod_http2 has memory of its own, which only MaxMemFree
 * limits. */
void esign_wipe_after(request_rec *r);

/* Overwrites a bucket of a request's body: `length` bytes at `bytes`, as apr_bucket_read returned
 * them. */
void esign_wipe_bucket(const apr_bucket *bucket, const char *bytes, apr_size_t length);

/* Registers hooks of connections and of the start of a child. */
void esign_wipe_register_hooks(apr_pool_t *p);

#endif
