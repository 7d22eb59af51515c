/* SPDX-License-Identifier: Apache-2.0 */
/* compose.h: the bytes of a mail. */
#ifndef ESIGN_DELIVER_COMPOSE_H
#define ESIGN_DELIVER_COMPOSE_H

#include "message.h"
#include "smtp.h"

/* The whole message by RFC 5322 and RFC 2046: text and HTML as multipart/alternative,
 * quoted-printable, so that servers without 8BITMIME carry it unchanged; 7-bit but for the local
 * part of an address that is not ASCII (RFC 6532). Lines end with CR LF, none is longer than 998
 * bytes, none begins with a full stop. `to`: the recipient's address as esign_contact_email_wire
 * has it. NUL-terminated, `*length` without it; wiped with `p`. APR_EINVAL: name or subject cannot
 * stand in a header. */
esign_result_t esign_compose(const esign_mail_t *mail, const char *to, const esign_smtp_t *smtp,
                             apr_time_t now, char **bytes, apr_size_t *length, apr_pool_t *p);

#endif
