/* SPDX-License-Identifier: Apache-2.0 */
/* percent.h: percent-encoding of texts (RFC 3986 section 2.1). */
#ifndef ESIGN_CORE_PERCENT_H
#define ESIGN_CORE_PERCENT_H

#include <apr_pools.h>

/* The most that one byte takes. */
#define ESIGN_PERCENT_LONGEST 3

/* Writes a byte to `to`: an unreserved character (RFC 3986 section 2.3) as it is, any other byte as
 * %XX with upper-case digits. Returns the end; there is no NUL. */
char *esign_percent_put_byte(char *to, unsigned char byte);

/* Writes a text so. `to` has room for ESIGN_PERCENT_LONGEST bytes for each of its bytes. */
char *esign_percent_put(char *to, const char *text);

/* The text whose encoded form goes from `from` to before `end`: in `p`, wiped with it. Unescaped
 * characters may be any. NULL when an escape is broken, or a byte is NUL, which would cut the
 * text. */
char *esign_percent_decode(apr_pool_t *p, const char *from, const char *end);

#endif
