/* SPDX-License-Identifier: Apache-2.0 */
/* compose.h: makes the bytes of a mail. */
#ifndef ESIGN_DELIVER_COMPOSE_H
#define ESIGN_DELIVER_COMPOSE_H

#include "message.h"
#include "smtp.h"

/* Makes the whole message (RFC 5322): text and HTML as multipart/alternative (RFC 2046 section
 * 5.1.4) in quoted-printable, which servers without 8BITMIME carry unchanged. It is 7-bit, except
 * for a local part of an address that is not ASCII (RFC 6532). Lines end with CR LF, have at most
 * 998 bytes, and none begins with a full stop.
 *
 * `to` is the recipient's address as esign_contact_email_wire makes it. `*bytes` are
 * NUL-terminated, `*length` is without the NUL; wiped with `p`. APR_EINVAL: the name or the subject
 * is not fit for a header. */
esign_result_t esign_compose(const esign_mail_t *mail, const char *to, const esign_smtp_t *smtp,
                             apr_time_t now, char **bytes, apr_size_t *length, apr_pool_t *p);

#endif
