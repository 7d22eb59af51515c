/* SPDX-License-Identifier: Apache-2.0 */
/* courier.c: rounds over the outbox. */
#include "courier_private.h"

#include "cache/throttle.h"
#include "core/base64.h"
#include "core/digest.h"

#include <apr_strings.h>

#include <stdarg.h>
#include <stdlib.h>
#include <syslog.h>

_Static_assert(1 + ESIGN_GATEWAYS_MAX <= ESIGN_METER_SERVERS_MAX,
               "ESIGN_METER_SERVERS_MAX is too small");

#define EXPIRE_EVERY apr_time_from_sec(10)
#define PURGE_MAX 100
#define MINUTE apr_time_from_sec(60)
#define ASK_AGAIN apr_time_from_sec(5)
#define LOOK_EVERY apr_time_from_msec(20)
/* Mails in a lease, whose making holds up a code; and mails that wait for a free connection or are
 * under way. */
#define TAKE_MAX 64
#define AHEAD_MAX 512

void esign_courier_say(const esign_courier_t *courier, int level, apr_status_t status,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    courier->options->log(courier->options->baton, level, status,
                          apr_pvsprintf(courier->round, format, arguments));
    va_end(arguments);
}

static void complain(const esign_courier_t *courier, esign_result_t result)
{
    if (esign_failed(result))
        esign_courier_say(courier, LOG_ERR, result.status, "%s: %s", result.problem, result.detail);
}

const esign_sms_gateway_t *esign_courier_gateway(const esign_courier_t *courier, int gateway)
{
    return &APR_ARRAY_IDX(courier->options->gateways, gateway, esign_sms_gateway_t);
}

/* Messages are counted in handfuls, this part of the ceiling each, so that most cost memcached
 * nothing. A handful is good for a minute: no minute has more than one too many. */
#define HANDFUL 60

/* How many of the free places the ceiling leaves, over all nodes; those that look at the same
 * instant each find the same room. Not knowing is a refusal. */
static int below(esign_courier_t *courier, esign_courier_ceiling_t *ceiling, int places)
{
    const esign_courier_options_t *o = courier->options;
    esign_throttle_policy_t policy = { .limit = ceiling->limit, .window = MINUTE };
    apr_interval_time_t retry = ASK_AGAIN;
    apr_time_t clock = esign_clock();
    if (ceiling->limit == 0 || places <= 0)
        return places;
    if (clock - ceiling->permitted >= MINUTE)
        ceiling->permits = 0;
    if (ceiling->permits > 0)
        return ceiling->permits < places ? ceiling->permits : places;
    if (clock < ceiling->held)
        return 0;
    esign_cache_answer_e answer =
        esign_throttle_check(o->cache, ceiling->what, o->message.url, &policy, apr_time_now(),
                             &ceiling->counted, &ceiling->room, &retry, courier->round);
    if (answer == ESIGN_CACHE_DONE)
        return ceiling->room < places ? ceiling->room : places;
    ceiling->held = clock + retry;
    if (ceiling->told == 0 || clock - ceiling->told >= MINUTE) {
        ceiling->told = clock;
        if (answer == ESIGN_CACHE_MISS)
            esign_courier_say(courier, LOG_WARNING, 0,
                              "%d %s in a minute, as many as %s lets go: others wait",
                              ceiling->limit, ceiling->what, ceiling->directive);
        else
            esign_courier_say(courier, LOG_WARNING, 0,
                              "%s wait until memcached tells how many have left (%s): %s",
                              ceiling->what, ceiling->directive,
                              esign_cache_error(o->cache, courier->round));
    }
    return 0;
}

static void count(const esign_courier_t *courier, esign_courier_ceiling_t *ceiling, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_throttle_policy_t policy = { .limit = ceiling->limit, .window = MINUTE };
    if (ceiling->limit == 0)
        return;
    if (ceiling->permits == 0) {
        int handful =
            ceiling->limit / HANDFUL < ceiling->room ? ceiling->limit / HANDFUL : ceiling->room;
        ceiling->permits = handful > 1 ? handful : 1;
        ceiling->permitted = esign_clock();
        ceiling->room -= ceiling->permits;
        esign_throttle_count(o->cache, ceiling->what, o->message.url, &policy, apr_time_now(),
                             ceiling->permits, &ceiling->counted, p);
    }
    ceiling->permits--;
}

/* How many mails to lease: as many as keep the connections busy, one behind a pause of the server,
 * none before. */
static int mail_places(const esign_courier_t *courier)
{
    int pending = esign_transport_pending_mail(courier->transport), room = courier->ahead - pending;
    if (!esign_breaker_may_try(&courier->mail_server.breaker, pending, esign_clock()))
        return 0;
    if (courier->mail_server.breaker.until != 0)
        return 1;
    return pending > courier->ahead / 2 ? 0 : room > TAKE_MAX ? TAKE_MAX : room;
}

static int by_whose(const void *one, const void *other)
{
    apr_int64_t a = (*(esign_courier_task_t *const *)one)->whose,
                b = (*(esign_courier_task_t *const *)other)->whose;
    return (a > b) - (a < b);
}

/* Counts mails in the order of their subscribers, in which `key rotate` goes, too: two who each
 * hold what the other wants would end in PostgreSQL's "deadlock detected". */
static esign_result_t claim(esign_courier_t *courier, const apr_array_header_t *tasks, int first,
                            apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    apr_array_header_t *order = apr_array_make(p, TAKE_MAX, sizeof(esign_courier_task_t *));
    for (int i = first; i < tasks->nelts; i++)
        APR_ARRAY_PUSH(order, esign_courier_task_t *) =
            &APR_ARRAY_IDX(tasks, i, esign_courier_task_t);
    qsort(order->elts, (size_t)order->nelts, (size_t)order->elt_size, by_whose);
    for (int i = 0; !esign_failed(result) && i < order->nelts; i++) {
        esign_courier_task_t *task = APR_ARRAY_IDX(order, i, esign_courier_task_t *);
        esign_courier_start_claim(courier, task, p);
        if (courier->database->broken)
            result = task->found;
    }
    return result;
}

_Static_assert(ESIGN_OUTBOX_KINDS <= ESIGN_METER_KINDS, "ESIGN_METER_KINDS is too small");

/* Counts and audits leased messages of a kind whose sealed values do not open. */
static esign_result_t record_unreadable(const esign_courier_t *courier, esign_outbox_kind_e kind,
                                        int count, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (; count > 0 && !esign_failed(result); count--) {
        courier->options->meter->messages[kind].failed++;
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGE_GIVEN_UP,
                                 ESIGN_SUBSCRIBER_NONE, ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    }
    return result;
}

/* Leases messages of a kind and finds out whom they are for. */
static esign_result_t take(esign_courier_t *courier, esign_outbox_kind_e kind, int places,
                           apr_time_t now, apr_array_header_t *tasks, apr_pool_t *p)
{
    const apr_array_header_t *messages;
    int unreadable, first = tasks->nelts;
    if (places <= 0)
        return ESIGN_OK;
    esign_result_t result = esign_outbox_lease(courier->database, courier->owner, kind, places, now,
                                               ESIGN_COURIER_LEASE, &messages, &unreadable, p);
    if (!esign_failed(result))
        result = record_unreadable(courier, kind, unreadable, p);
    for (int i = 0; !esign_failed(result) && i < messages->nelts; i++) {
        const esign_outbox_message_t *message = &APR_ARRAY_IDX(messages, i, esign_outbox_message_t);
        /* It was lost to another courier, which gave it back while its transfer here still hangs:
         * that one has its hold again, and none is begun beside it. */
        if (apr_hash_get(courier->deliveries, &message->id, sizeof(message->id)))
            continue;
        esign_courier_task_t *task = apr_array_push(tasks);
        *task = (esign_courier_task_t){ .message = message,
                                        .whose = ESIGN_SUBSCRIBER_NONE,
                                        .outcome = ESIGN_AUDIT_EVENTS };
        esign_courier_start_find(courier, task, p);
        /* A subscriber whose row cannot be unsealed is this message's failure; one of the database
         * is that of all. */
        if (courier->database->broken)
            result = task->found;
    }
    return esign_failed(result) ? result : claim(courier, tasks, first, p);
}

static int renewal_due(const esign_courier_t *courier)
{
    return courier->renewed == 0 || (apr_hash_count(courier->deliveries) > 0 &&
                                     esign_clock() - courier->renewed >= ESIGN_COURIER_RENEW);
}

/* Leases of a transaction whose commit was not answered stand there, and nobody here knows of them:
 * they go back. */
static esign_result_t renew(const esign_courier_t *courier, apr_time_t until,
                            const apr_array_header_t **ids, apr_pool_t *p)
{
    esign_result_t result = esign_outbox_renew(courier->database, courier->owner, until, ids, p);
    for (int i = 0; !esign_failed(result) && i < (*ids)->nelts; i++) {
        const apr_int64_t *id = &APR_ARRAY_IDX(*ids, i, apr_int64_t);
        if (!apr_hash_get(courier->deliveries, id, sizeof(*id)))
            result = esign_outbox_release(courier->database, courier->owner, *id, apr_time_now(),
                                          "a lease of it was not answered", p);
    }
    return result;
}

/* What is not among `ids` was taken by others, because the renewal before came too late: it is held
 * no longer than it was. */
static void extend(const esign_courier_t *courier, const apr_array_header_t *ids, apr_time_t until)
{
    for (int i = 0; i < ids->nelts; i++) {
        esign_delivery_t *delivery = apr_hash_get(
            courier->deliveries, &APR_ARRAY_IDX(ids, i, apr_int64_t), sizeof(apr_int64_t));
        if (delivery)
            delivery->hold.until = until;
    }
}

/* Ends, renewals and leases in one transaction. `places`: how many messages of each kind to lease
 * at most; both kinds of mails together no more than of one. */
static esign_result_t exchange(esign_courier_t *courier, const int places[ESIGN_OUTBOX_KINDS],
                               apr_array_header_t *tasks, apr_pool_t *p)
{
    const apr_array_header_t *held = NULL;
    /* In this order: no hold begins later than its lease. */
    apr_time_t began = esign_clock(), now = apr_time_now();
    esign_result_t result = esign_database_begin(courier->database, p);
    if (!esign_failed(result))
        result = esign_outcomes_write(courier->ends, courier->database, courier->owner, p);
    if (!esign_failed(result) && renewal_due(courier))
        result = renew(courier, now + ESIGN_COURIER_LEASE, &held, p);
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_CODE, places[ESIGN_OUTBOX_CODE], now, tasks, p);
    /* Notices before requests: what strangers ask for without end must not keep the owner from
     * hearing that somebody got in. */
    int others = tasks->nelts;
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_NOTICE, places[ESIGN_OUTBOX_NOTICE], now, tasks, p);
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_RESET_REQUEST,
                      places[ESIGN_OUTBOX_RESET_REQUEST] - (tasks->nelts - others), now, tasks, p);
    result = esign_database_end(courier->database, result, p);
    courier->leased = began;
    if (esign_failed(result)) {
        courier->renewed = 0;
        return result;
    }
    esign_outcomes_clear(courier->ends);
    if (held)
        extend(courier, held, began + ESIGN_COURIER_HOLD);
    if (held || apr_hash_count(courier->deliveries) == 0)
        courier->renewed = began;
    return result;
}

static void start(esign_courier_t *courier, const esign_courier_task_t *task,
                  esign_courier_ceiling_t *ceiling)
{
    if (esign_courier_start(courier, task) && task->subscriber)
        count(courier, ceiling, courier->round);
}

/* Codes stand first: their requests go out before mails are made. */
static void start_all(esign_courier_t *courier, const apr_array_header_t *tasks)
{
    int i = 0;
    while (i < tasks->nelts &&
           APR_ARRAY_IDX(tasks, i, esign_courier_task_t).message->kind == ESIGN_OUTBOX_CODE)
        start(courier, &APR_ARRAY_IDX(tasks, i++, esign_courier_task_t), &courier->sms);
    if (i > 0)
        esign_transport_finish(courier->transport);
    while (i < tasks->nelts)
        start(courier, &APR_ARRAY_IDX(tasks, i++, esign_courier_task_t), &courier->mails);
}

/* Looks what is due, and for which of it there is room, which memcached is asked for. Most looks
 * find nothing, and nobody's turn to write is taken for it. */
static esign_result_t look_for(esign_courier_t *courier, int codes, int mails, apr_time_t now,
                               int places[ESIGN_OUTBOX_KINDS], apr_pool_t *p)
{
    int due[ESIGN_OUTBOX_KINDS];
    courier->looked = now;
    esign_result_t result = esign_outbox_due(courier->database, now, due, p);
    if (esign_failed(result))
        return result;
    mails = due[ESIGN_OUTBOX_NOTICE] || due[ESIGN_OUTBOX_RESET_REQUEST]
                ? below(courier, &courier->mails, mails)
                : 0;
    places[ESIGN_OUTBOX_CODE] = due[ESIGN_OUTBOX_CODE] ? below(courier, &courier->sms, codes) : 0;
    places[ESIGN_OUTBOX_NOTICE] = due[ESIGN_OUTBOX_NOTICE] ? mails : 0;
    places[ESIGN_OUTBOX_RESET_REQUEST] = due[ESIGN_OUTBOX_RESET_REQUEST] ? mails : 0;
    return ESIGN_OK;
}

/* Writes ends, renews leases and starts what is due, when it is time for one of them. `*taken`: how
 * many messages. */
static esign_result_t turn(esign_courier_t *courier, int *taken)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = apr_time_now(), ends_due = esign_outcomes_due(courier->ends);
    int mails_pending = esign_transport_pending_mail(courier->transport),
        codes_pending = esign_transport_pending_sms(courier->transport);
    int mails = mail_places(courier),
        codes = o->gateways->nelts > 0 ? o->sms_at_once - codes_pending : 0,
        idle = mails_pending + codes_pending == 0;
    int look = (codes > 0 || mails > 0) &&
               (idle || now < courier->looked || now - courier->looked >= LOOK_EVERY),
        renewal = renewal_due(courier);
    *taken = 0;
    if (!look && !renewal && (ends_due == 0 || (now < ends_due && !idle)))
        return ESIGN_OK;
    int places[ESIGN_OUTBOX_KINDS] = { 0 };
    apr_pool_t *p;
    apr_pool_create(&p, courier->round);
    apr_array_header_t *tasks = apr_array_make(p, TAKE_MAX, sizeof(esign_courier_task_t));
    esign_result_t result = look ? look_for(courier, codes, mails, now, places, p) : ESIGN_OK;
    mails = places[ESIGN_OUTBOX_NOTICE] > 0 ? places[ESIGN_OUTBOX_NOTICE]
                                            : places[ESIGN_OUTBOX_RESET_REQUEST];
    if (!esign_failed(result) &&
        (places[ESIGN_OUTBOX_CODE] > 0 || mails > 0 || ends_due != 0 || renewal))
        result = exchange(courier, places, tasks, p);
    if (!esign_failed(result))
        start_all(courier, tasks);
    *taken = tasks->nelts;
    /* The connections were hungry, and there may be more. */
    if (mails > 0 && tasks->nelts >= mails && mails_pending < o->smtp->connections &&
        courier->mail_server.breaker.until == 0 && courier->ahead < AHEAD_MAX)
        courier->ahead *= 2;
    result.detail = apr_pstrdup(courier->round, result.detail);
    apr_pool_destroy(p);
    return result;
}

esign_result_t esign_courier_create(esign_courier_t **courier,
                                    const esign_courier_options_t *options, apr_pool_t *p)
{
    unsigned char name[12];
    esign_courier_t *made = apr_pcalloc(p, sizeof(*made));
    esign_digest_random(name, sizeof(name));
    made->options = options;
    made->pool = p;
    made->owner = esign_base64_url_encode(p, name, sizeof(name));
    made->deliveries = apr_hash_make(p);
    made->ends = esign_outcomes_make(p);
    made->mails = (esign_courier_ceiling_t){ .what = "mails",
                                             .directive = "EsignMailsPerMinute",
                                             .limit = options->mails_per_minute };
    made->sms = (esign_courier_ceiling_t){ .what = "SMS",
                                           .directive = "EsignSMSPerMinute",
                                           .limit = options->sms_per_minute };
    made->ahead = options->smtp->connections;
    made->mail_server.left_until = &options->meter->left_until[0];
    made->mail_server.name =
        apr_pstrcat(p, "mail server ", esign_transport_mail_host(options->smtp, p), NULL);
    made->gateways = apr_pcalloc(p, sizeof(*made->gateways) * (apr_size_t)options->gateways->nelts);
    for (int i = 0; i < options->gateways->nelts; i++) {
        made->gateways[i].left_until = &options->meter->left_until[1 + i];
        made->gateways[i].name =
            apr_psprintf(p, "SMS gateway %s (%s)", esign_courier_gateway(made, i)->name,
                         esign_transport_gateway_host(esign_courier_gateway(made, i), p));
    }
    /* Nothing is known yet of any. */
    for (int i = 0; i < ESIGN_METER_SERVERS_MAX; i++)
        options->meter->left_until[i] = 0;
    *courier = made;
    return esign_transport_create(&made->transport, options->smtp, esign_courier_end_transfer, made,
                                  p);
}

/* Ends messages whose time is over, and takes away what was given up long ago. Whose they were
 * stands sealed in their rows. Where nothing else is written this tells that nothing can be: until
 * it succeeds, no round does. */
static esign_result_t expire(esign_courier_t *courier)
{
    apr_time_t now = apr_time_now(), clock = esign_clock();
    int counts[ESIGN_OUTBOX_KINDS] = { 0 }, expired = 0, unreported = 0, purged = 0;
    if (courier->expired != 0 && clock - courier->expired < EXPIRE_EVERY)
        return ESIGN_OK;
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_expire(courier->database, now, counts, &unreported, courier->round);
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
        expired += counts[kind];
    if (!esign_failed(result) && expired > 0)
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGES_EXPIRED,
                                 ESIGN_SUBSCRIBER_NONE, ESIGN_AUDIT_LOCAL, now, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_purge(courier->database, now - courier->options->keep, PURGE_MAX,
                                    &purged, courier->round);
    result = esign_database_end(courier->database, result, courier->round);
    if (!esign_failed(result))
        courier->expired = clock;
    if (!esign_failed(result) && unreported > 0)
        esign_courier_say(courier, LOG_NOTICE, 0,
                          "of %d codes that were sent no gateway has reported what became of them",
                          unreported);
    if (!esign_failed(result) && expired > 0)
        esign_courier_say(courier, LOG_WARNING, 0, "%d messages expired unsent", expired);
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS && !esign_failed(result); kind++)
        courier->options->meter->messages[kind].failed += (apr_uint64_t)counts[kind];
    if (!esign_failed(result) && purged > 0)
        esign_courier_say(courier, LOG_INFO, 0,
                          "%d messages that were given up have been kept as long as "
                          "EsignOutboxKeep says, and are gone",
                          purged);
    return result;
}

esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, int called,
                                   apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    int taken = 0;
    courier->database = database;
    courier->round = p;
    if (called)
        courier->looked = 0;
    esign_result_t result = database ? expire(courier) : ESIGN_OK;
    do {
        esign_transport_finish(courier->transport);
        if (database && !esign_failed(result))
            result = turn(courier, &taken);
        if (database && !esign_failed(result))
            o->meter->round = apr_time_now();
    } while (!esign_failed(result) && taken > 0 && !o->stopping(o->baton));
    courier->cut_off = !database || esign_failed(result);
    courier->database = NULL;
    courier->round = NULL;
    return result;
}

void esign_courier_wait(esign_courier_t *courier, int wake, apr_interval_time_t wait)
{
    apr_time_t due = esign_outcomes_due(courier->ends), now = apr_time_now();
    if (esign_transport_pending_mail(courier->transport) > 0 && wait > LOOK_EVERY)
        wait = LOOK_EVERY;
    if (due != 0 && !courier->cut_off && due - now < wait)
        wait = due - now;
    esign_transport_wait(courier->transport, wake, wait);
}

int esign_courier_pending(const esign_courier_t *courier)
{
    return esign_transport_pending_mail(courier->transport) +
           esign_transport_pending_sms(courier->transport);
}

int esign_courier_leave(esign_courier_t *courier, apr_interval_time_t wait, apr_pool_t *p)
{
    courier->round = p;
    courier->ending = 1;
    esign_transport_recall_mails(courier->transport);
    if (esign_transport_finish(courier->transport) > 0)
        esign_transport_wait(courier->transport, -1, wait);
    int left = esign_transport_finish(courier->transport);
    courier->round = NULL;
    return left;
}

void esign_courier_break(esign_courier_t *courier)
{
    esign_transport_stop_mails(courier->transport);
}

void esign_courier_finish(esign_courier_t *courier, esign_database_t *database, apr_pool_t *p)
{
    courier->database = database;
    courier->round = p;
    esign_transport_join_mails(courier->transport);
    esign_transport_finish(courier->transport);
    for (apr_hash_index_t *i = apr_hash_first(p, courier->deliveries); i; i = apr_hash_next(i)) {
        void *delivery;
        apr_hash_this(i, NULL, NULL, &delivery);
        esign_courier_end(courier, delivery, ESIGN_END_RETRY, apr_time_now(), "the process ended");
    }
    const int nowhere[ESIGN_OUTBOX_KINDS] = { 0 };
    apr_array_header_t *none = apr_array_make(p, 1, sizeof(esign_courier_task_t));
    if (database)
        complain(courier, exchange(courier, nowhere, none, p));
    courier->database = NULL;
    courier->round = NULL;
}
