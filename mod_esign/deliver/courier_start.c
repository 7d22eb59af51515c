/* SPDX-License-Identifier: Apache-2.0 */
/* courier_start.c: whom a message is for, what it says, and its way to a server. */
#include "courier_private.h"

#include "cache/code.h"
#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"

#include <apr_strings.h>

#include <syslog.h>

/* What a round takes longer than this to begin with goes back, for it renews nothing meanwhile:
 * when each answer of memcached takes a second. */
#define LATEST_BEGIN apr_time_from_sec(1)
/* Nobody uses a code up within this after the press that sent it. */
#define FRESH apr_time_from_sec(1)

/* Left side of the Message-ID: the same at each try, so that a reader's mail program sees one
 * message. */
static const char *message_id(const esign_courier_t *courier, apr_int64_t id, apr_pool_t *p)
{
    const esign_keyring_t *keyring = courier->options->keyring;
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(
        esign_keyring_key(keyring, ESIGN_KEY_MESSAGE_ID, esign_keyring_active(keyring)), &id,
        sizeof(id), mac);
    return esign_base64_url_encode(p, mac, 16);
}

static esign_result_t find_recipient(esign_courier_t *courier, esign_courier_task_t *task,
                                     apr_pool_t *p)
{
    const char *national_id = apr_table_get(task->message->values, "national-id");
    esign_result_t result =
        national_id ? esign_subscriber_find(courier->database, national_id, &task->subscriber, p)
                    : ESIGN_OK;
    task->outcome = task->subscriber ? ESIGN_AUDIT_RESET_MAILED : ESIGN_AUDIT_RESET_UNKNOWN;
    if (task->subscriber)
        task->whose = task->subscriber->id;
    return result;
}

void esign_courier_start_find(esign_courier_t *courier, esign_courier_task_t *task, apr_pool_t *p)
{
    const esign_outbox_message_t *m = task->message;
    if (m->kind != ESIGN_OUTBOX_RESET_REQUEST)
        task->whose = esign_record_number(m->values, "subscriber", ESIGN_SUBSCRIBER_NONE);
    if (m->expires <= courier->looked)
        return;
    task->found = m->kind == ESIGN_OUTBOX_RESET_REQUEST
                      ? find_recipient(courier, task, p)
                      : esign_subscriber_get(courier->database, task->whose, &task->subscriber, p);
}

/* Whether mails to a subscriber are not too many. Beyond the daily number one still goes when the
 * last one's link is half through its life: nobody can keep another from a link by asking often.
 * Asked once for a message: at its first lease, which has left no error even when it was given
 * back. One that is refused ends there, for whoever had it next would not ask again: all that is
 * left of it is its place among the mails. */
void esign_courier_start_claim(esign_courier_t *courier, esign_courier_task_t *task, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    const esign_outbox_message_t *m = task->message;
    const char *address = apr_table_get(m->values, "address");
    int granted = 1;
    if (m->kind != ESIGN_OUTBOX_RESET_REQUEST || !task->subscriber || m->attempts > 1 || m->error)
        return;
    task->found = esign_subscriber_claim_mail(courier->database, task->whose, apr_time_now(),
                                              o->link_life / 2, o->mails_per_day, &granted, p);
    if (esign_failed(task->found) || granted)
        return;
    task->outcome = ESIGN_AUDIT_EVENTS;
    task->subscriber = NULL;
    task->found = esign_outbox_done(courier->database, courier->owner, m->id, p);
    if (!esign_failed(task->found))
        task->found = esign_audit_add(courier->database, ESIGN_AUDIT_RESET_SPACED, task->whose,
                                      address ? address : "unknown", apr_time_now(), p);
}

static esign_result_t start_mail(esign_courier_t *courier, const esign_delivery_t *delivery,
                                 esign_mail_t *mail, apr_pool_t *p)
{
    mail->id = message_id(courier, delivery->id, p);
    return esign_transport_mail(courier->transport, delivery->id, mail, &delivery->hold);
}

static esign_result_t start_reset(esign_courier_t *courier, const esign_courier_task_t *task,
                                  const esign_message_context_t *context,
                                  const esign_delivery_t *delivery, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_mail_t mail;
    const char *token;
    esign_token_grant_t grant = { .subscriber = task->subscriber->id,
                                  .link_epoch = task->subscriber->link_epoch,
                                  .expires = apr_time_now() + o->link_life };
    if (esign_token_issue(o->cache, &grant, &token, p) != ESIGN_CACHE_DONE)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s",
                                 esign_cache_error(o->cache, p));
    esign_result_t result = esign_message_reset(
        context, task->subscriber, token, (int)(apr_time_sec(o->link_life) / 60), delivery->address,
        esign_record_number(task->message->values, "time", task->message->created), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, delivery, &mail, p);
}

static esign_result_t start_notice(esign_courier_t *courier, const esign_courier_task_t *task,
                                   const esign_message_context_t *context,
                                   const esign_delivery_t *delivery, apr_pool_t *p)
{
    esign_mail_t mail;
    const char *event = apr_table_get(task->message->values, "event");
    esign_result_t result = esign_message_notice(
        context, task->subscriber, event ? event : "", delivery->address,
        esign_record_number(task->message->values, "time", task->message->created), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, delivery, &mail, p);
}

/* Whether the person can still use a code that has waited: it is that of the session's last press,
 * and neither used, used up nor expired. */
static esign_result_t still_wanted(esign_courier_t *courier, const esign_outbox_message_t *message,
                                   int *wanted, apr_pool_t *p)
{
    const char *session = apr_table_get(message->values, "session");
    apr_time_t now = apr_time_now();
    esign_session_record_t record;
    esign_code_t otp;
    *wanted = 1;
    if (message->attempts == 1 && now - message->created < FRESH)
        return ESIGN_OK;
    esign_cache_answer_e answer =
        session ? esign_session_store_load(courier->options->cache, session, NULL, now, &record, p)
                : ESIGN_CACHE_MISS;
    if (answer == ESIGN_CACHE_ERROR)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s",
                                 esign_cache_error(courier->options->cache, p));
    *wanted = answer == ESIGN_CACHE_DONE && esign_code_read(&record, &otp, p) &&
              otp.sent == message->created && esign_code_is_valid(&otp, now);
    if (!*wanted)
        esign_courier_say(courier, LOG_INFO, 0, "a code that nobody can use any more is dropped");
    return ESIGN_OK;
}

/* Hands the code to the gateway whose turn it is. Nothing is under way afterwards: nobody wants it
 * any more, or that gateway is left alone. */
static esign_result_t start_code(esign_courier_t *courier, const esign_courier_task_t *task,
                                 const esign_message_context_t *context, esign_delivery_t *delivery,
                                 apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    const esign_outbox_message_t *message = task->message;
    const char *code = apr_table_get(message->values, "code"), *reference;
    esign_sms_t sms;
    int wanted;
    esign_result_t result = still_wanted(courier, message, &wanted, p);
    if (esign_failed(result) || !wanted)
        return result;
    delivery->gateway =
        esign_gateway_turn(o->gateways->nelts, message->gateways, message->attempts);
    if (delivery->gateway == ESIGN_GATEWAY_NONE)
        return esign_result_make(p, APR_EINVAL, "SMS", "%s",
                                 message->error ? message->error : "no gateway is left");
    const esign_sms_gateway_t *gateway = esign_courier_gateway(courier, delivery->gateway);
    esign_courier_server_t *server = &courier->gateways[delivery->gateway];
    if (!esign_breaker_may_try(&server->breaker, server->under_way, esign_clock()))
        return ESIGN_OK;
    if (esign_failed(result =
                         esign_message_code(context, task->subscriber, code ? code : "", &sms, p)))
        return result;
    sms.expires = message->expires;
    if (esign_gateway_reports(gateway)) {
        if (esign_failed(result = esign_gateway_reference(o->keyring, message->id,
                                                          delivery->gateway, &reference, p)))
            return result;
        sms.report = apr_pstrcat(p, gateway->report_url, "/", reference, NULL);
    }
    result = esign_transport_sms(courier->transport, message->id, gateway, &sms, &delivery->hold);
    server->under_way += !esign_failed(result);
    return result;
}

/* Makes a message and starts it, in the name of the portal that it is of; what it is made of is
 * wiped with `p`. */
static esign_result_t make(esign_courier_t *courier, const esign_courier_task_t *task,
                           esign_delivery_t *delivery, apr_pool_t *p)
{
    const apr_table_t *values = task->message->values;
    esign_message_context_t context = courier->options->message;
    const char *url = apr_table_get(values, "url"),
               *organization = apr_table_get(values, "organization");
    if (url && organization) {
        context.url = url;
        context.organization = organization;
        context.sms_name = apr_table_get(values, "sms-name");
    }
    courier->options->render(courier->options->baton, url, &context, p);
    switch (task->message->kind) {
    case ESIGN_OUTBOX_RESET_REQUEST:
        return start_reset(courier, task, &context, delivery, p);
    case ESIGN_OUTBOX_CODE:
        return start_code(courier, task, &context, delivery, p);
    default:
        return start_notice(courier, task, &context, delivery, p);
    }
}

int esign_courier_start(esign_courier_t *courier, const esign_courier_task_t *task)
{
    const esign_outbox_message_t *message = task->message;
    const char *address = apr_table_get(message->values, "address");
    apr_pool_t *p, *scratch;
    apr_pool_create(&p, courier->pool);
    apr_pool_create(&scratch, courier->round);
    esign_delivery_t *delivery = apr_pcalloc(p, sizeof(*delivery));
    *delivery = (esign_delivery_t){ .pool = p,
                                    .id = message->id,
                                    .kind = message->kind,
                                    .attempts = message->attempts,
                                    .subscriber = task->whose,
                                    .outcome = task->outcome,
                                    .gateways = message->gateways,
                                    .gateway = ESIGN_GATEWAY_NONE,
                                    .awaited = message->awaited,
                                    .expires = message->expires,
                                    .address = address ? apr_pstrdup(p, address) : "unknown",
                                    .hold = { courier->leased + ESIGN_COURIER_HOLD } };
    int expired = message->expires <= apr_time_now(),
        late = esign_clock() > courier->leased + LATEST_BEGIN,
        before = esign_courier_pending(courier);
    esign_result_t result = task->found;
    if (!esign_failed(result) && !expired && !late && task->subscriber)
        result = make(courier, task, delivery, scratch);
    else if (!esign_failed(result) && !expired && !late && esign_courier_is_no_mail(delivery)) {
        /* It has no row any more that others could take. */
        if (delivery->outcome == ESIGN_AUDIT_EVENTS)
            delivery->hold.until = APR_INT64_MAX;
        result = esign_transport_no_mail(courier->transport, message->id, &delivery->hold);
    }
    if (APR_STATUS_IS_EINVAL(result.status))
        esign_courier_end_bury(courier, delivery, result.detail);
    else if (esign_failed(result))
        esign_courier_end_failed(courier, delivery, result.detail);
    else if (expired)
        esign_courier_end_bury(courier, delivery, "expired");
    else if (late)
        esign_courier_end(courier, delivery, ESIGN_END_RELEASE, apr_time_now(),
                          "there was no time for it");
    else if (esign_courier_pending(courier) == before && delivery->gateway != ESIGN_GATEWAY_NONE)
        esign_courier_end_pass(courier, delivery);
    else if (esign_courier_pending(courier) == before)
        esign_courier_end(courier, delivery, ESIGN_END_SENT, 0, NULL);
    else
        apr_hash_set(courier->deliveries, &delivery->id, sizeof(delivery->id), delivery);
    apr_pool_destroy(scratch);
    return esign_courier_pending(courier) > before;
}
