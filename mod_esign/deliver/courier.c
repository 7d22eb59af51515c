/* SPDX-License-Identifier: Apache-2.0 */
/* courier.c: rounds over the outbox. */
#include "courier.h"

#include "courier_end.h"
#include "courier_lease.h"
#include "courier_start.h"
#include "mail.h"
#include "sms.h"

#include "core/base64.h"
#include "core/digest.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <syslog.h>

_Static_assert(1 + ESIGN_GATEWAYS_MAX <= ESIGN_METER_SERVERS_MAX,
               "ESIGN_METER_SERVERS_MAX is too small");

#define EXPIRE_EVERY apr_time_from_sec(10)
#define PURGE_MAX 100
#define LOOK_EVERY apr_time_from_msec(20)
/* Mails that are under way or wait for a free connection. */
#define AHEAD_MAX 512

static void log_failure(const esign_courier_t *courier, esign_result_t result)
{
    if (esign_failed(result))
        esign_courier_log(courier, LOG_ERR, result.status, "%s: %s", result.problem, result.detail);
}

/* How many of `places` messages the ceiling lets leave now. */
static int room_below(const esign_courier_t *courier, esign_ceiling_t *ceiling, int places)
{
    const char *warning;
    int room = esign_ceiling_room(ceiling, places, courier->options->now(),
                                  courier->options->clock(), &warning, courier->round);
    if (warning)
        esign_courier_log(courier, LOG_WARNING, 0, "%s", warning);
    return room;
}

/* How many mails to lease: as many as keep the connections busy. While the breaker is open none,
 * and one after its pause. */
static int mail_places(const esign_courier_t *courier)
{
    int pending = esign_transport_pending_mail(courier->transport), room = courier->ahead - pending;
    const esign_breaker_t *breaker = &courier->mail_server.breaker;
    if (!esign_breaker_may_try(breaker, pending, courier->options->clock()))
        return 0;
    if (breaker->until != 0)
        return 1;
    if (pending > courier->ahead / 2)
        return 0;
    return room > ESIGN_COURIER_LEASE_MAX ? ESIGN_COURIER_LEASE_MAX : room;
}

static void start_delivery(esign_courier_t *courier, esign_delivery_t *delivery,
                           esign_ceiling_t *ceiling)
{
    const esign_courier_options_t *o = courier->options;
    if (esign_courier_start(courier, delivery) == ESIGN_START_UNDER_WAY && delivery->subscriber)
        esign_ceiling_count(ceiling, o->now(), o->clock(), courier->round);
    delivery->row = NULL;
    delivery->subscriber = NULL;
}

/* Codes come first, and their requests go out before mails are made. */
static void start_deliveries(esign_courier_t *courier, const apr_array_header_t *deliveries)
{
    int i = 0;
    for (; i < deliveries->nelts; i++) {
        esign_delivery_t *delivery = APR_ARRAY_IDX(deliveries, i, esign_delivery_t *);
        if (delivery->kind != ESIGN_OUTBOX_CODE)
            break;
        start_delivery(courier, delivery, &courier->sms);
    }
    if (i > 0)
        esign_transport_collect(courier->transport);
    for (; i < deliveries->nelts; i++)
        start_delivery(courier, APR_ARRAY_IDX(deliveries, i, esign_delivery_t *), &courier->mails);
}

/* Reads which kinds have due rows, and only for these asks memcached how many may leave. Most looks
 * find nothing, so a look takes no write lock. */
static esign_result_t look_for_due(esign_courier_t *courier, int codes, int mails, apr_time_t now,
                                   int places[ESIGN_OUTBOX_KINDS], apr_pool_t *p)
{
    int due[ESIGN_OUTBOX_KINDS];
    courier->looked = now;
    esign_result_t result = esign_outbox_due(courier->database, now, due, p);
    if (esign_failed(result))
        return result;
    mails = due[ESIGN_OUTBOX_NOTICE] || due[ESIGN_OUTBOX_RESET_REQUEST]
                ? room_below(courier, &courier->mails, mails)
                : 0;
    places[ESIGN_OUTBOX_CODE] =
        due[ESIGN_OUTBOX_CODE] ? room_below(courier, &courier->sms, codes) : 0;
    places[ESIGN_OUTBOX_NOTICE] = due[ESIGN_OUTBOX_NOTICE] ? mails : 0;
    places[ESIGN_OUTBOX_RESET_REQUEST] = due[ESIGN_OUTBOX_RESET_REQUEST] ? mails : 0;
    return ESIGN_OK;
}

/* One pass of a round: writes outcomes, renews leases and starts due rows, each when it is time for
 * it. `*leased`: how many rows. */
static esign_result_t run_pass(esign_courier_t *courier, int *leased)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = o->now(), outcomes_due = esign_outcomes_due(courier->outcomes);
    int mails_pending = esign_transport_pending_mail(courier->transport),
        codes_pending = esign_transport_pending_sms(courier->transport);
    int mails = mail_places(courier),
        codes = o->gateways->nelts > 0 ? o->sms_at_once - codes_pending : 0,
        idle = mails_pending + codes_pending == 0;
    int look = (codes > 0 || mails > 0) &&
               (idle || now < courier->looked || now - courier->looked >= LOOK_EVERY),
        renewal = esign_courier_renewal_due(courier);
    *leased = 0;
    if (!look && !renewal && (outcomes_due == 0 || (now < outcomes_due && !idle)))
        return ESIGN_OK;
    int places[ESIGN_OUTBOX_KINDS] = { 0 };
    apr_pool_t *p;
    apr_pool_create(&p, courier->round);
    apr_array_header_t *deliveries =
        apr_array_make(p, ESIGN_COURIER_LEASE_MAX, sizeof(esign_delivery_t *));
    esign_result_t result = look ? look_for_due(courier, codes, mails, now, places, p) : ESIGN_OK;
    mails = places[ESIGN_OUTBOX_NOTICE] > 0 ? places[ESIGN_OUTBOX_NOTICE]
                                            : places[ESIGN_OUTBOX_RESET_REQUEST];
    if (!esign_failed(result) &&
        (places[ESIGN_OUTBOX_CODE] > 0 || mails > 0 || outcomes_due != 0 || renewal))
        result = esign_courier_lease(courier, places, deliveries, p);
    *leased = deliveries->nelts;
    start_deliveries(courier, deliveries);
    /* The connections ran out of mails, and there may be more. */
    if (mails > 0 && *leased >= mails && mails_pending < o->smtp->connections &&
        courier->mail_server.breaker.until == 0 && courier->ahead < AHEAD_MAX)
        courier->ahead *= 2;
    result.detail = apr_pstrdup(courier->round, result.detail);
    apr_pool_destroy(p);
    return result;
}

static void create_servers(esign_courier_t *courier)
{
    const esign_courier_options_t *o = courier->options;
    apr_pool_t *p = courier->pool;
    courier->mail_server.name =
        apr_pstrcat(p, "mail server ", esign_mail_server_host(o->smtp, p), NULL);
    courier->mail_server.left_until = &o->meter->left_until[0];
    courier->gateways = apr_pcalloc(p, sizeof(*courier->gateways) * (apr_size_t)o->gateways->nelts);
    for (int i = 0; i < o->gateways->nelts; i++) {
        const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, i);
        courier->gateways[i].name = apr_psprintf(p, "SMS gateway %s (%s)", gateway->name,
                                                 esign_sms_gateway_host(gateway, p));
        courier->gateways[i].left_until = &o->meter->left_until[1 + i];
    }
    for (int i = 0; i < ESIGN_METER_SERVERS_MAX; i++)
        o->meter->left_until[i] = 0;
}

esign_result_t esign_courier_create(esign_courier_t **courier,
                                    const esign_courier_options_t *options, apr_pool_t *p)
{
    unsigned char name[12];
    esign_courier_t *made = apr_pcalloc(p, sizeof(*made));
    esign_digest_random(name, sizeof(name));
    *made = (esign_courier_t){ .options = options,
                               .pool = p,
                               .owner = esign_base64_url_encode(p, name, sizeof(name)),
                               .deliveries = apr_hash_make(p),
                               .outcomes = esign_outcomes_create(p),
                               .mails = { .what = "mails",
                                          .directive = "EsignMailsPerMinute",
                                          .limit = options->mails_per_minute,
                                          .cache = options->cache,
                                          .url = options->message.url },
                               .sms = { .what = "SMS",
                                        .directive = "EsignSMSPerMinute",
                                        .limit = options->sms_per_minute,
                                        .cache = options->cache,
                                        .url = options->message.url },
                               .ahead = options->smtp->connections };
    create_servers(made);
    *courier = made;
    return esign_transport_create(&made->transport, options->smtp, esign_courier_end_transfer, made,
                                  p);
}

/* Logs and counts the rows that have expired. */
static void log_expired(const esign_courier_t *courier, const int expired[ESIGN_OUTBOX_KINDS],
                        int unreported, int purged)
{
    int sum = 0;
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++) {
        courier->options->meter->messages[kind].failed += (apr_uint64_t)expired[kind];
        sum += expired[kind];
    }
    if (unreported > 0)
        esign_courier_log(courier, LOG_NOTICE, 0,
                          "%d codes were sent, and no gateway has reported whether they arrived",
                          unreported);
    if (sum > 0)
        esign_courier_log(courier, LOG_WARNING, 0, "%d messages expired unsent", sum);
    if (purged > 0)
        esign_courier_log(courier, LOG_INFO, 0,
                          "%d messages that were given up were kept as long as "
                          "EsignOutboxKeep says, and are deleted",
                          purged);
}

/* Ends rows whose time is over, and deletes rows that were given up long ago. The subscribers of
 * expired rows stay in their seals, so one audit row without a subscriber counts for all. This also
 * finds a database that cannot be written to while nothing else writes: rounds fail until it
 * succeeds. */
static esign_result_t expire_rows(esign_courier_t *courier)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = o->now(), clock = o->clock();
    int expired[ESIGN_OUTBOX_KINDS] = { 0 }, any = 0, unreported = 0, purged = 0;
    if (courier->expired != 0 && clock - courier->expired < EXPIRE_EVERY)
        return ESIGN_OK;
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_expire(courier->database, now, expired, &unreported, courier->round);
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
        any |= expired[kind] > 0;
    if (!esign_failed(result) && any)
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGES_EXPIRED,
                                 ESIGN_SUBSCRIBER_NONE, ESIGN_AUDIT_LOCAL, now, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_purge(courier->database, now - o->keep, PURGE_MAX, &purged,
                                    courier->round);
    result = esign_database_end(courier->database, result, courier->round);
    if (esign_failed(result))
        return result;
    courier->expired = clock;
    log_expired(courier, expired, unreported, purged);
    return ESIGN_OK;
}

esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, int queued,
                                   apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    int leased = 0;
    courier->database = database;
    courier->round = p;
    if (queued)
        courier->looked = 0;
    esign_result_t result = database ? expire_rows(courier) : ESIGN_OK;
    do {
        esign_transport_collect(courier->transport);
        if (database && !esign_failed(result))
            result = run_pass(courier, &leased);
        if (database && !esign_failed(result))
            o->meter->round = o->now();
    } while (!esign_failed(result) && leased > 0 && !o->stopping(o->baton));
    courier->database_down = !database || esign_failed(result);
    courier->database = NULL;
    courier->round = NULL;
    return result;
}

void esign_courier_wait(esign_courier_t *courier, int wakeup, apr_interval_time_t wait)
{
    apr_time_t due = esign_outcomes_due(courier->outcomes), now = courier->options->now();
    if (esign_transport_pending_mail(courier->transport) > 0 && wait > LOOK_EVERY)
        wait = LOOK_EVERY;
    if (due != 0 && !courier->database_down && due - now < wait)
        wait = due - now;
    esign_transport_wait(courier->transport, wakeup, wait);
}

int esign_courier_pending(const esign_courier_t *courier)
{
    return esign_transport_pending_mail(courier->transport) +
           esign_transport_pending_sms(courier->transport);
}

int esign_courier_drain(esign_courier_t *courier, apr_interval_time_t wait, apr_pool_t *p)
{
    courier->round = p;
    courier->ending = 1;
    esign_transport_recall_mails(courier->transport);
    if (esign_transport_collect(courier->transport) > 0)
        esign_transport_wait(courier->transport, -1, wait);
    int left = esign_transport_collect(courier->transport);
    courier->round = NULL;
    return left;
}

void esign_courier_abort(esign_courier_t *courier)
{
    esign_transport_stop_mails(courier->transport);
}

void esign_courier_finish(esign_courier_t *courier, esign_database_t *database, apr_pool_t *p)
{
    const int no_places[ESIGN_OUTBOX_KINDS] = { 0 };
    apr_array_header_t *none = apr_array_make(p, 1, sizeof(esign_delivery_t *));
    courier->database = database;
    courier->round = p;
    esign_transport_join_mails(courier->transport);
    esign_transport_collect(courier->transport);
    for (apr_hash_index_t *i = apr_hash_first(p, courier->deliveries); i; i = apr_hash_next(i)) {
        void *delivery;
        apr_hash_this(i, NULL, NULL, &delivery);
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_RETRY, courier->options->now(),
                          "the process ended");
    }
    if (database)
        log_failure(courier, esign_courier_lease(courier, no_places, none, p));
    courier->database = NULL;
    courier->round = NULL;
}
