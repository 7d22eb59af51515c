/* SPDX-License-Identifier: Apache-2.0 */
/* courier.c: rounds over the outbox. */
#include "deliver/courier.h"

#include "core/digest.h"
#include "core/record.h"
#include "store/audit.h"
#include "store/otp_store.h"
#include "store/throttle.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <stdarg.h>
#include <syslog.h>

/* Longer than the longest transfer, so that what is under way here is never taken elsewhere. */
#define LEASE apr_time_from_sec(60)
#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(15 * 60)
#define EXPIRE_EVERY apr_time_from_sec(10)
/* Nobody uses a code up within this after the press that sent it. */
#define FRESH apr_time_from_sec(1)
#define MINUTE apr_time_from_sec(60)
#define ASK_AGAIN apr_time_from_sec(5)

/* How many may leave in a minute: what a flood of requests costs the authority at most. */
typedef struct {
    const char *what, *directive;
    int limit;
    apr_time_t held;                  /* nothing leaves before */
    apr_time_t told;                  /* when the log last heard of it */
} ceiling_t;

/* What has to be known of a message when its transfer ends. */
typedef struct {
    apr_int64_t id, subscriber;
    esign_outbox_kind_e kind;
    int attempts;
    esign_audit_event_e outcome;       /* what the audit trail tells when it is done; ESIGN_AUDIT_EVENTS: nothing */
    apr_int64_t gateways;              /* of a code, as the outbox has them */
    int gateway, awaited;              /* the one that it is handed to; the one that has yet to report */
    apr_time_t expires;
    const char *address;
    esign_message_context_t context;   /* of the portal that the message is of */
    apr_pool_t *pool;
} errand_t;

struct esign_courier_t {
    const esign_courier_options_t *options;
    esign_transport_t *transport;
    apr_pool_t *pool;
    apr_hash_t *errands;              /* by id: transfers under way */
    char *owner;
    apr_time_t expired;               /* when expiry was last looked at */
    ceiling_t mails, sms;
    esign_database_t *database;       /* of the round that is going on */
    apr_pool_t *round;
};

static void say(const esign_courier_t *courier, int level, apr_status_t status, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say(const esign_courier_t *courier, int level, apr_status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    courier->options->log(courier->options->baton, level, status, apr_pvsprintf(courier->round, format, arguments));
    va_end(arguments);
}

static void complain(const esign_courier_t *courier, esign_result_t result)
{
    if (esign_failed(result))
        say(courier, LOG_ERR, result.status, "%s: %s", result.problem, result.detail);
}

/* Growing pauses, a fifth more or less, so that what failed together does not come back together. */
static apr_interval_time_t pause_after(int attempts)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    for (int i = 1; i < attempts && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE)
        pause = LONGEST_PAUSE;
    return pause * 4 / 5 + esign_digest_random_id() % (pause * 2 / 5);
}

static void retry(esign_courier_t *courier, const errand_t *errand, apr_time_t due, const char *error)
{
    say(courier, LOG_WARNING, 0, "a %s was not sent (try %d): %s", esign_outbox_kind_name(errand->kind), errand->attempts, error);
    complain(courier, esign_outbox_retry(courier->database, courier->owner, errand->id, due, error, courier->round));
}

static void bury(esign_courier_t *courier, const errand_t *errand, const char *error)
{
    say(courier, LOG_ERR, 0, "a %s is given up: %s", esign_outbox_kind_name(errand->kind), error);
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_bury(courier->database, courier->owner, errand->id, error, courier->round);
    if (!esign_failed(result))
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGE_GIVEN_UP, errand->subscriber, errand->address, apr_time_now(), courier->round);
    complain(courier, esign_database_end(courier->database, result, courier->round));
}

/* Sent, or rightly dropped: what became of a request for a link goes into the audit trail with the row's end. */
static void close_errand(esign_courier_t *courier, const errand_t *errand)
{
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_done(courier->database, courier->owner, errand->id, courier->round);
    if (!esign_failed(result) && errand->outcome != ESIGN_AUDIT_EVENTS)
        result = esign_audit_add(courier->database, errand->outcome, errand->subscriber, errand->address, apr_time_now(), courier->round);
    complain(courier, esign_database_end(courier->database, result, courier->round));
}

static const esign_sms_gateway_t *gateway_at(const esign_courier_t *courier, int gateway)
{
    return &APR_ARRAY_IDX(courier->options->gateways, gateway, esign_sms_gateway_t);
}

/* A gateway is done with a code: the next one's turn is at `due`, if there is one. Else the code was sent, as far as anybody can know before its report, or is given up. */
static void hand_on(esign_courier_t *courier, const errand_t *errand, int accepted, apr_time_t due, const char *error)
{
    apr_int64_t done = errand->gateways | APR_INT64_C(1) << errand->gateway;
    int last = esign_gateway_turn(courier->options->gateways->nelts, done, errand->attempts + 1) == ESIGN_GATEWAY_NONE;
    if (last && !accepted && errand->awaited < 0) {
        bury(courier, errand, error);
        return;
    }
    if (error)
        say(courier, LOG_WARNING, 0, "a code was not sent (try %d): %s", errand->attempts, error);
    complain(courier, esign_outbox_hand_on(courier->database, courier->owner, errand->id, errand->gateway, accepted, apr_time_now(), last ? errand->expires : due, error,
                                           courier->round));
}

/* How a gateway's turn with a code ended. What it may have taken is never given to it again. */
static void code_done(esign_courier_t *courier, const errand_t *errand, esign_transfer_outcome_e outcome, const char *words)
{
    const esign_sms_gateway_t *gateway = gateway_at(courier, errand->gateway);
    const char *error = apr_pstrcat(courier->round, "SMS gateway ", gateway->name, ": ", words, NULL);
    apr_time_t now = apr_time_now();
    int count = courier->options->gateways->nelts;
    if (outcome == ESIGN_TRANSFER_SENT && !esign_gateway_reports(gateway))
        close_errand(courier, errand);
    else if (outcome == ESIGN_TRANSFER_SENT)
        hand_on(courier, errand, 1, now + gateway->report_wait, NULL);
    else if (outcome == ESIGN_TRANSFER_UNANSWERED)
        hand_on(courier, errand, esign_gateway_reports(gateway), now, error);
    else if (outcome == ESIGN_TRANSFER_NEVER)
        hand_on(courier, errand, 0, now, error);
    else if (esign_gateway_round_over(count, errand->gateways, errand->attempts))
        retry(courier, errand, now + pause_after(errand->attempts / count), error);
    else
        retry(courier, errand, now, error);
}

static void transfer_done(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome, const char *error)
{
    esign_courier_t *courier = baton;
    errand_t *errand = apr_hash_get(courier->errands, &id, sizeof(id));
    apr_hash_set(courier->errands, &errand->id, sizeof(errand->id), NULL);
    if (errand->kind == ESIGN_OUTBOX_CODE)
        code_done(courier, errand, outcome, error);
    else if (outcome == ESIGN_TRANSFER_SENT)
        close_errand(courier, errand);
    else if (outcome == ESIGN_TRANSFER_NEVER)
        bury(courier, errand, error);
    else
        retry(courier, errand, apr_time_now() + pause_after(errand->attempts), error);
    apr_pool_destroy(errand->pool);
}

/* Left side of the Message-ID: the same at each try, so that a reader's mail program sees one message. */
static const char *message_id(const esign_courier_t *courier, apr_int64_t id, apr_pool_t *p)
{
    const esign_keyring_t *keyring = courier->options->keyring;
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(esign_keyring_key(keyring, ESIGN_KEY_AUDIT, esign_keyring_active(keyring)), &id, sizeof(id), mac);
    return esign_digest_encode(p, mac, 16);
}

/* Whether this request becomes a mail: the number is known, and mails to it are not too many. APR_SUCCESS with `*subscriber` NULL: it does not. Beyond the daily number a mail
 * still goes when the last one's link is half through its life: nobody can keep another from a link by asking often. */
static esign_result_t find_recipient(esign_courier_t *courier, const esign_outbox_message_t *message, errand_t *errand, esign_subscriber_t **subscriber, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    const char *national_id = apr_table_get(message->values, "national-id");
    int granted = 1;
    *subscriber = NULL;
    esign_result_t result = national_id ? esign_subscriber_find(courier->database, national_id, subscriber, p) : ESIGN_OK;
    errand->outcome = *subscriber ? ESIGN_AUDIT_RESET_MAILED : ESIGN_AUDIT_RESET_UNKNOWN;
    if (esign_failed(result) || !*subscriber)
        return result;
    errand->subscriber = (*subscriber)->id;
    if (message->attempts > 1)
        return result;
    result = esign_subscriber_claim_mail(courier->database, (*subscriber)->id, apr_time_now(), o->link_life / 2, o->mails_per_day, &granted, p);
    if (!granted) {
        errand->outcome = ESIGN_AUDIT_RESET_SPACED;
        *subscriber = NULL;
    }
    return result;
}

static esign_result_t start_reset(esign_courier_t *courier, const esign_outbox_message_t *message, errand_t *errand)
{
    const esign_courier_options_t *o = courier->options;
    apr_pool_t *p = errand->pool;
    esign_subscriber_t *subscriber;
    esign_mail_t mail;
    const char *token;
    esign_result_t result = find_recipient(courier, message, errand, &subscriber, p);
    if (esign_failed(result) || !subscriber)
        return result;
    esign_grant_t grant = { .subscriber = subscriber->id, .link_epoch = subscriber->link_epoch, .expires = apr_time_now() + o->link_life };
    if (esign_token_issue(o->cache, &grant, &token, p) != ESIGN_CACHE_DONE)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s", esign_cache_error(o->cache, p));
    result = esign_message_reset(&errand->context, subscriber, token, (int)(apr_time_sec(o->link_life) / 60), errand->address,
                                 esign_record_number(message->values, "time", message->created), &mail, p);
    if (esign_failed(result))
        return result;
    mail.id = message_id(courier, message->id, p);
    return esign_transport_mail(courier->transport, message->id, &mail);
}

static esign_result_t start_notice(esign_courier_t *courier, const esign_outbox_message_t *message, errand_t *errand, const esign_subscriber_t *subscriber)
{
    esign_mail_t mail;
    const char *event = apr_table_get(message->values, "event");
    esign_result_t result = esign_message_notice(&errand->context, subscriber, event ? event : "", errand->address,
                                                 esign_record_number(message->values, "time", message->created), &mail, errand->pool);
    if (esign_failed(result))
        return result;
    mail.id = message_id(courier, message->id, errand->pool);
    return esign_transport_mail(courier->transport, message->id, &mail);
}

/* Whether the person can still use a code that has waited: it is that of the session's last press, and neither used, used up nor expired. */
static esign_result_t still_wanted(esign_courier_t *courier, const esign_outbox_message_t *message, int *wanted, apr_pool_t *p)
{
    const char *session = apr_table_get(message->values, "session");
    apr_time_t now = apr_time_now();
    esign_otp_t otp;
    *wanted = 1;
    if (message->attempts == 1 && now - message->created < FRESH)
        return ESIGN_OK;
    esign_cache_answer_e answer = esign_otp_store_get(courier->options->cache, session ? session : "", &otp, p);
    if (answer == ESIGN_CACHE_ERROR)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s", esign_cache_error(courier->options->cache, p));
    *wanted = answer == ESIGN_CACHE_DONE && otp.sent == message->created && otp.expires > now && otp.tries_left > 0;
    if (!*wanted)
        say(courier, LOG_INFO, 0, "a code that nobody can use any more is dropped");
    return ESIGN_OK;
}

/* Hands the code to the gateway whose turn it is. */
static esign_result_t start_code(esign_courier_t *courier, const esign_outbox_message_t *message, errand_t *errand, const esign_subscriber_t *subscriber)
{
    const esign_courier_options_t *o = courier->options;
    apr_pool_t *p = errand->pool;
    const char *code = apr_table_get(message->values, "code"), *reference;
    esign_sms_t sms;
    int wanted;
    esign_result_t result = still_wanted(courier, message, &wanted, p);
    if (esign_failed(result) || !wanted)
        return result;
    errand->gateway = esign_gateway_turn(o->gateways->nelts, message->gateways, message->attempts);
    if (errand->gateway == ESIGN_GATEWAY_NONE)
        return esign_result_make(p, APR_EINVAL, "SMS", "%s", message->error ? message->error : "no gateway is left");
    const esign_sms_gateway_t *gateway = gateway_at(courier, errand->gateway);
    if (esign_failed(result = esign_message_code(&errand->context, subscriber, code ? code : "", &sms, p)))
        return result;
    sms.expires = message->expires;
    if (esign_gateway_reports(gateway)) {
        if (esign_failed(result = esign_gateway_reference(o->keyring, message->id, errand->gateway, &reference, p)))
            return result;
        sms.report = apr_pstrcat(p, gateway->report_url, "/", reference, NULL);
    }
    return esign_transport_sms(courier->transport, message->id, gateway, &sms);
}

static esign_result_t start_for_subscriber(esign_courier_t *courier, const esign_outbox_message_t *message, errand_t *errand)
{
    esign_subscriber_t *subscriber;
    errand->subscriber = esign_record_number(message->values, "subscriber", ESIGN_SUBSCRIBER_NONE);
    esign_result_t result = esign_subscriber_get(courier->database, errand->subscriber, &subscriber, errand->pool);
    if (esign_failed(result) || !subscriber)
        return result;
    return message->kind == ESIGN_OUTBOX_CODE ? start_code(courier, message, errand, subscriber) : start_notice(courier, message, errand, subscriber);
}

/* How many of the free places the ceiling leaves, over all nodes; a node that counts at the same instant may be one handful ahead. Not knowing is a refusal. */
static int below(esign_courier_t *courier, ceiling_t *ceiling, int places)
{
    const esign_courier_options_t *o = courier->options;
    esign_throttle_policy_t policy = { .limit = ceiling->limit, .window = MINUTE };
    apr_interval_time_t retry = ASK_AGAIN;
    apr_time_t now = apr_time_now();
    int room;
    if (ceiling->limit == 0 || places <= 0)
        return places;
    if (now < ceiling->held)
        return 0;
    esign_cache_answer_e answer = esign_throttle_room(o->cache, ceiling->what, o->message.url, &policy, now, &room, &retry, courier->round);
    if (answer == ESIGN_CACHE_DONE)
        return room < places ? room : places;
    ceiling->held = now + retry;
    if (now - ceiling->told >= MINUTE) {
        ceiling->told = now;
        if (answer == ESIGN_CACHE_MISS)
            say(courier, LOG_WARNING, 0, "%d %s in a minute, as many as %s lets go: others wait", ceiling->limit, ceiling->what, ceiling->directive);
        else
            say(courier, LOG_WARNING, 0, "%s wait until memcached tells how many have left (%s): %s", ceiling->what, ceiling->directive,
                esign_cache_error(o->cache, courier->round));
    }
    return 0;
}

static void count(const esign_courier_t *courier, const ceiling_t *ceiling, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_throttle_policy_t policy = { .limit = ceiling->limit, .window = MINUTE };
    if (ceiling->limit > 0)
        esign_throttle_count(o->cache, ceiling->what, o->message.url, &policy, apr_time_now(), p);
}

static void start(esign_courier_t *courier, const esign_outbox_message_t *message)
{
    apr_pool_t *p;
    apr_pool_create(&p, courier->pool);
    errand_t *errand = apr_pcalloc(p, sizeof(*errand));
    const char *address = apr_table_get(message->values, "address");
    const char *url = apr_table_get(message->values, "url"), *organization = apr_table_get(message->values, "organization");
    *errand = (errand_t){ .id = message->id, .kind = message->kind, .attempts = message->attempts, .outcome = ESIGN_AUDIT_EVENTS, .pool = p,
                          .gateways = message->gateways, .gateway = ESIGN_GATEWAY_NONE, .awaited = message->awaited, .expires = message->expires,
                          .address = address ? apr_pstrdup(p, address) : "unknown", .context = courier->options->message };
    if (url && organization) {
        errand->context.url = apr_pstrdup(p, url);
        errand->context.organization = apr_pstrdup(p, organization);
        errand->context.sms_name = apr_pstrdup(p, apr_table_get(message->values, "sms-name"));
    }
    errand->context.render = courier->options->render(courier->options->baton, url, p);
    apr_hash_set(courier->errands, &errand->id, sizeof(errand->id), errand);
    int before = esign_courier_pending(courier);
    esign_result_t result = message->expires <= apr_time_now() ? ESIGN_OK
                            : message->kind == ESIGN_OUTBOX_RESET_REQUEST ? start_reset(courier, message, errand)
                                                                          : start_for_subscriber(courier, message, errand);
    if (esign_courier_pending(courier) > before) {
        count(courier, message->kind == ESIGN_OUTBOX_CODE ? &courier->sms : &courier->mails, p);
        return;
    }
    /* Nothing is under way: it failed before it began, or there is nothing to send. */
    apr_hash_set(courier->errands, &errand->id, sizeof(errand->id), NULL);
    if (APR_STATUS_IS_EINVAL(result.status))
        bury(courier, errand, result.detail);
    else if (esign_failed(result))
        retry(courier, errand, apr_time_now() + pause_after(errand->attempts), result.detail);
    else if (message->expires <= apr_time_now())
        bury(courier, errand, "expired");
    else
        close_errand(courier, errand);
    apr_pool_destroy(p);
}

/* Takes messages of a kind for the free places, as far as the ceiling lets them go; how many. */
static int take(esign_courier_t *courier, esign_outbox_kind_e kind, ceiling_t *ceiling, int free)
{
    const apr_array_header_t *messages;
    int places = below(courier, ceiling, free);
    if (places <= 0)
        return 0;
    esign_result_t result = esign_outbox_lease(courier->database, courier->owner, kind, places, apr_time_now(), LEASE, &messages, courier->round);
    complain(courier, result);
    for (int i = 0; !esign_failed(result) && i < messages->nelts; i++)
        start(courier, &APR_ARRAY_IDX(messages, i, esign_outbox_message_t));
    return esign_failed(result) ? 0 : messages->nelts;
}

static int take_all(esign_courier_t *courier)
{
    const esign_courier_options_t *o = courier->options;
    int codes = o->gateways->nelts > 0 ? take(courier, ESIGN_OUTBOX_CODE, &courier->sms, o->sms_at_once - esign_transport_pending_sms(courier->transport)) : 0;
    /* Their requests go out before anything else is asked of the database. */
    if (codes > 0)
        esign_transport_finish(courier->transport);
    /* Notices before requests: what strangers ask for without end must not keep the owner from hearing that somebody got in. */
    int notices = take(courier, ESIGN_OUTBOX_NOTICE, &courier->mails, o->mails_at_once - esign_transport_pending_mail(courier->transport));
    return codes + notices + take(courier, ESIGN_OUTBOX_RESET_REQUEST, &courier->mails, o->mails_at_once - esign_transport_pending_mail(courier->transport));
}

/* Ends messages whose time is over. Whose they were stands sealed in their rows. */
static esign_result_t expire(esign_courier_t *courier, apr_time_t now, int *count, int *unreported)
{
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_expire(courier->database, now, count, unreported, courier->round);
    if (!esign_failed(result) && *count > 0)
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGES_EXPIRED, ESIGN_SUBSCRIBER_NONE, "local", now, courier->round);
    result = esign_database_end(courier->database, result, courier->round);
    if (esign_failed(result))
        *count = *unreported = 0;
    return result;
}

esign_result_t esign_courier_create(esign_courier_t **courier, const esign_courier_options_t *options, apr_pool_t *p)
{
    unsigned char name[12];
    esign_courier_t *made = apr_pcalloc(p, sizeof(*made));
    esign_digest_random(name, sizeof(name));
    made->options = options;
    made->pool = p;
    made->owner = esign_digest_encode(p, name, sizeof(name));
    made->errands = apr_hash_make(p);
    made->mails = (ceiling_t){ .what = "mails", .directive = "EsignMailsPerMinute", .limit = options->mails_per_minute };
    made->sms = (ceiling_t){ .what = "SMS", .directive = "EsignSMSPerMinute", .limit = options->sms_per_minute };
    *courier = made;
    return esign_transport_create(&made->transport, options->smtp, transfer_done, made, p);
}

esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = apr_time_now();
    esign_result_t result = ESIGN_OK;
    int expired = 0, unreported = 0;
    courier->database = database;
    courier->round = p;
    if (now - courier->expired >= EXPIRE_EVERY) {
        result = expire(courier, now, &expired, &unreported);
        courier->expired = now;
        if (unreported > 0)
            say(courier, LOG_NOTICE, 0, "of %d codes that were sent no gateway has reported what became of them", unreported);
        if (expired > 0)
            say(courier, LOG_WARNING, 0, "%d messages expired unsent", expired);
    }
    do
        esign_transport_finish(courier->transport);
    while (!esign_failed(result) && !o->stopping(o->baton) && take_all(courier) > 0);
    courier->database = NULL;
    courier->round = NULL;
    return result;
}

void esign_courier_wait(esign_courier_t *courier, int wake, apr_interval_time_t wait)
{
    esign_transport_wait(courier->transport, wake, wait);
}

int esign_courier_pending(const esign_courier_t *courier)
{
    return esign_transport_pending_mail(courier->transport) + esign_transport_pending_sms(courier->transport);
}

void esign_courier_finish(esign_courier_t *courier, esign_database_t *database, apr_time_t until, apr_pool_t *p)
{
    courier->database = database;
    courier->round = p;
    for (apr_time_t now; esign_transport_finish(courier->transport) > 0 && (now = apr_time_now()) < until;)
        esign_transport_wait(courier->transport, -1, until - now);
    for (apr_hash_index_t *i = apr_hash_first(p, courier->errands); i; i = apr_hash_next(i)) {
        void *errand;
        apr_hash_this(i, NULL, NULL, &errand);
        complain(courier, esign_outbox_retry(database, courier->owner, ((errand_t *)errand)->id, apr_time_now(), "the process ended", p));
    }
    courier->database = NULL;
    courier->round = NULL;
}
