/* SPDX-License-Identifier: Apache-2.0 */
/* header.h: makes header fields of a mail, safe whatever their values are. */
#ifndef ESIGN_DELIVER_HEADER_H
#define ESIGN_DELIVER_HEADER_H

#include <apr_pools.h>
#include <apr_time.h>

/* 1: a text is fit for a header: it is valid UTF-8 without control characters and line
 * separators. */
int esign_header_safe(const char *text);

/* Makes "Subject: …". Printable ASCII that fits on one line is written as it is; any other text as
 * encoded words (RFC 2047), each on a line of its own. Wiped with `p`. */
char *esign_header_text(apr_pool_t *p, const char *name, const char *text);

/* Makes "To: "Ayşe Yılmaz" <ayse@example.org>", with the name as a quoted string (RFC 5322 section
 * 3.2.4) or as encoded words; an empty name is left out. Wiped with `p`. */
char *esign_header_mailbox(apr_pool_t *p, const char *name, const char *display_name,
                           const char *address);

/* Makes "Date: …" (RFC 5322 section 3.3), in UTC. */
const char *esign_header_date(apr_pool_t *p, apr_time_t time);

#endif
