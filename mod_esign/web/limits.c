/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: counts requests of an address, its network and a known browser in memcached. */
#include "limits.h"

#include "audit/trail.h"
#include "cache/throttle.h"
#include "client.h"
#include "device.h"
#include "form.h"

#include <apr_strings.h>

/* A customer of a provider often has an IPv6 /48, and could send from each of its /64 networks,
 * which are counted apart. All of them together may send this many times as often as one. */
#define NETWORK_FACTOR 16

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

/* Checks the count of a known browser, when the address has reached its limit: guesses from an
 * office or a mobile network must not keep its other people out. The browser counts as known if the
 * subscriber of the form's number has signed in with it. All its requests are counted. The cost is
 * the same whether the number is registered or not. */
static esign_cache_answer_e check_browser(esign_request_t *q, const char *what,
                                          const esign_throttle_policy_t *policy,
                                          apr_interval_time_t *retry)
{
    apr_pool_t *p = q->r->pool;
    char id[ESIGN_NATIONAL_ID_MAX + 1];
    esign_subscriber_t *subscriber, nobody = { .id = ESIGN_SUBSCRIBER_NONE };
    esign_throttle_seen_t counted;
    int room;
    if (!esign_client_cookie(q->r, ESIGN_COOKIE_DEVICE) || esign_form_id_problem(q, id) ||
        !esign_request_database(q))
        return ESIGN_CACHE_MISS;
    esign_result_t result = esign_subscriber_find(q->database, id, &subscriber, p);
    esign_request_release(q);
    if (esign_failed(result))
        esign_request_log(q, result);
    /* Looks for the mark of a subscriber that does not exist, at the same cost. */
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

esign_limits_e esign_limits_check(esign_request_t *q, const char *what, int limit,
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
    if (answer == ESIGN_CACHE_DONE)
        return ESIGN_LIMITS_BELOW;
    if (answer == ESIGN_CACHE_ERROR) {
        esign_request_log_cache(q);
        return ESIGN_LIMITS_UNAVAILABLE;
    }
    apr_table_setn(q->r->err_headers_out, "Retry-After", esign_request_seconds(q, q->now + retry));
    *minutes = apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT, apr_time_sec(retry) / 60 + 1);
    esign_request_log_refusal(q, esign_event_name(refusal));
    esign_limits_audit(q, refusal, ESIGN_SUBSCRIBER_NONE);
    return ESIGN_LIMITS_REACHED;
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
