/* SPDX-License-Identifier: Apache-2.0 */
/* account.c: counts failures of word and code, and judges how fresh proofs are. */
#include "account.h"

#include "limits.h"

#include <apr_strings.h>

#define PROOF_FRESH apr_time_from_sec(5 * 60)

#define OFTEN 1000
#define OFTEN_WINDOW apr_time_from_sec(15 * 60)

/* Waits grow from 30 s to 1 h from the fifth failure in a row; the hundredth closes the account
 * (NIST SP 800-63B-4 section 3.2.2). */
static const esign_failure_policy_t failure_policy = {
    .free = 4,
    .first = 30 * APR_USEC_PER_SEC,
    .longest = 3600 * APR_USEC_PER_SEC,
    .close_at = 100,
};

esign_account_e esign_account_state(const esign_subscriber_t *subscriber, apr_time_t now)
{
    if (subscriber->closed)
        return ESIGN_ACCOUNT_CLOSED;
    return subscriber->wait_until > now ? ESIGN_ACCOUNT_WAITING : ESIGN_ACCOUNT_OPEN;
}

const char *esign_account_wait(const esign_request_t *q)
{
    const esign_subscriber_t *s = q->subscriber;
    return esign_request_seconds(q, s->closed ? q->now + failure_policy.longest : s->wait_until);
}

static int is_open(const esign_request_t *q, const esign_subscriber_t *subscriber)
{
    return esign_account_state(subscriber, q->now) == ESIGN_ACCOUNT_OPEN;
}

/* The event of a refused word. While an account waits, or is closed, a word is refused without
 * being judged, so that nothing shows whether it was right. */
static esign_audit_event_e refusal_of(const esign_request_t *q,
                                      const esign_subscriber_t *subscriber)
{
    switch (subscriber ? esign_account_state(subscriber, q->now) : ESIGN_ACCOUNT_OPEN) {
    case ESIGN_ACCOUNT_CLOSED:
        return ESIGN_AUDIT_REFUSED_CLOSED;
    case ESIGN_ACCOUNT_WAITING:
        return ESIGN_AUDIT_REFUSED_WAITING;
    default:
        return ESIGN_AUDIT_WORD_REFUSED;
    }
}

void esign_account_audit_refusal(esign_request_t *q)
{
    esign_limits_audit(q, refusal_of(q, q->subscriber), q->subscriber->id);
}

esign_result_t esign_account_count_often(esign_request_t *q, esign_audit_event_e event,
                                         apr_int64_t subscriber, int *often)
{
    int count = 0;
    esign_result_t result = esign_audit_count(q->database, event, subscriber, q->now - OFTEN_WINDOW,
                                              OFTEN, &count, q->r->pool);
    *often = count >= OFTEN;
    if (*often)
        esign_request_log_refusal(
            q, apr_psprintf(q->r->pool, "%s, too often", esign_event_name(event)));
    return result;
}

esign_result_t esign_account_record_word(esign_request_t *q, const esign_subscriber_t *subscriber,
                                         int *accepted)
{
    apr_pool_t *p = q->r->pool;
    apr_int64_t id = subscriber ? subscriber->id : ESIGN_SUBSCRIBER_NONE;
    apr_int64_t counted =
        subscriber && is_open(q, subscriber) && !*accepted ? id : ESIGN_SUBSCRIBER_NONE;
    esign_subscriber_t *now = NULL;
    int closing = 0, often = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result =
            esign_subscriber_failed(q->database, counted, &failure_policy, 0, q->now, &closing, p);
    if (!esign_failed(result) && *accepted) {
        result = esign_subscriber_get(q->database, id, &now, p);
        if (!esign_failed(result))
            result = esign_account_count_often(q, ESIGN_AUDIT_WORD_ACCEPTED, id, &often);
        *accepted = !esign_failed(result) && now && is_open(q, now) && !often;
    }
    esign_audit_event_e event = *accepted ? ESIGN_AUDIT_WORD_ACCEPTED
                                : closing ? ESIGN_AUDIT_CLOSED
                                : often   ? ESIGN_AUDIT_REFUSED_WAITING
                                          : refusal_of(q, now ? now : subscriber);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, event, id, q->address, q->now, p);
    return esign_request_end(q, result);
}

esign_result_t esign_account_record_wrong_code(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int closing = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_failed(q->database, q->subscriber->id, &failure_policy, 1, q->now,
                                         &closing, p);
    if (!esign_failed(result))
        result =
            esign_audit_add(q->database, closing ? ESIGN_AUDIT_CLOSED : ESIGN_AUDIT_CODE_REFUSED,
                            q->subscriber->id, q->address, q->now, p);
    return esign_request_end(q, result);
}

int esign_account_proof_fresh(const esign_request_t *q)
{
    return q->now - q->code_time <= PROOF_FRESH;
}

int esign_account_word_fresh(const esign_request_t *q)
{
    return q->now - q->word_time <= PROOF_FRESH;
}
