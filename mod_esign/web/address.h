/* SPDX-License-Identifier: Apache-2.0 */
/* address.h: what addresses and header fields of a request say; text in, text out, so that the web
 * rooms only read and answer. */
#ifndef ESIGN_WEB_ADDRESS_H
#define ESIGN_WEB_ADDRESS_H

#include <apr_pools.h>

/* What stands below the prefix: "" for the prefix itself; NULL when the path is not below it.
 * Inside `path`. */
const char *esign_address_below(const char *path, const char *prefix);

/* The one segment between `before` and `behind` of what stands below the prefix, wiped with `p`;
 * NULL when it is built otherwise or the segment is empty. */
const char *esign_address_segment(const char *below, const char *before, const char *behind,
                                  apr_pool_t *p);

/* The token of a mailed link, "reset/TOKEN", or the reference of a gateway's report,
 * "report/REFERENCE", in what stands below the prefix, as it is written there; NULL: it is neither.
 * Inside `below`. */
const char *esign_address_token(const char *below);

/* Whether it is that of a report. */
int esign_address_is_report(const char *below);

/* The path that stands for all mailed links, or all reports, wherever a request is written down. In
 * `p`. */
char *esign_address_hidden(const char *below, const char *prefix, apr_pool_t *p);

/* Masks the tokens and references of a request line that nobody took apart, in their place. */
void esign_address_hide(char *line, const char *prefix, apr_pool_t *p);

/* A cookie's value in a Cookie field (RFC 6265 section 4.2.1; NULL: no field); NULL when it is
 * absent or stands there twice. Wiped with `p`. */
const char *esign_address_cookie(const char *field, const char *name, apr_pool_t *p);

/* The language of ours that an Accept-Language field (RFC 9110 section 12.5.4; NULL: no field)
 * wants most; NULL: none of ours. */
const char *esign_address_language(const char *field, apr_pool_t *p);

#endif
