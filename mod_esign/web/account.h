/* SPDX-License-Identifier: Apache-2.0 */
/* account.h: what failures and proofs of a subscriber allow: waits, closures, and how fresh word
 * and code are. */
#ifndef ESIGN_WEB_ACCOUNT_H
#define ESIGN_WEB_ACCOUNT_H

#include "request.h"

#include "audit/trail.h"

/* Whether failures keep a subscriber out. */
typedef enum {
    ESIGN_ACCOUNT_OPEN,
    ESIGN_ACCOUNT_WAITING, /* until subscriber->wait_until */
    ESIGN_ACCOUNT_CLOSED   /* until the help desk opens it */
} esign_account_e;

esign_account_e esign_account_state(const esign_subscriber_t *subscriber, apr_time_t now);

/* Seconds that failures keep q->subscriber waiting, as text in r->pool. A closure, which does not
 * end by itself, gives the longest wait. */
const char *esign_account_wait(const esign_request_t *q);

/* Audits that q->subscriber was refused because the account waits or is closed, as
 * esign_limits_audit does. */
void esign_account_audit_refusal(esign_request_t *q);

/* Whether a subscriber has caused an event 1000 times or more in a quarter of an hour; such a
 * request is refused. Each costs a row of the trail, and each count reads all these rows while
 * other writers wait. Needs q->database, in a transaction or not. */
esign_result_t esign_account_count_often(esign_request_t *q, esign_audit_event_e event,
                                         apr_int64_t subscriber, int *often);

/* Records in one transaction whether a word was right. The statements are the same for a number
 * that is known, unknown (`subscriber` NULL), waiting or closed. A wrong one counts as a failure.
 * `*accepted` may turn to 0: when a racing guess has begun a wait meanwhile, and when right words
 * come too often. */
esign_result_t esign_account_record_word(esign_request_t *q, const esign_subscriber_t *subscriber,
                                         int *accepted);

/* Counts a wrong code of q->subscriber as a failure, and audits it, in one transaction. */
esign_result_t esign_account_record_wrong_code(esign_request_t *q);

/* Whether a code was accepted in the last five minutes. PIN, PUK, a new word and the end of
 * other sessions need that (OWASP ASVS 5.0, 7.5.1 to 7.5.3). */
int esign_account_proof_fresh(const esign_request_t *q);

/* Whether the word was accepted in the last five minutes. A form for a new word asks for the old
 * one otherwise (OWASP ASVS 5.0, 6.2.3). */
int esign_account_word_fresh(const esign_request_t *q);

#endif
