/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: what addresses and header fields of a request say; text in, text out, so that the web rooms only read and answer. */
#ifndef ESIGN_CORE_HTTP_H
#define ESIGN_CORE_HTTP_H

#include <apr_pools.h>

/* What stands below the prefix: "" for the prefix itself; NULL when the path is not below it. Inside `path`. */
const char *esign_http_below(const char *path, const char *prefix);

/* The one segment between `before` and `behind` of what stands below the prefix, wiped with `p`; NULL when it is built otherwise or the segment is empty. */
const char *esign_http_segment(const char *below, const char *before, const char *behind, apr_pool_t *p);

/* The token of a mailed link, "reset/TOKEN", in what stands below the prefix, as it is written there; NULL: that is no link. Inside `below`. */
const char *esign_http_token(const char *below);

/* The path that stands for all mailed links wherever a request is written down. In `p`. */
char *esign_http_hidden(const char *prefix, apr_pool_t *p);

/* Masks the tokens of a request line that nobody took apart, in their place. */
void esign_http_hide(char *line, const char *prefix, apr_pool_t *p);

/* A cookie's value in a Cookie field (RFC 6265 section 4.2.1; NULL: no field); NULL when it is absent or stands there twice. Wiped with `p`. */
const char *esign_http_cookie(const char *field, const char *name, apr_pool_t *p);

/* The language of ours that an Accept-Language field (RFC 9110 section 12.5.4; NULL: no field) wants most; NULL: none of ours. */
const char *esign_http_language(const char *field, apr_pool_t *p);

#endif
