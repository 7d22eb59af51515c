/* SPDX-License-Identifier: Apache-2.0 */
/* header.h: header fields of a mail: one line each for the reader, whatever stands in them. */
#ifndef ESIGN_DELIVER_HEADER_H
#define ESIGN_DELIVER_HEADER_H

#include <apr_pools.h>
#include <apr_time.h>

/* Whether a text can stand in a header: valid UTF-8 without control characters. */
int esign_header_safe(const char *text);

/* "Subject: …". Printable ASCII that fits one line stays as it is; else RFC 2047 encoded words,
 * folded between characters. Wiped with `p`. */
char *esign_header_text(apr_pool_t *p, const char *name, const char *text);

/* "To: "Ayşe Yılmaz" <ayse@example.org>": the display name as a quoted string or encoded words,
 * left out when empty. Wiped with `p`. */
char *esign_header_mailbox(apr_pool_t *p, const char *name, const char *display_name,
                           const char *address);

/* "Date: …" by RFC 5322, in UTC. */
const char *esign_header_date(apr_pool_t *p, apr_time_t time);

#endif
