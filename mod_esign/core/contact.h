/* SPDX-License-Identifier: Apache-2.0 */
/* contact.h: checks and masks e-mail addresses and phone numbers. */
#ifndef ESIGN_CORE_CONTACT_H
#define ESIGN_CORE_CONTACT_H

#include <apr_pools.h>

/* "+905321234567" becomes "+90 *** *** ** 67": the country code (ITU-T E.164) and the last two
 * digits stay visible. "***" for an invalid number. In `p`. */
const char *esign_contact_mask_phone(apr_pool_t *p, const char *phone);

/* "ayse@example.org" becomes "a***@example.org". "***" for an invalid address. In `p`. */
const char *esign_contact_mask_email(apr_pool_t *p, const char *email);

/* Returns 1 when an SMTP server can safely be given this e-mail address. The part before the @ is a
 * Dot-string (RFC 5321 section 4.1.2), which may hold letters, marks and digits beyond ASCII (RFC
 * 6531). After the @ comes a host name, which may be an international one (IDNA 2008). Quoted parts
 * and address literals are refused. */
int esign_contact_email_valid(const char *email);

/* The form of a valid address that SMTP transmits, in `p`: the host as its A-label (RFC 5891), the
 * part before the @ unchanged. */
const char *esign_contact_email_wire(apr_pool_t *p, const char *email);

/* Returns 1 when a text is ASCII. A transmitted address that is not ASCII needs SMTPUTF8 (RFC 6531)
 * of each server on its way. */
int esign_contact_ascii(const char *text);

/* Returns 1 for a number of ITU-T E.164: + and 7 to 15 digits, the first not 0. */
int esign_contact_phone_valid(const char *phone);

#endif
