/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: provides mod_session with sessions from memcached, and keeps subscriber and trust in
 * the portal's own. */
#ifndef ESIGN_WEB_SESSION_H
#define ESIGN_WEB_SESSION_H

#include "request.h"

#include "cache/code.h"

/* Reads session and subscriber into q. OK: q->subscriber and q->trust are set. DECLINED: there is
 * no session, or a new word or the end of all sessions has ended it. Other statuses: memcached or
 * the database failed, which is logged. */
int esign_session_identify(esign_request_t *q);

/* The session as cache/code takes it. After esign_session_identify. */
esign_code_session_t esign_session_codes(esign_request_t *q);

/* Restores the session that a right code has ended, if the sign-in fails after that. Logged if
 * memcached fails. */
void esign_session_restore(esign_request_t *q);

/* Begins a session with this trust under a new id, ends the old one and sets the cookie (OWASP ASVS
 * 5.0, 7.2.4). 0: memcached failed, logged. */
int esign_session_raise(esign_request_t *q, const esign_subscriber_t *subscriber,
                        esign_trust_e trust);

/* Continues the session under a new id, with the current epoch of q->subscriber and the same trust.
 * 0: memcached failed, which is logged, or another request has ended the session. */
int esign_session_renew(esign_request_t *q);

/* Ends the session on the server and in the browser. 0: memcached failed, logged. */
int esign_session_end(esign_request_t *q);

/* Registers mod_session's hooks, if mod_session is loaded. */
void esign_session_register_hooks(apr_pool_t *p);

#endif
