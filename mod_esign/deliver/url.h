/* SPDX-License-Identifier: Apache-2.0 */
/* url.h: the addresses of mail servers and gateways, judged while httpd starts, without libcurl:
 * stricter than it, so that it reads no other host in what is let through. */
#ifndef ESIGN_DELIVER_URL_H
#define ESIGN_DELIVER_URL_H

#include <apr_pools.h>

/* Whether a URL (RFC 3986) has one of two schemes, a host, and no user name; `bare`: nothing behind
 * the host and port either. */
int esign_url_valid(const char *url, const char *scheme, const char *other, int bare,
                    apr_pool_t *p);

/* A valid URL's host, and its port where one is written; "unknown" where there is no such thing. */
const char *esign_url_host(const char *url, apr_pool_t *p);

/* Whether what goes to a valid URL can be read on no wire: https, or this machine itself. */
int esign_url_private(const char *url, apr_pool_t *p);

#endif
