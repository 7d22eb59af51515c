/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: how often an address may send the sign-in and reset forms. */
#ifndef ESIGN_WEB_LIMITS_H
#define ESIGN_WEB_LIMITS_H

#include "request.h"

#include "audit/trail.h"

typedef enum {
    ESIGN_LIMITS_BELOW,      /* the request may go on */
    ESIGN_LIMITS_REACHED,    /* it has to wait */
    ESIGN_LIMITS_UNAVAILABLE /* memcached failed, which is logged */
} esign_limits_e;

/* Whether q's address may send the form `what`: `limit` times in EsignAddressWindow, and its IPv6
 * network 16 times as often. A browser that the form's subscriber has signed in with has a count of
 * its own, and may go on when the address may not. REACHED: `*minutes` is the wait, as text in
 * r->pool; Retry-After is set, and `refusal` audited once in a window. */
esign_limits_e esign_limits_check(esign_request_t *q, const char *what, int limit,
                                  esign_audit_event_e refusal, const char **minutes);

/* Counts one request against address and network. Logged if memcached fails. */
void esign_limits_count(esign_request_t *q, const char *what, int limit);

/* Audits an event that anybody can cause again and again without cost: for each subscriber once in
 * a window of the address, or of its network. */
void esign_limits_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber);

#endif
