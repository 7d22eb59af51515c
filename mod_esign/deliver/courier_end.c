/* SPDX-License-Identifier: Apache-2.0 */
/* courier_end.c: how a message's transfer ended, and what follows for it and for its server. */
#include "courier_private.h"

#include "core/digest.h"
#include "core/iso_time.h"

#include <apr_strings.h>

#include <syslog.h>

#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(15 * 60)
#define SHORT_PAUSE apr_time_from_sec(1)

/* Growing pauses, a fifth more or less, so that what failed together does not come back together.
 */
static apr_interval_time_t pause_after(int attempts)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    for (int i = 1; i < attempts && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE)
        pause = LONGEST_PAUSE;
    return pause * 4 / 5 + esign_digest_random_id() % (pause * 2 / 5);
}

void esign_courier_end(esign_courier_t *courier, esign_delivery_t *delivery, esign_end_e end,
                       apr_time_t due, const char *error)
{
    delivery->end = end;
    delivery->due = due;
    delivery->error = apr_pstrdup(delivery->pool, error);
    esign_outcomes_add(courier->ends, delivery, apr_time_now());
}

/* A try failed, and was not the last: one line in the log, which message, which try, what the
 * server said, and when it is tried again; `due` 0: it is not. */
static void tell(const esign_courier_t *courier, const esign_delivery_t *delivery,
                 const char *error, apr_time_t due)
{
    const char *next =
        due == 0 ? ""
        : due <= apr_time_now()
            ? "; again at once"
            : apr_pstrcat(courier->round, "; again at ", esign_iso_time(courier->round, due), NULL);
    esign_courier_say(
        courier, LOG_WARNING, 0, "a %s was not sent (message %" APR_INT64_T_FMT ", try %d): %s%s",
        esign_outbox_kind_name(delivery->kind), delivery->id, delivery->attempts, error, next);
    courier->options->meter->messages[delivery->kind].retried++;
}

static void retry(esign_courier_t *courier, esign_delivery_t *delivery, apr_time_t due,
                  const char *error)
{
    tell(courier, delivery, error, due);
    esign_courier_end(courier, delivery, ESIGN_END_RETRY, due, error);
}

void esign_courier_end_failed(esign_courier_t *courier, esign_delivery_t *delivery,
                              const char *error)
{
    retry(courier, delivery, apr_time_now() + pause_after(delivery->attempts), error);
}

void esign_courier_end_bury(esign_courier_t *courier, esign_delivery_t *delivery, const char *error)
{
    esign_courier_say(
        courier, LOG_ERR, 0, "a %s is given up (message %" APR_INT64_T_FMT ", try %d): %s",
        esign_outbox_kind_name(delivery->kind), delivery->id, delivery->attempts, error);
    courier->options->meter->messages[delivery->kind].failed++;
    esign_courier_end(courier, delivery, ESIGN_END_BURY, 0, error);
}

/* Why a message was not sent, for log and outbox; NULL when it was. */
static const char *said_by(const esign_courier_t *courier, const esign_courier_server_t *server,
                           const char *words)
{
    return words ? apr_pstrcat(courier->round, server->name, ": ", words, NULL) : NULL;
}

/* How long a server is still left alone; a moment, when it is not. */
static apr_interval_time_t pause_of(const esign_courier_server_t *server)
{
    apr_interval_time_t left = server->breaker.until - esign_clock();
    return left > 0 ? left : SHORT_PAUSE;
}

/* What the end of a transfer tells of the server. 1: it is left alone from now on. */
static int hear_of(const esign_courier_t *courier, esign_courier_server_t *server,
                   esign_transfer_outcome_e outcome, const char *words)
{
    if (outcome == ESIGN_TRANSFER_UNTRIED || courier->ending)
        return 0;
    if (outcome != ESIGN_TRANSFER_UNREACHABLE && outcome != ESIGN_TRANSFER_UNANSWERED) {
        if (esign_breaker_worked(&server->breaker))
            esign_courier_say(courier, LOG_NOTICE, 0, "%s answers again", server->name);
        *server->left_until = 0;
        return 0;
    }
    int first = esign_breaker_failed(&server->breaker, esign_clock());
    *server->left_until = server->breaker.until;
    if (!first)
        return 0;
    esign_courier_say(courier, LOG_ERR, 0, "%s is left alone, and tried now and then: %s",
                      server->name, words);
    return 1;
}

/* A gateway is done with a code: the next one's turn is at `due`, if there is one. Else the code
 * was sent, as far as anybody can know before its report, or is given up. */
static void hand_on(esign_courier_t *courier, esign_delivery_t *delivery, int accepted,
                    apr_time_t due, const char *error)
{
    apr_int64_t done = delivery->gateways | APR_INT64_C(1) << delivery->gateway;
    int last = esign_gateway_turn(courier->options->gateways->nelts, done,
                                  delivery->attempts + 1) == ESIGN_GATEWAY_NONE;
    if (last && !accepted && delivery->awaited < 0) {
        esign_courier_end_bury(courier, delivery, error);
        return;
    }
    if (error)
        tell(courier, delivery, error, last ? 0 : due);
    delivery->accepted = accepted;
    esign_courier_end(courier, delivery, ESIGN_END_HAND_ON, last ? delivery->expires : due, error);
}

void esign_courier_end_pass(esign_courier_t *courier, esign_delivery_t *delivery)
{
    const esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    int count = courier->options->gateways->nelts;
    apr_time_t now = apr_time_now(), due = now;
    if (esign_gateway_round_over(count, delivery->gateways, delivery->attempts)) {
        apr_time_t own = now + pause_after(delivery->attempts / count),
                   until = now + pause_of(server);
        due = own < until ? own : until;
    }
    esign_courier_end(courier, delivery, ESIGN_END_RETRY, due,
                      apr_pstrcat(courier->round, server->name, " is left alone", NULL));
}

/* Whether it was the end of the code's life that left the gateway no time to answer. libcurl counts
 * in whole milliseconds. */
static int ran_out(const esign_delivery_t *delivery, esign_transfer_outcome_e outcome,
                   apr_time_t now)
{
    return (outcome == ESIGN_TRANSFER_UNREACHABLE || outcome == ESIGN_TRANSFER_UNANSWERED) &&
           now >= delivery->expires - apr_time_from_msec(2);
}

/* How a gateway's turn with a code ended. What it may have taken is never given to it again. */
static void code_done(esign_courier_t *courier, esign_delivery_t *delivery,
                      esign_transfer_outcome_e outcome, const char *words)
{
    const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, delivery->gateway);
    esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    const char *error = said_by(courier, server, words);
    apr_time_t now = apr_time_now();
    int count = courier->options->gateways->nelts;
    server->under_way--;
    if (!ran_out(delivery, outcome, now))
        hear_of(courier, server, outcome, words);
    courier->options->meter->messages[delivery->kind].sent += outcome == ESIGN_TRANSFER_SENT;
    if (outcome == ESIGN_TRANSFER_SENT && !esign_gateway_reports(gateway))
        esign_courier_end(courier, delivery, ESIGN_END_SENT, 0, NULL);
    else if (outcome == ESIGN_TRANSFER_SENT)
        hand_on(courier, delivery, 1, now + gateway->report_wait, NULL);
    else if (outcome == ESIGN_TRANSFER_UNTRIED)
        esign_courier_end(courier, delivery, ESIGN_END_RELEASE, now, words);
    else if (outcome == ESIGN_TRANSFER_UNANSWERED)
        hand_on(courier, delivery, esign_gateway_reports(gateway), now, error);
    else if (outcome == ESIGN_TRANSFER_NEVER)
        hand_on(courier, delivery, 0, now, error);
    else if (esign_gateway_round_over(count, delivery->gateways, delivery->attempts))
        retry(courier, delivery, now + pause_after(delivery->attempts / count), error);
    else
        retry(courier, delivery, now, error);
}

int esign_courier_is_no_mail(const esign_delivery_t *delivery)
{
    return delivery->kind == ESIGN_OUTBOX_RESET_REQUEST &&
           delivery->outcome != ESIGN_AUDIT_RESET_MAILED;
}

static void mail_done(esign_courier_t *courier, esign_delivery_t *delivery,
                      esign_transfer_outcome_e outcome, const char *words)
{
    const char *error = said_by(courier, &courier->mail_server, words);
    apr_time_t now = apr_time_now(), pause_end = now + pause_of(&courier->mail_server);
    if (outcome == ESIGN_TRANSFER_SENT && esign_courier_is_no_mail(delivery)) {
        /* It tells nothing of the server. */
        esign_courier_end(courier, delivery, ESIGN_END_SENT, 0, NULL);
        return;
    }
    if (outcome == ESIGN_TRANSFER_UNREACHABLE || outcome == ESIGN_TRANSFER_UNTRIED)
        courier->ahead = courier->options->smtp->connections;
    if (hear_of(courier, &courier->mail_server, outcome, words))
        esign_transport_recall_mails(courier->transport);
    switch (outcome) {
    case ESIGN_TRANSFER_SENT:
        courier->options->meter->messages[delivery->kind].sent++;
        esign_courier_end(courier, delivery, ESIGN_END_SENT, 0, NULL);
        break;
    case ESIGN_TRANSFER_NEVER:
        esign_courier_end_bury(courier, delivery, error);
        break;
    case ESIGN_TRANSFER_UNREACHABLE:
        /* Its pause is the server's. */
        retry(courier, delivery, courier->ending ? now : pause_end, error);
        break;
    case ESIGN_TRANSFER_UNTRIED:
        esign_courier_end(courier, delivery, ESIGN_END_RELEASE,
                          courier->ending ? now : now + SHORT_PAUSE, words);
        break;
    default:
        esign_courier_end_failed(courier, delivery, error);
    }
}

void esign_courier_end_transfer(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome,
                                const char *words)
{
    esign_courier_t *courier = baton;
    esign_delivery_t *delivery = apr_hash_get(courier->deliveries, &id, sizeof(id));
    apr_hash_set(courier->deliveries, &delivery->id, sizeof(delivery->id), NULL);
    if (delivery->kind == ESIGN_OUTBOX_CODE)
        code_done(courier, delivery, outcome, words);
    else
        mail_done(courier, delivery, outcome, words);
}
