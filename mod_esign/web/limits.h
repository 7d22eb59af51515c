/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: what the sign-in and reset forms ask before they do any work. */
#ifndef ESIGN_WEB_LIMITS_H
#define ESIGN_WEB_LIMITS_H

#include "request.h"

#include "audit/trail.h"

/* Waits grow from 30 s to 1 h from the 5th failure in a row; 100 close the account (RULES; NIST SP
 * 800-63B-4 section 3.2.2). */
extern const esign_failure_policy_t esign_failure_limits;

/* Whether this address may send the form `what`, and, with IPv6, its network (16 times as often),
 * or else this browser, where the form's number is of somebody who has signed in with it: DONE;
 * MISS, with `*minutes` to wait, `refusal` going into the audit trail once; ERROR, logged. */
esign_cache_answer_e esign_limits_check(esign_request_t *q, const char *what, int limit,
                                        esign_audit_event_e refusal, const char **minutes);

/* Writes an event that can be brought about again and again without cost: for one subscriber once
 * in a window of the address, or its network. */
void esign_limits_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber);

/* Whether a subscriber has brought an event about more often in a quarter of an hour than anybody
 * may, for which it is refused: each costs a row of the trail, and a look at all these rows while
 * others wait; a sign-in costs a session too. q's database is there. */
esign_result_t esign_limits_often(esign_request_t *q, esign_audit_event_e event,
                                  apr_int64_t subscriber, int *often);

/* Counts one request against both; a memcached that fails is logged. */
void esign_limits_count(esign_request_t *q, const char *what, int limit);

/* The identity number of the form into `id`; NULL, or the code of what is wrong with it. */
const char *esign_limits_id_problem(const esign_request_t *q, char id[ESIGN_NATIONAL_ID_MAX + 1]);

/* Whether failures keep this subscriber out now. */
int esign_limits_waiting(const esign_subscriber_t *subscriber, apr_time_t now);

/* Records how a security word was judged, in one transaction of the same statements for a number
 * that is known, unknown (NULL), waiting or closed. `*accepted` may turn to 0: of racing guesses
 * those that come after the one that began a wait are refused, whatever they guessed; and right
 * words that come too often. */
esign_result_t esign_limits_record_word(esign_request_t *q, const esign_subscriber_t *subscriber,
                                        int *accepted);

/* Whether the second factor was shown in the last five minutes: what PIN, PUK, a change of the word
 * and the end of other sessions ask for (OWASP ASVS 5.0 7.5.1 to 7.5.3). */
int esign_limits_fresh(const esign_request_t *q);

/* Whether the word was shown in the last five minutes: a new one asks for it again otherwise (OWASP
 * ASVS 5.0 6.2.3). */
int esign_limits_word_fresh(const esign_request_t *q);

/* Whole seconds until `moment`, at least 1. In q's pool. */
const char *esign_limits_seconds(const esign_request_t *q, apr_time_t moment);

/* Seconds that failures keep q->subscriber waiting; a closure, which does not end by itself, is
 * told as the longest wait. In q's pool. */
const char *esign_limits_held(const esign_request_t *q);

#endif
