/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: mod_esign as a provider for mod_session, and who the portal's own sessions say is
 * there. */
#ifndef ESIGN_WEB_SESSION_H
#define ESIGN_WEB_SESSION_H

#include "request.h"

#include "cache/code.h"

/* Reads the session and the subscriber behind it into q. OK: they are there (q->trust); DECLINED:
 * nobody is signed in, or the session's epoch has passed; anything else: memcached or the database
 * failed, logged. */
int esign_session_identify(esign_request_t *q);

/* The identified session, as the store of one-time codes takes it. */
esign_code_session_t esign_session_codes(esign_request_t *q);

/* Brings back the session that the right code has ended, for what should have come of it did not.
 * Logged if memcached fails. */
void esign_session_restore(esign_request_t *q);

/* Raises the trust: a new id for q's session or its first one, the old one dead. Sets the cookie.
 * 0: memcached failed, logged. */
int esign_session_raise(esign_request_t *q, const esign_subscriber_t *subscriber,
                        esign_trust_e trust);

/* Goes on with q's session under a new id and q->subscriber's epoch, trust and time of proof kept.
 * 0: memcached failed or the session ended meanwhile, logged. */
int esign_session_renew(esign_request_t *q);

/* Ends the session on the server and in the browser. 0: memcached failed, logged. */
int esign_session_end(esign_request_t *q);

void esign_session_register_hooks(apr_pool_t *p);

#endif
