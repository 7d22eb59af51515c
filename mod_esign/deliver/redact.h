/* SPDX-License-Identifier: Apache-2.0 */
/* redact.h: removes addresses, numbers and links from what a server said. */
#ifndef ESIGN_DELIVER_REDACT_H
#define ESIGN_DELIVER_REDACT_H

#include <apr_pools.h>

/* Makes a text safe to log: printable ASCII, at most 200 characters. It does not show who a message
 * was for or what it said:
 *
 * - an e-mail address is masked (esign_contact_mask_email);
 * - the recipient's name before the @ and phone number, also in national form, become "***";
 * - a word with a run of characters that is long enough for a one-time link becomes "***".
 *
 * `recipient` is an e-mail address or an E.164 number. */
const char *esign_redact(apr_pool_t *p, const char *text, const char *recipient);

#endif
