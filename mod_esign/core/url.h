/* SPDX-License-Identifier: Apache-2.0 */
/* url.h: checks URLs of the administrator (RFC 3986). It is stricter than libcurl, so that
 * libcurl finds the same host in every URL that is accepted here. */
#ifndef ESIGN_CORE_URL_H
#define ESIGN_CORE_URL_H

#include <apr_pools.h>

/* Parts of a URL that a caller accepts. A host is always needed. User names, blanks and
 * control characters are never accepted. */
enum {
    ESIGN_URL_HTTP = 1,
    ESIGN_URL_HTTPS = 2,
    ESIGN_URL_SMTP = 4,
    ESIGN_URL_SMTPS = 8,
    ESIGN_URL_PATH = 16,     /* a path other than "/" */
    ESIGN_URL_QUERY = 32,    /* a query, and a fragment */
    ESIGN_URL_LOCAL = 64,    /* also a path of this server alone: "/x", but not "//x" or "/\x" */
    ESIGN_URL_QUOTABLE = 128 /* no quotes, angle brackets and backslashes: fit for HTML */
};

/* Returns 1 when a URL has a scheme of `accepted`, and no parts that `accepted` lacks. */
int esign_url_valid(const char *url, int accepted, apr_pool_t *p);

/* The host of a valid URL, with its port if it has one, in `p`; "unknown" for an invalid URL. */
const char *esign_url_host(const char *url, apr_pool_t *p);

/* The host of a valid URL alone, in `p`, an IPv6 address without its brackets; NULL for an invalid
 * URL. */
const char *esign_url_hostname(const char *url, apr_pool_t *p);

/* The origin of a valid http or https URL (RFC 6454 section 6.2), in `p`: scheme, host, and the
 * port unless it is the scheme's own. An invalid URL is returned as it is. */
const char *esign_url_origin(const char *url, apr_pool_t *p);

/* Returns 1 when requests to a valid URL stay private: it is https, or its host is this machine. */
int esign_url_private(const char *url, apr_pool_t *p);

#endif
