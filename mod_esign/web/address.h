/* SPDX-License-Identifier: Apache-2.0 */
/* address.h: what addresses and header fields of a request say; text in, text out, so that the web
 * rooms only read and answer. */
#ifndef ESIGN_WEB_ADDRESS_H
#define ESIGN_WEB_ADDRESS_H

#include <apr_pools.h>

/* What stands below the prefix: "" for the prefix itself; NULL when the path is not below it.
 * Inside `path`. */
const char *esign_address_below(const char *path, const char *prefix);

/* The one segment between `before` and `after` of what stands below the prefix, wiped with `p`;
 * NULL when it is built otherwise or the segment is empty. */
const char *esign_address_segment(const char *below, const char *before, const char *after,
                                  apr_pool_t *p);

/* All that follows `before` in what stands below the prefix. Inside `below`; NULL: `below` does not
 * begin so, or nothing follows. */
const char *esign_address_after(const char *below, const char *before);

/* Overwrites with stars what follows `start`, wherever that stands in the line, up to one of the
 * characters `ends`. */
void esign_address_mask(char *line, const char *start, const char *ends);

/* A cookie's value in a Cookie field (RFC 6265 section 4.2.1; NULL: no field); NULL when it is
 * absent or stands there twice. Wiped with `p`. */
const char *esign_address_cookie(const char *field, const char *name, apr_pool_t *p);

/* The language of ours that an Accept-Language field (RFC 9110 section 12.5.4; NULL: no field)
 * wants most; NULL: none of ours. */
const char *esign_address_language(const char *field, apr_pool_t *p);

#endif
