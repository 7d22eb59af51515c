/* SPDX-License-Identifier: Apache-2.0 */
/* courier_start.c: starts a delivery: whose it is, what it says, and its transfer. */
#include "courier_start.h"

#include "courier_end.h"

#include "cache/code.h"
#include "cache/token.h"
#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"

#include <apr_strings.h>

#include <syslog.h>

/* A round renews no leases while it starts deliveries. Where it takes longer than this, for example
 * because memcached is slow, it gives back the rows that it has not started. */
#define LATEST_START apr_time_from_sec(1)
/* Nobody uses a code up so soon after asking for it. */
#define CODE_FRESH apr_time_from_sec(1)

/* Left side of the Message-ID: the same at each attempt, so that mail programs show one message. */
static const char *message_id(const esign_courier_t *courier, apr_int64_t id, apr_pool_t *p)
{
    const esign_keyring_t *keyring = courier->options->keyring;
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(
        esign_keyring_key(keyring, ESIGN_KEY_MESSAGE_ID, esign_keyring_active(keyring)), &id,
        sizeof(id), mac);
    return esign_base64_url_encode(p, mac, 16);
}

static esign_result_t memcached_failure(apr_pool_t *p)
{
    return esign_result_make(p, APR_EGENERAL, "memcached", "%s", esign_cache_error(p));
}

static esign_result_t find_by_number(esign_courier_t *courier, esign_delivery_t *delivery,
                                     apr_pool_t *p)
{
    const char *national_id = apr_table_get(delivery->row->values, "national-id");
    esign_result_t result = national_id ? esign_subscriber_find(courier->database, national_id,
                                                                &delivery->subscriber, p)
                                        : ESIGN_OK;
    delivery->event = delivery->subscriber ? ESIGN_AUDIT_RESET_MAILED : ESIGN_AUDIT_RESET_UNKNOWN;
    if (delivery->subscriber)
        delivery->whose = delivery->subscriber->id;
    return result;
}

void esign_courier_start_find(esign_courier_t *courier, esign_delivery_t *delivery, apr_pool_t *p)
{
    int by_number = delivery->kind == ESIGN_OUTBOX_RESET_REQUEST;
    if (!by_number)
        delivery->whose =
            esign_record_number(delivery->row->values, "subscriber", ESIGN_SUBSCRIBER_NONE);
    if (delivery->expires <= courier->looked)
        return;
    delivery->found = by_number ? find_by_number(courier, delivery, p)
                                : esign_subscriber_get(courier->database, delivery->whose,
                                                       &delivery->subscriber, p);
}

/* Asked once for a row: at its first lease, even where that one was given back. A refused request
 * must end here, because a second lease would not ask again. */
void esign_courier_start_claim(esign_courier_t *courier, esign_delivery_t *delivery, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = o->now();
    int granted = 1;
    if (delivery->kind != ESIGN_OUTBOX_RESET_REQUEST || !delivery->subscriber ||
        delivery->attempts > 1 || delivery->row->error)
        return;
    delivery->found = esign_subscriber_claim_mail(courier->database, delivery->whose, now,
                                                  o->link_life / 2, o->mails_per_day, &granted, p);
    if (esign_failed(delivery->found) || granted)
        return;
    delivery->event = ESIGN_AUDIT_EVENTS;
    delivery->subscriber = NULL;
    delivery->found = esign_outbox_done(courier->database, courier->owner, delivery->id, p);
    if (!esign_failed(delivery->found))
        delivery->found = esign_audit_add(courier->database, ESIGN_AUDIT_RESET_SPACED,
                                          delivery->whose, delivery->address, now, p);
}

static esign_result_t start_mail(esign_courier_t *courier, const esign_delivery_t *delivery,
                                 esign_mail_t *mail, apr_pool_t *p)
{
    mail->id = message_id(courier, delivery->id, p);
    return esign_transport_mail(courier->transport, delivery->id, mail, &delivery->lease);
}

/* When the message was asked for. */
static apr_time_t asked_at(const esign_delivery_t *delivery)
{
    return esign_record_number(delivery->row->values, "time", delivery->row->created);
}

static esign_result_t start_reset(esign_courier_t *courier, const esign_message_context_t *context,
                                  const esign_delivery_t *delivery, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_mail_t mail;
    const char *token;
    esign_token_grant_t grant = { .subscriber = delivery->subscriber->id,
                                  .link_epoch = delivery->subscriber->link_epoch,
                                  .expires = o->now() + o->link_life };
    if (esign_token_issue(o->cache, &grant, &token, p) != ESIGN_CACHE_DONE)
        return memcached_failure(p);
    esign_result_t result = esign_message_reset(context, delivery->subscriber, token,
                                                (int)(apr_time_sec(o->link_life) / 60),
                                                delivery->address, asked_at(delivery), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, delivery, &mail, p);
}

static esign_result_t start_notice(esign_courier_t *courier, const esign_message_context_t *context,
                                   const esign_delivery_t *delivery, apr_pool_t *p)
{
    esign_mail_t mail;
    const char *event = apr_table_get(delivery->row->values, "event");
    esign_result_t result = esign_message_notice(context, delivery->subscriber, event ? event : "",
                                                 delivery->address, asked_at(delivery), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, delivery, &mail, p);
}

/* Whether the subscriber can still use a code that has waited: the session's last press sent it,
 * and it is neither used, used up nor expired. */
static esign_result_t code_wanted(esign_courier_t *courier, const esign_delivery_t *delivery,
                                  int *wanted, apr_pool_t *p)
{
    const char *session = apr_table_get(delivery->row->values, "session");
    apr_time_t now = courier->options->now(), sent = delivery->row->created;
    esign_session_record_t record;
    esign_code_t code;
    *wanted = 1;
    if (delivery->attempts == 1 && now - sent < CODE_FRESH)
        return ESIGN_OK;
    esign_cache_answer_e answer =
        session ? esign_session_store_load(courier->options->cache, session, NULL, now, &record, p)
                : ESIGN_CACHE_MISS;
    if (answer == ESIGN_CACHE_ERROR)
        return memcached_failure(p);
    *wanted = answer == ESIGN_CACHE_DONE && esign_code_read(&record, &code, p) &&
              code.sent == sent && esign_code_is_valid(&code, now);
    if (!*wanted)
        esign_courier_log(courier, LOG_INFO, 0, "a code that nobody can use any more is dropped");
    return ESIGN_OK;
}

/* Makes the SMS for a gateway, with the address for its report where it sends one. */
static esign_result_t make_sms(const esign_courier_t *courier,
                               const esign_message_context_t *context,
                               const esign_delivery_t *delivery, esign_sms_t *sms, apr_pool_t *p)
{
    const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, delivery->gateway);
    const char *code = apr_table_get(delivery->row->values, "code"), *reference;
    esign_result_t result =
        esign_message_code(context, delivery->subscriber, code ? code : "", sms, p);
    if (esign_failed(result))
        return result;
    sms->expires = delivery->expires;
    if (!esign_gateway_reports(gateway))
        return ESIGN_OK;
    result = esign_gateway_reference(courier->options->keyring, delivery->id, delivery->gateway,
                                     &reference, p);
    if (!esign_failed(result))
        sms->report = apr_pstrcat(p, gateway->report_url, "/", reference, NULL);
    return result;
}

/* Hands the code to the gateway whose turn it is. */
static esign_result_t start_code(esign_courier_t *courier, const esign_message_context_t *context,
                                 esign_delivery_t *delivery, esign_courier_start_e *start,
                                 apr_pool_t *p)
{
    esign_sms_t sms;
    int wanted;
    esign_result_t result = code_wanted(courier, delivery, &wanted, p);
    *start = ESIGN_START_NOT_WANTED;
    if (esign_failed(result) || !wanted)
        return result;
    delivery->gateway = esign_gateway_turn(courier->options->gateways->nelts, delivery->gateways,
                                           delivery->attempts);
    if (delivery->gateway == ESIGN_GATEWAY_NONE)
        return esign_result_make(p, APR_EINVAL, "SMS", "%s",
                                 delivery->row->error ? delivery->row->error
                                                      : "no gateway is left");
    const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, delivery->gateway);
    esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    *start = ESIGN_START_SERVER_RESTS;
    if (!esign_breaker_may_try(&server->breaker, server->under_way, courier->options->clock()))
        return ESIGN_OK;
    *start = ESIGN_START_UNDER_WAY;
    result = make_sms(courier, context, delivery, &sms, p);
    if (!esign_failed(result))
        result =
            esign_transport_sms(courier->transport, delivery->id, gateway, &sms, &delivery->lease);
    server->under_way += !esign_failed(result);
    return result;
}

/* Makes a message and starts it, in the name of the portal that queued it; what it is made of is
 * wiped with `p`. */
static esign_result_t start_message(esign_courier_t *courier, esign_delivery_t *delivery,
                                    esign_courier_start_e *start, apr_pool_t *p)
{
    const apr_table_t *values = delivery->row->values;
    esign_message_context_t context = courier->options->message;
    const char *url = apr_table_get(values, "url"),
               *organization = apr_table_get(values, "organization");
    if (url && organization) {
        context.url = url;
        context.organization = organization;
        context.sms_name = apr_table_get(values, "sms-name");
    }
    courier->options->render(courier->options->baton, url, &context, p);
    *start = ESIGN_START_UNDER_WAY;
    switch (delivery->kind) {
    case ESIGN_OUTBOX_RESET_REQUEST:
        return start_reset(courier, &context, delivery, p);
    case ESIGN_OUTBOX_CODE:
        return start_code(courier, &context, delivery, start, p);
    default:
        return start_notice(courier, &context, delivery, p);
    }
}

/* Starts what takes the place and the time of a mail. */
static esign_result_t start_no_mail(esign_courier_t *courier, esign_delivery_t *delivery)
{
    /* The row of a request that was refused its mail is gone, so no other courier can lease it. */
    if (delivery->event == ESIGN_AUDIT_EVENTS)
        delivery->lease.deadline = APR_INT64_MAX;
    return esign_transport_no_mail(courier->transport, delivery->id, &delivery->lease);
}

static esign_courier_start_e try_start(esign_courier_t *courier, esign_delivery_t *delivery,
                                       esign_result_t *result, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_courier_start_e start = ESIGN_START_UNDER_WAY;
    *result = delivery->found;
    if (esign_failed(*result))
        return ESIGN_START_FAILED;
    if (delivery->expires <= o->now())
        return ESIGN_START_EXPIRED;
    if (o->clock() > courier->leased + LATEST_START)
        return ESIGN_START_LATE;
    if (delivery->subscriber)
        *result = start_message(courier, delivery, &start, p);
    else if (esign_delivery_is_no_mail(delivery))
        *result = start_no_mail(courier, delivery);
    else
        start = ESIGN_START_NOT_WANTED;
    return esign_failed(*result) ? ESIGN_START_FAILED : start;
}

esign_courier_start_e esign_courier_start(esign_courier_t *courier, esign_delivery_t *delivery)
{
    esign_result_t result;
    apr_pool_t *scratch;
    apr_pool_create(&scratch, courier->round);
    esign_courier_start_e start = try_start(courier, delivery, &result, scratch);
    switch (start) {
    case ESIGN_START_UNDER_WAY:
        apr_hash_set(courier->deliveries, &delivery->id, sizeof(delivery->id), delivery);
        break;
    case ESIGN_START_NOT_WANTED:
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_SENT, 0, NULL);
        break;
    case ESIGN_START_SERVER_RESTS:
        esign_courier_end_pass(courier, delivery);
        break;
    case ESIGN_START_LATE:
        esign_courier_end(courier, delivery, ESIGN_OUTCOME_RELEASE, courier->options->now(),
                          "the courier had no time for it");
        break;
    case ESIGN_START_EXPIRED:
        esign_courier_end_give_up(courier, delivery, "expired");
        break;
    case ESIGN_START_FAILED:
        if (APR_STATUS_IS_EINVAL(result.status))
            esign_courier_end_give_up(courier, delivery, result.detail);
        else
            esign_courier_end_failed(courier, delivery, result.detail);
    }
    apr_pool_destroy(scratch);
    return start;
}
