/* SPDX-License-Identifier: Apache-2.0 */
/* wipe.h: what httpd, mod_ssl, OpenSSL and others would keep of a request in memory of theirs. */
#ifndef ESIGN_WEB_WIPE_H
#define ESIGN_WEB_WIPE_H

#include <httpd.h>

#include <apr_buckets.h>

/* What pools and buckets give back, httpd keeps as it is for the next request. Behind a request
 * that carries a secret it is overwritten as soon as its connection waits, under the event MPM,
 * which tells when; elsewhere, and under HTTP/2, it goes to the system piece by piece until the
 * connection ends, which costs a quarter of a millisecond. Other connections do without. mod_http2
 * keeps memory of its own: MaxMemFree rules it. */
void esign_wipe_after(request_rec *r);

/* Overwrites what a bucket of a request's body holds, once it has been read: `length` bytes at
 * `bytes`, as apr_bucket_read gave them. */
void esign_wipe_bucket(const apr_bucket *bucket, const char *bytes, apr_size_t length);

void esign_wipe_register_hooks(apr_pool_t *p);

#endif
