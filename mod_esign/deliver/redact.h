/* SPDX-License-Identifier: Apache-2.0 */
/* redact.h: a server's words, fit for the log and the outbox. */
#ifndef ESIGN_DELIVER_REDACT_H
#define ESIGN_DELIVER_REDACT_H

#include <apr_pools.h>

/* `text` in printable ASCII, at most 200 characters, without what tells who a message was for or
 * what it said: every e-mail address is masked, the recipient's name before the @ and its phone
 * number, in the national form too, become "***", and so does every word with a run that is long
 * enough to be a one-time link. `recipient`: an address or an E.164 number. In `p`. */
const char *esign_redact(apr_pool_t *p, const char *text, const char *recipient);

#endif
