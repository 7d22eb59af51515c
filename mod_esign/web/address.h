/* SPDX-License-Identifier: Apache-2.0 */
/* address.h: parses paths and header fields of a request. Texts go in and come out; nothing here
 * needs httpd. */
#ifndef ESIGN_WEB_ADDRESS_H
#define ESIGN_WEB_ADDRESS_H

#include <apr_pools.h>

/* The part of a path after the prefix and its slash, inside `path`: "" for the prefix itself. NULL:
 * the path does not begin with the prefix. */
const char *esign_address_below(const char *path, const char *prefix);

/* The one segment between `before` and `after` in such a part, in `p`, wiped with it. NULL: the
 * part has another form, or the segment is empty. */
const char *esign_address_segment(const char *below, const char *before, const char *after,
                                  apr_pool_t *p);

/* All that follows `before` in such a part, inside `below`. NULL: `below` does not begin with
 * `before`, or nothing follows. */
const char *esign_address_after(const char *below, const char *before);

/* Overwrites with stars what follows each `start` in the line, up to one of the characters `ends`.
 */
void esign_address_mask(char *line, const char *start, const char *ends);

/* The value of a cookie in a Cookie field (RFC 6265 section 4.2.1), in `p`, wiped with it. `field`
 * may be NULL. NULL: the field has no such cookie, or more than one. */
const char *esign_address_cookie(const char *field, const char *name, apr_pool_t *p);

/* The portal's language that an Accept-Language field (RFC 9110 section 12.5.4) prefers. `field`
 * may be NULL. NULL: the field has no language of the portal. */
const char *esign_address_language(const char *field, apr_pool_t *p);

#endif
