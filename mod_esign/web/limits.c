/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: address limits, the form of the identity number and what failures cost, as the forms
 * ask them. */
#include "limits.h"

#include "audit/trail.h"
#include "cache/throttle.h"
#include "client.h"
#include "device.h"
#include "form.h"

#include <apr_strings.h>

#define PROOF_FRESH apr_time_from_sec(5 * 60)

/* A machine at a provider often has a /48 to itself, each of whose /64 has a count of its own: all
 * of them together may do this many times as much as one. */
#define NETWORK_FACTOR 16

#define OFTEN 1000
#define OFTEN_WINDOW apr_time_from_sec(900)

const esign_failure_policy_t esign_failure_limits = {
    .free = 4,
    .first = 30 * APR_USEC_PER_SEC,
    .longest = 3600 * APR_USEC_PER_SEC,
    .close_at = 100,
};

void esign_limits_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber)
{
    apr_pool_t *p = q->r->pool;
    const char *what =
                   apr_psprintf(p, "%s #%" APR_INT64_T_FMT, esign_event_name(event), subscriber),
               *network = esign_throttle_network(q->address, p);
    const esign_throttle_policy_t policy = { .window = q->config->address_window };
    esign_cache_answer_e first = esign_throttle_first(
        q->runtime->cache, what, network ? network : q->address, &policy, q->now, p);
    if (first == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
    if (first == ESIGN_CACHE_DONE)
        esign_request_audit(q, event, subscriber);
}

/* Nobody is kept out with those who guess behind the same address, as an office's or a mobile
 * network's: a browser with which the number's subscriber has signed in has a count of its own, of
 * all its requests. Known and unknown numbers cost the same. */
static esign_cache_answer_e check_browser(esign_request_t *q, const char *what,
                                          const esign_throttle_policy_t *policy,
                                          apr_interval_time_t *retry)
{
    apr_pool_t *p = q->r->pool;
    char id[ESIGN_NATIONAL_ID_MAX + 1];
    esign_subscriber_t *subscriber, nobody = { .id = ESIGN_SUBSCRIBER_NONE };
    esign_throttle_seen_t counted;
    int room;
    if (!esign_client_cookie(q->r, ESIGN_COOKIE_DEVICE) || esign_limits_id_problem(q, id) ||
        !esign_request_database(q))
        return ESIGN_CACHE_MISS;
    esign_result_t result = esign_subscriber_find(q->database, id, &subscriber, p);
    esign_request_release(q);
    if (esign_failed(result))
        esign_request_log(q, result);
    /* Nobody's mark, which no cookie holds, is looked for as anybody's. */
    if (!subscriber)
        subscriber = &nobody;
    if (esign_failed(result) || !esign_device_known(q, subscriber))
        return ESIGN_CACHE_MISS;
    const char *browser = apr_psprintf(p, "a browser of #%" APR_INT64_T_FMT, subscriber->id);
    esign_cache_answer_e answer = esign_throttle_check(q->runtime->cache, what, browser, policy,
                                                       q->now, &counted, &room, retry, p);
    return answer == ESIGN_CACHE_DONE ? esign_throttle_count(q->runtime->cache, what, browser,
                                                             policy, q->now, 1, &counted, p)
                                      : answer;
}

esign_cache_answer_e esign_limits_check(esign_request_t *q, const char *what, int limit,
                                        esign_audit_event_e refusal, const char **minutes)
{
    const char *network = esign_throttle_network(q->address, q->r->pool);
    const esign_throttle_policy_t policy = { .limit = limit, .window = q->config->address_window };
    const esign_throttle_policy_t of_network = { .limit = limit * NETWORK_FACTOR,
                                                 .window = policy.window };
    apr_interval_time_t retry = 0;
    int room;
    esign_cache_answer_e answer =
        esign_throttle_check(q->runtime->cache, what, q->address, &policy, q->now, &q->counted,
                             &room, &retry, q->r->pool);
    if (answer == ESIGN_CACHE_DONE && network)
        answer = esign_throttle_check(q->runtime->cache, what, network, &of_network, q->now,
                                      &q->counted_network, &room, &retry, q->r->pool);
    if (answer == ESIGN_CACHE_MISS)
        answer = check_browser(q, what, &policy, &retry);
    if (answer == ESIGN_CACHE_MISS) {
        apr_table_setn(q->r->err_headers_out, "Retry-After",
                       esign_limits_seconds(q, q->now + retry));
        *minutes = apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT, apr_time_sec(retry) / 60 + 1);
        esign_request_note(q, esign_event_name(refusal));
        esign_limits_audit(q, refusal, ESIGN_SUBSCRIBER_NONE);
    }
    if (answer == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
    return answer;
}

void esign_limits_count(esign_request_t *q, const char *what, int limit)
{
    const char *network = esign_throttle_network(q->address, q->r->pool);
    esign_throttle_policy_t policy = { .limit = limit, .window = q->config->address_window };
    esign_cache_answer_e answer = esign_throttle_count(q->runtime->cache, what, q->address, &policy,
                                                       q->now, 1, &q->counted, q->r->pool);
    if (answer != ESIGN_CACHE_ERROR && network)
        answer = esign_throttle_count(q->runtime->cache, what, network, &policy, q->now, 1,
                                      &q->counted_network, q->r->pool);
    if (answer == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
}

const char *esign_limits_id_problem(const esign_request_t *q, char id[ESIGN_NATIONAL_ID_MAX + 1])
{
    const char *typed = esign_form_field(q, "id");
    if (typed[strspn(typed, " \t")] == '\0')
        return "id-empty";
    return esign_national_id_parse(q->runtime->scheme, typed, id) ? NULL : "id-wrong";
}

int esign_limits_waiting(const esign_subscriber_t *subscriber, apr_time_t now)
{
    return subscriber->closed || subscriber->wait_until > now;
}

esign_result_t esign_limits_often(esign_request_t *q, esign_audit_event_e event,
                                  apr_int64_t subscriber, int *often)
{
    int count = 0;
    esign_result_t result = esign_audit_count(q->database, event, subscriber, q->now - OFTEN_WINDOW,
                                              OFTEN, &count, q->r->pool);
    *often = count >= OFTEN;
    if (*often)
        esign_request_note(q, apr_psprintf(q->r->pool, "%s, too often", esign_event_name(event)));
    return result;
}

/* Who waits is refused unjudged: nothing tells whether the word was right. */
static esign_audit_event_e refusal_of(const esign_request_t *q,
                                      const esign_subscriber_t *subscriber)
{
    if (!subscriber || !esign_limits_waiting(subscriber, q->now))
        return ESIGN_AUDIT_WORD_REFUSED;
    return subscriber->closed ? ESIGN_AUDIT_REFUSED_CLOSED : ESIGN_AUDIT_REFUSED_WAITING;
}

esign_result_t esign_limits_record_word(esign_request_t *q, const esign_subscriber_t *subscriber,
                                        int *accepted)
{
    apr_pool_t *p = q->r->pool;
    apr_int64_t id = subscriber ? subscriber->id : ESIGN_SUBSCRIBER_NONE;
    apr_int64_t counted = subscriber && !esign_limits_waiting(subscriber, q->now) && !*accepted
                              ? id
                              : ESIGN_SUBSCRIBER_NONE;
    esign_subscriber_t *now = NULL;
    int closing = 0, often = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_failed(q->database, counted, &esign_failure_limits, 0, q->now,
                                         &closing, p);
    if (!esign_failed(result) && *accepted) {
        result = esign_subscriber_get(q->database, id, &now, p);
        if (!esign_failed(result))
            result = esign_limits_often(q, ESIGN_AUDIT_WORD_ACCEPTED, id, &often);
        *accepted = !esign_failed(result) && now && !esign_limits_waiting(now, q->now) && !often;
    }
    esign_audit_event_e event = *accepted ? ESIGN_AUDIT_WORD_ACCEPTED
                                : closing ? ESIGN_AUDIT_CLOSED
                                : often   ? ESIGN_AUDIT_REFUSED_WAITING
                                          : refusal_of(q, now ? now : subscriber);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, event, id, q->address, q->now, p);
    return esign_request_end(q, result);
}

int esign_limits_fresh(const esign_request_t *q)
{
    return q->now - q->proved <= PROOF_FRESH;
}

int esign_limits_word_fresh(const esign_request_t *q)
{
    return q->now - q->worded <= PROOF_FRESH;
}

const char *esign_limits_seconds(const esign_request_t *q, apr_time_t moment)
{
    apr_time_t left = moment - q->now;
    return apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT,
                        left > APR_USEC_PER_SEC ? (left + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC
                                                : 1);
}

const char *esign_limits_held(const esign_request_t *q)
{
    const esign_subscriber_t *s = q->subscriber;
    return esign_limits_seconds(q,
                                s->closed ? q->now + esign_failure_limits.longest : s->wait_until);
}
