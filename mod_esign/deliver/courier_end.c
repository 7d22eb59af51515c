/* SPDX-License-Identifier: Apache-2.0 */
/* courier_end.c: ends a delivery: its outcome, and what follows for its server. */
#include "courier_end.h"

#include "core/digest.h"
#include "core/iso_time.h"

#include <apr_strings.h>

#include <syslog.h>

#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(15 * 60)
#define SHORT_PAUSE apr_time_from_sec(1)

/* The pause after that many attempts. A random part keeps messages that failed together from coming
 * back together. */
static apr_interval_time_t pause_after(int attempts)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    for (int i = 1; i < attempts && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE)
        pause = LONGEST_PAUSE;
    return pause * 4 / 5 + esign_digest_random_id() % (pause * 2 / 5);
}

void esign_courier_end(esign_courier_t *courier, esign_delivery_t *delivery,
                       esign_outcome_e outcome, apr_time_t due, const char *error)
{
    delivery->outcome = outcome;
    delivery->due = due;
    delivery->error = apr_pstrdup(delivery->pool, error);
    esign_outcomes_add(courier->outcomes, delivery, courier->options->now());
}

/* Logs a failed attempt in one line: which message, which attempt, the server's words, and when it
 * is tried again; `due` 0: it is not. */
static void log_failure(const esign_courier_t *courier, const esign_delivery_t *delivery,
                        const char *error, apr_time_t due)
{
    const char *next = "";
    if (due != 0)
        next = due <= courier->options->now()
                   ? "; again at once"
                   : apr_pstrcat(courier->round, "; again at ", esign_iso_time(courier->round, due),
                                 NULL);
    esign_courier_log(
        courier, LOG_WARNING, 0, "a %s was not sent (message %" APR_INT64_T_FMT ", try %d): %s%s",
        esign_outbox_kind_name(delivery->kind), delivery->id, delivery->attempts, error, next);
    courier->options->meter->messages[delivery->kind].retried++;
}

static void retry_at(esign_courier_t *courier, esign_delivery_t *delivery, apr_time_t due,
                     const char *error)
{
    log_failure(courier, delivery, error, due);
    esign_courier_end(courier, delivery, ESIGN_OUTCOME_RETRY, due, error);
}

void esign_courier_end_failed(esign_courier_t *courier, esign_delivery_t *delivery,
                              const char *error)
{
    retry_at(courier, delivery, courier->options->now() + pause_after(delivery->attempts), error);
}

void esign_courier_end_give_up(esign_courier_t *courier, esign_delivery_t *delivery,
                               const char *error)
{
    esign_courier_log(
        courier, LOG_ERR, 0, "a %s is given up (message %" APR_INT64_T_FMT ", try %d): %s",
        esign_outbox_kind_name(delivery->kind), delivery->id, delivery->attempts, error);
    courier->options->meter->messages[delivery->kind].failed++;
    esign_courier_end(courier, delivery, ESIGN_OUTCOME_GIVEN_UP, 0, error);
}

/* "SERVER: WORDS", for log and outbox; NULL where there are no words. */
static const char *error_text(const esign_courier_t *courier, const esign_courier_server_t *server,
                              const char *words)
{
    return words ? apr_pstrcat(courier->round, server->name, ": ", words, NULL) : NULL;
}

/* How long a server's breaker stays open; at least a second. */
static apr_interval_time_t server_pause(const esign_courier_t *courier,
                                        const esign_courier_server_t *server)
{
    apr_interval_time_t left = server->breaker.until - courier->options->clock();
    return left > 0 ? left : SHORT_PAUSE;
}

/* Has the breaker count a transfer's outcome. 1: it has just opened. */
static int count_outcome(const esign_courier_t *courier, esign_courier_server_t *server,
                         esign_transfer_outcome_e outcome, const char *words)
{
    if (outcome == ESIGN_TRANSFER_UNTRIED || courier->ending)
        return 0;
    if (outcome != ESIGN_TRANSFER_UNREACHABLE && outcome != ESIGN_TRANSFER_UNANSWERED) {
        if (esign_breaker_worked(&server->breaker))
            esign_courier_log(courier, LOG_NOTICE, 0, "%s answers again", server->name);
        *server->left_until = 0;
        return 0;
    }
    int opened = esign_breaker_failed(&server->breaker, courier->options->clock());
    *server->left_until = server->breaker.until;
    if (!opened)
        return 0;
    esign_courier_log(courier, LOG_ERR, 0, "%s is left alone, and tried now and then: %s",
                      server->name, words);
    return 1;
}

/* The code's gateway is not asked again: the next one has its turn at `due`. If there is no next
 * one, the code waits for a report until it expires, or is given up. */
static void end_gateway(esign_courier_t *courier, esign_delivery_t *delivery, int accepted,
                        apr_time_t due, const char *error)
{
    apr_int64_t done = delivery->gateways | APR_INT64_C(1) << delivery->gateway;
    int last = esign_gateway_turn(courier->options->gateways->nelts, done,
                                  delivery->attempts + 1) == ESIGN_GATEWAY_NONE;
    if (last && !accepted && delivery->awaited < 0) {
        esign_courier_end_give_up(courier, delivery, error);
        return;
    }
    if (error)
        log_failure(courier, delivery, error, last ? 0 : due);
    delivery->accepted = accepted;
    esign_courier_end(courier, delivery, ESIGN_OUTCOME_NEXT_GATEWAY, last ? delivery->expires : due,
                      error);
}

void esign_courier_end_pass(esign_courier_t *courier, esign_delivery_t *delivery)
{
    const esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    int count = courier->options->gateways->nelts;
    apr_time_t now = courier->options->now(), due = now;
    if (esign_gateway_round_over(count, delivery->gateways, delivery->attempts)) {
        apr_time_t own = now + pause_after(delivery->attempts / count),
                   until = now + server_pause(courier, server);
        due = own < until ? own : until;
    }
    esign_courier_end(courier, delivery, ESIGN_OUTCOME_RETRY, due,
                      apr_pstrcat(courier->round, server->name, " is left alone", NULL));
}

/* 1: the transfer was cut short by the end of the code's life, so the gateway is not at fault.
 * libcurl counts whole milliseconds. */
static int code_expired(const esign_delivery_t *delivery, esign_transfer_outcome_e outcome,
                        apr_time_t now)
{
    return (outcome == ESIGN_TRANSFER_UNREACHABLE || outcome == ESIGN_TRANSFER_UNANSWERED) &&
           now >= delivery->expires - apr_time_from_msec(2);
}

/* Ends a gateway's turn with a code. A gateway that may have the code is never given it again. */
static void end_code(esign_courier_t *courier, esign_delivery_t *delivery,
                     esign_transfer_outcome_e outcome, const char *words)
{
    const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, delivery->gateway);
    esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    const char *error = error_text(courier, server, words);
    apr_time_t now = courier->options->now();
    int count = courier->options->gateways->nelts, reports = esign_gateway_reports(gateway);
    server->under_way--;
    if (!code_expired(delivery, outcome, now))
        count_outcome(courier, server, outcome, words);
    switch (outcome) {
    case ESIGN_TRANSFER_SENT:
        courier->options->meter->messages[delivery->kind].sent++;
        if (reports)
            end_gateway(courier, delivery, 1, now + gateway->report_wait, NULL);
        else
            esign_courier_end(courier, delivery, ESIGN_OUTCOME_SENT, 0, NULL);
        break;
    case ESIGN_TRANSFER_UNTRIED:
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_RELEASE, now, words);
        break;
    case ESIGN_TRANSFER_UNANSWERED:
        end_gateway(courier, delivery, reports, now, error);
        break;
    case ESIGN_TRANSFER_NEVER:
        end_gateway(courier, delivery, 0, now, error);
        break;
    default:
        if (esign_gateway_round_over(count, delivery->gateways, delivery->attempts))
            now += pause_after(delivery->attempts / count);
        retry_at(courier, delivery, now, error);
    }
}

static void end_mail(esign_courier_t *courier, esign_delivery_t *delivery,
                     esign_transfer_outcome_e outcome, const char *words)
{
    esign_courier_server_t *server = &courier->mail_server;
    const char *error = error_text(courier, server, words);
    apr_time_t now = courier->options->now(), pause_end = now + server_pause(courier, server);
    if (outcome == ESIGN_TRANSFER_SENT && esign_delivery_is_no_mail(delivery)) {
        /* It says nothing of the server. */
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_SENT, 0, NULL);
        return;
    }
    if (outcome == ESIGN_TRANSFER_UNREACHABLE || outcome == ESIGN_TRANSFER_UNTRIED)
        courier->ahead = courier->options->smtp->connections;
    if (count_outcome(courier, server, outcome, words))
        esign_transport_recall_mails(courier->transport);
    switch (outcome) {
    case ESIGN_TRANSFER_SENT:
        courier->options->meter->messages[delivery->kind].sent++;
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_SENT, 0, NULL);
        break;
    case ESIGN_TRANSFER_NEVER:
        esign_courier_end_give_up(courier, delivery, error);
        break;
    case ESIGN_TRANSFER_UNREACHABLE:
        /* The mail waits as long as the server is not used. */
        retry_at(courier, delivery, courier->ending ? now : pause_end, error);
        break;
    case ESIGN_TRANSFER_UNTRIED:
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_RELEASE,
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
        end_code(courier, delivery, outcome, words);
    else
        end_mail(courier, delivery, outcome, words);
}
