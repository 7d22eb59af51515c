/* SPDX-License-Identifier: Apache-2.0 */
/* contact.h: e-mail addresses and phone numbers: which are safe to use, and how they are shown. */
#ifndef ESIGN_CORE_CONTACT_H
#define ESIGN_CORE_CONTACT_H

#include <apr_pools.h>

/* "+905321234567" becomes "+90 *** *** ** 67": the country code and the last two digits stay. */
const char *esign_contact_mask_phone(apr_pool_t *p, const char *phone);

/* "ayse@example.org" becomes "a***@example.org". */
const char *esign_contact_mask_email(apr_pool_t *p, const char *email);

/* An e-mail address that is safe to hand to an SMTP server: one @, a host with a dot or a bare
 * name, printable, no control or separator characters. Letters, marks and digits that are not ASCII
 * may stand before the @ (RFC 6531) and, where they make a name that can be registered, behind it
 * (IDNA 2008). */
int esign_contact_email_valid(const char *email);

/* A valid address as it goes over the wire: the host as its A-label (RFC 5891), what stands before
 * the @ unchanged. In `p`. */
const char *esign_contact_email_wire(apr_pool_t *p, const char *email);

/* Whether a text is ASCII. A wire address that is not needs servers with SMTPUTF8 all the way. */
int esign_contact_ascii(const char *text);

/* An E.164 number: + and 7 to 15 digits. */
int esign_contact_phone_valid(const char *phone);

#endif
