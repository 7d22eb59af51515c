/* SPDX-License-Identifier: Apache-2.0 */
/* courier.c: rounds over the outbox. */
#include "deliver/courier.h"

#include "core/digest.h"
#include "core/record.h"
#include "deliver/breaker.h"
#include "deliver/ends.h"
#include "store/otp_store.h"
#include "store/throttle.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <stdarg.h>
#include <syslog.h>

/* Longer than the longest transfer, so that what is under way here is never taken elsewhere. */
#define LEASE apr_time_from_sec(60)
/* A mail that waits for a free connection longer than this goes back: behind it there is time for the longest transfer (EsignDeliveryTimeout) in the same lease. */
#define QUEUE_PATIENCE apr_time_from_sec(25)
#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(15 * 60)
#define SHORT_PAUSE apr_time_from_sec(1)
#define EXPIRE_EVERY apr_time_from_sec(10)
/* Nobody uses a code up within this after the press that sent it. */
#define FRESH apr_time_from_sec(1)
#define MINUTE apr_time_from_sec(60)
#define ASK_AGAIN apr_time_from_sec(5)
#define LOOK_EVERY apr_time_from_msec(20)
/* Mails in a lease, whose making holds up a code; and mails that wait for a free connection or are under way. */
#define TAKE_MAX 64
#define AHEAD_MAX 512

/* How many may leave in a minute: what a flood of requests costs the authority at most. */
typedef struct {
    const char *what, *directive;
    int limit;
    apr_time_t held;                  /* nothing leaves before */
    apr_time_t told;                  /* when the log last heard of it */
} ceiling_t;

/* A server that messages go to. */
typedef struct {
    const char *name;                 /* for the log */
    esign_breaker_t breaker;
    int under_way;                    /* SMS; mails are counted by the transport */
} server_t;

struct esign_courier_t {
    const esign_courier_options_t *options;
    esign_transport_t *transport;
    apr_pool_t *pool;
    apr_hash_t *errands;              /* by id, esign_errand_t: transfers under way */
    esign_ends_t *ends;
    server_t mail_server, *gateways;  /* as the options have them */
    int ahead;                        /* mails that are leased for the connections to have no pause; grows while they are hungry, shrinks when the server fails */
    char *owner;
    apr_time_t expired;               /* when expiry was last looked at */
    apr_time_t looked;                /* when the outbox was; 0: it is to be at once */
    ceiling_t mails, sms;
    int ending;                       /* esign_courier_finish breaks mails off: that is no failure of the server */
    esign_database_t *database;       /* of the round that is going on */
    apr_pool_t *round;
};

/* A leased message, and whom it is for. */
typedef struct {
    const esign_outbox_message_t *message;
    apr_int64_t whose;                /* the subscriber's row, also when it is not sent; ESIGN_SUBSCRIBER_NONE: unknown */
    esign_subscriber_t *subscriber;   /* NULL: it is not sent */
    esign_audit_event_e outcome;      /* of a request for a link */
    esign_result_t found;             /* whether that could be found out */
} task_t;

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

/* Notes how an errand ended. `error`: NULL when sent. */
static void note(esign_courier_t *courier, esign_errand_t *errand, esign_end_e end, apr_time_t due, const char *error)
{
    errand->end = end;
    errand->due = due;
    errand->error = apr_pstrdup(errand->pool, error);
    esign_ends_add(courier->ends, errand, apr_time_now());
}

static void retry(esign_courier_t *courier, esign_errand_t *errand, apr_time_t due, const char *error)
{
    say(courier, LOG_WARNING, 0, "a %s was not sent (try %d): %s", esign_outbox_kind_name(errand->kind), errand->attempts, error);
    note(courier, errand, ESIGN_END_RETRY, due, error);
}

static void bury(esign_courier_t *courier, esign_errand_t *errand, const char *error)
{
    say(courier, LOG_ERR, 0, "a %s is given up: %s", esign_outbox_kind_name(errand->kind), error);
    note(courier, errand, ESIGN_END_BURY, 0, error);
}

/* A code's gateway. */
static const esign_sms_gateway_t *gateway_at(const esign_courier_t *courier, int gateway)
{
    return &APR_ARRAY_IDX(courier->options->gateways, gateway, esign_sms_gateway_t);
}

/* What the end of a transfer tells of the server. 1: it is left alone from now on. */
static int hear_of(const esign_courier_t *courier, server_t *server, esign_transfer_outcome_e outcome, const char *error)
{
    if (outcome == ESIGN_TRANSFER_UNTRIED || courier->ending)
        return 0;
    if (outcome != ESIGN_TRANSFER_UNREACHABLE && outcome != ESIGN_TRANSFER_UNANSWERED) {
        if (esign_breaker_worked(&server->breaker))
            say(courier, LOG_NOTICE, 0, "%s answers again", server->name);
        return 0;
    }
    if (!esign_breaker_failed(&server->breaker, apr_time_now()))
        return 0;
    say(courier, LOG_ERR, 0, "%s is left alone, and tried now and then: %s", server->name, error);
    return 1;
}

/* A gateway is done with a code: the next one's turn is at `due`, if there is one. Else the code was sent, as far as anybody can know before its report, or is given up. */
static void hand_on(esign_courier_t *courier, esign_errand_t *errand, int accepted, apr_time_t due, const char *error)
{
    apr_int64_t done = errand->gateways | APR_INT64_C(1) << errand->gateway;
    int last = esign_gateway_turn(courier->options->gateways->nelts, done, errand->attempts + 1) == ESIGN_GATEWAY_NONE;
    if (last && !accepted && errand->awaited < 0) {
        bury(courier, errand, error);
        return;
    }
    if (error)
        say(courier, LOG_WARNING, 0, "a code was not sent (try %d): %s", errand->attempts, error);
    errand->accepted = accepted;
    note(courier, errand, ESIGN_END_HAND_ON, last ? errand->expires : due, error);
}

/* How a gateway's turn with a code ended. What it may have taken is never given to it again. */
static void code_done(esign_courier_t *courier, esign_errand_t *errand, esign_transfer_outcome_e outcome, const char *words)
{
    const esign_sms_gateway_t *gateway = gateway_at(courier, errand->gateway);
    server_t *server = &courier->gateways[errand->gateway];
    const char *error = outcome == ESIGN_TRANSFER_SENT ? NULL : apr_pstrcat(courier->round, server->name, ": ", words, NULL);
    apr_time_t now = apr_time_now();
    int count = courier->options->gateways->nelts;
    server->under_way--;
    hear_of(courier, server, outcome, words);
    if (outcome == ESIGN_TRANSFER_SENT && !esign_gateway_reports(gateway))
        note(courier, errand, ESIGN_END_SENT, 0, NULL);
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

/* A request of a number that nobody has, or that has had its mails: it goes the same way, and tells nothing of the server. */
static int is_no_mail(const esign_errand_t *errand)
{
    return errand->kind == ESIGN_OUTBOX_RESET_REQUEST && errand->outcome != ESIGN_AUDIT_RESET_MAILED;
}

static void mail_done(esign_courier_t *courier, esign_errand_t *errand, esign_transfer_outcome_e outcome, const char *error)
{
    apr_time_t now = apr_time_now(), pause_end = courier->mail_server.breaker.until;
    if (outcome == ESIGN_TRANSFER_SENT && is_no_mail(errand)) {
        note(courier, errand, ESIGN_END_SENT, 0, NULL);
        return;
    }
    if (outcome == ESIGN_TRANSFER_UNREACHABLE || outcome == ESIGN_TRANSFER_UNTRIED)
        courier->ahead = courier->options->smtp->connections;
    if (hear_of(courier, &courier->mail_server, outcome, error))
        esign_transport_recall_mails(courier->transport);
    switch (outcome) {
    case ESIGN_TRANSFER_SENT:
        note(courier, errand, ESIGN_END_SENT, 0, NULL);
        break;
    case ESIGN_TRANSFER_NEVER:
        bury(courier, errand, error);
        break;
    case ESIGN_TRANSFER_UNREACHABLE:
        /* Its pause is the server's. */
        retry(courier, errand, courier->ending ? now : pause_end > now ? pause_end : now + SHORT_PAUSE, error);
        break;
    case ESIGN_TRANSFER_UNTRIED:
        note(courier, errand, ESIGN_END_RELEASE, courier->ending ? now : now + SHORT_PAUSE, "no connection was free for it");
        break;
    default:
        retry(courier, errand, now + pause_after(errand->attempts), error);
    }
}

static void transfer_done(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome, const char *error)
{
    esign_courier_t *courier = baton;
    esign_errand_t *errand = apr_hash_get(courier->errands, &id, sizeof(id));
    apr_hash_set(courier->errands, &errand->id, sizeof(errand->id), NULL);
    if (errand->kind == ESIGN_OUTBOX_CODE)
        code_done(courier, errand, outcome, error);
    else
        mail_done(courier, errand, outcome, error);
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
 * still goes when the last one's link is half through its life: nobody can keep another from a link by asking often. Asked once for a message: at its first lease, which has left
 * no error even when it was given back. */
static esign_result_t find_recipient(esign_courier_t *courier, task_t *task, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    const char *national_id = apr_table_get(task->message->values, "national-id");
    int granted = 1;
    esign_result_t result = national_id ? esign_subscriber_find(courier->database, national_id, &task->subscriber, p) : ESIGN_OK;
    task->outcome = task->subscriber ? ESIGN_AUDIT_RESET_MAILED : ESIGN_AUDIT_RESET_UNKNOWN;
    if (esign_failed(result) || !task->subscriber)
        return result;
    task->whose = task->subscriber->id;
    if (task->message->attempts > 1 || task->message->error)
        return result;
    result = esign_subscriber_claim_mail(courier->database, task->whose, apr_time_now(), o->link_life / 2, o->mails_per_day, &granted, p);
    if (!granted) {
        task->outcome = ESIGN_AUDIT_RESET_SPACED;
        task->subscriber = NULL;
    }
    return result;
}

/* Finds out whom a message is for. */
static void find(esign_courier_t *courier, task_t *task, apr_pool_t *p)
{
    const esign_outbox_message_t *m = task->message;
    if (m->kind != ESIGN_OUTBOX_RESET_REQUEST)
        task->whose = esign_record_number(m->values, "subscriber", ESIGN_SUBSCRIBER_NONE);
    if (m->expires <= courier->looked)
        return;
    task->found = m->kind == ESIGN_OUTBOX_RESET_REQUEST ? find_recipient(courier, task, p)
                                                        : esign_subscriber_get(courier->database, task->whose, &task->subscriber, p);
}

static esign_result_t start_mail(esign_courier_t *courier, const esign_outbox_message_t *message, esign_mail_t *mail, apr_pool_t *p)
{
    mail->id = message_id(courier, message->id, p);
    return esign_transport_mail(courier->transport, message->id, mail, courier->looked + QUEUE_PATIENCE);
}

static esign_result_t start_reset(esign_courier_t *courier, const task_t *task, const esign_message_context_t *context, const char *address, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    esign_mail_t mail;
    const char *token;
    esign_grant_t grant = { .subscriber = task->subscriber->id, .link_epoch = task->subscriber->link_epoch, .expires = apr_time_now() + o->link_life };
    if (esign_token_issue(o->cache, &grant, &token, p) != ESIGN_CACHE_DONE)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s", esign_cache_error(o->cache, p));
    esign_result_t result = esign_message_reset(context, task->subscriber, token, (int)(apr_time_sec(o->link_life) / 60), address,
                                                esign_record_number(task->message->values, "time", task->message->created), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, task->message, &mail, p);
}

static esign_result_t start_notice(esign_courier_t *courier, const task_t *task, const esign_message_context_t *context, const char *address, apr_pool_t *p)
{
    esign_mail_t mail;
    const char *event = apr_table_get(task->message->values, "event");
    esign_result_t result = esign_message_notice(context, task->subscriber, event ? event : "", address,
                                                 esign_record_number(task->message->values, "time", task->message->created), &mail, p);
    return esign_failed(result) ? result : start_mail(courier, task->message, &mail, p);
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

/* A gateway that is left alone has its turn passed. When all have had theirs, the code waits as after a try, but no longer than until this one may be tried. */
static void pass_turn(esign_courier_t *courier, esign_errand_t *errand)
{
    const server_t *server = &courier->gateways[errand->gateway];
    int count = courier->options->gateways->nelts;
    apr_time_t now = apr_time_now(), due = now;
    if (esign_gateway_round_over(count, errand->gateways, errand->attempts)) {
        apr_time_t own = now + pause_after(errand->attempts / count), until = server->breaker.until > now ? server->breaker.until : now + SHORT_PAUSE;
        due = own < until ? own : until;
    }
    note(courier, errand, ESIGN_END_RETRY, due, apr_pstrcat(courier->round, server->name, " is left alone", NULL));
}

/* Hands the code to the gateway whose turn it is. Nothing is under way afterwards: nobody wants it any more, or that gateway is left alone. */
static esign_result_t start_code(esign_courier_t *courier, const task_t *task, const esign_message_context_t *context, esign_errand_t *errand, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    const esign_outbox_message_t *message = task->message;
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
    server_t *server = &courier->gateways[errand->gateway];
    if (!esign_breaker_may_try(&server->breaker, server->under_way, apr_time_now()))
        return ESIGN_OK;
    if (esign_failed(result = esign_message_code(context, task->subscriber, code ? code : "", &sms, p)))
        return result;
    sms.expires = message->expires;
    if (esign_gateway_reports(gateway)) {
        if (esign_failed(result = esign_gateway_reference(o->keyring, message->id, errand->gateway, &reference, p)))
            return result;
        sms.report = apr_pstrcat(p, gateway->report_url, "/", reference, NULL);
    }
    result = esign_transport_sms(courier->transport, message->id, gateway, &sms);
    server->under_way += !esign_failed(result);
    return result;
}

/* Makes a message and starts it, in the name of the portal that it is of; what it is made of is wiped with `p`. */
static esign_result_t make(esign_courier_t *courier, const task_t *task, esign_errand_t *errand, apr_pool_t *p)
{
    const apr_table_t *values = task->message->values;
    esign_message_context_t context = courier->options->message;
    const char *url = apr_table_get(values, "url"), *organization = apr_table_get(values, "organization");
    if (url && organization) {
        context.url = url;
        context.organization = organization;
        context.sms_name = apr_table_get(values, "sms-name");
    }
    context.render = courier->options->render(courier->options->baton, url, p);
    switch (task->message->kind) {
    case ESIGN_OUTBOX_RESET_REQUEST:
        return start_reset(courier, task, &context, errand->address, p);
    case ESIGN_OUTBOX_CODE:
        return start_code(courier, task, &context, errand, p);
    default:
        return start_notice(courier, task, &context, errand->address, p);
    }
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

static void start(esign_courier_t *courier, const task_t *task)
{
    const esign_outbox_message_t *message = task->message;
    const char *address = apr_table_get(message->values, "address");
    apr_pool_t *p, *scratch;
    apr_pool_create(&p, courier->pool);
    apr_pool_create(&scratch, courier->round);
    esign_errand_t *errand = apr_pcalloc(p, sizeof(*errand));
    *errand = (esign_errand_t){ .pool = p, .id = message->id, .kind = message->kind, .attempts = message->attempts,
                                .subscriber = task->whose, .outcome = task->outcome,
                                .gateways = message->gateways, .gateway = ESIGN_GATEWAY_NONE, .awaited = message->awaited, .expires = message->expires,
                                .address = address ? apr_pstrdup(p, address) : "unknown" };
    int expired = message->expires <= apr_time_now(), before = esign_courier_pending(courier);
    esign_result_t result = task->found;
    if (!esign_failed(result) && !expired)
        result = task->subscriber      ? make(courier, task, errand, scratch)
                 : is_no_mail(errand) ? esign_transport_no_mail(courier->transport, message->id, courier->looked + QUEUE_PATIENCE)
                                      : ESIGN_OK;
    if (APR_STATUS_IS_EINVAL(result.status))
        bury(courier, errand, result.detail);
    else if (esign_failed(result))
        retry(courier, errand, apr_time_now() + pause_after(errand->attempts), result.detail);
    else if (expired)
        bury(courier, errand, "expired");
    else if (esign_courier_pending(courier) == before && errand->gateway != ESIGN_GATEWAY_NONE)
        pass_turn(courier, errand);
    else if (esign_courier_pending(courier) == before)
        note(courier, errand, ESIGN_END_SENT, 0, NULL);
    else {
        apr_hash_set(courier->errands, &errand->id, sizeof(errand->id), errand);
        if (!is_no_mail(errand))
            count(courier, message->kind == ESIGN_OUTBOX_CODE ? &courier->sms : &courier->mails, scratch);
    }
    apr_pool_destroy(scratch);
}

/* How many mails to lease: as many as keep the connections busy, one behind a pause of the server, none before. */
static int mail_places(const esign_courier_t *courier, apr_time_t now)
{
    int pending = esign_transport_pending_mail(courier->transport), room = courier->ahead - pending;
    if (!esign_breaker_may_try(&courier->mail_server.breaker, pending, now))
        return 0;
    if (courier->mail_server.breaker.until != 0)
        return 1;
    return pending > courier->ahead / 2 ? 0 : room > TAKE_MAX ? TAKE_MAX : room;
}

/* Leases messages of a kind and finds out whom they are for. */
static esign_result_t take(esign_courier_t *courier, esign_outbox_kind_e kind, int places, apr_array_header_t *tasks, apr_pool_t *p)
{
    const apr_array_header_t *messages;
    if (places <= 0)
        return ESIGN_OK;
    esign_result_t result = esign_outbox_lease(courier->database, courier->owner, kind, places, courier->looked, LEASE, &messages, p);
    for (int i = 0; !esign_failed(result) && i < messages->nelts; i++) {
        task_t *task = apr_array_push(tasks);
        *task = (task_t){ .message = &APR_ARRAY_IDX(messages, i, esign_outbox_message_t), .whose = ESIGN_SUBSCRIBER_NONE, .outcome = ESIGN_AUDIT_EVENTS };
        find(courier, task, p);
        /* A subscriber whose row cannot be unsealed is this message's failure; one of the database is that of all. */
        if (courier->database->broken)
            result = task->found;
    }
    return result;
}

/* Ends and leases in one transaction. */
static esign_result_t exchange(esign_courier_t *courier, int codes, int mails, apr_array_header_t *tasks, apr_pool_t *p)
{
    esign_result_t result = esign_database_begin(courier->database, p);
    if (!esign_failed(result))
        result = esign_ends_write(courier->ends, courier->database, courier->owner, p);
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_CODE, codes, tasks, p);
    /* Notices before requests: what strangers ask for without end must not keep the owner from hearing that somebody got in. */
    int others = tasks->nelts;
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_NOTICE, mails, tasks, p);
    if (!esign_failed(result))
        result = take(courier, ESIGN_OUTBOX_RESET_REQUEST, mails - (tasks->nelts - others), tasks, p);
    result = esign_database_end(courier->database, result, p);
    if (!esign_failed(result))
        esign_ends_clear(courier->ends);
    return result;
}

/* Codes stand first: their requests go out before mails are made. */
static void start_all(esign_courier_t *courier, const apr_array_header_t *tasks)
{
    int i = 0;
    while (i < tasks->nelts && APR_ARRAY_IDX(tasks, i, task_t).message->kind == ESIGN_OUTBOX_CODE)
        start(courier, &APR_ARRAY_IDX(tasks, i++, task_t));
    if (i > 0)
        esign_transport_finish(courier->transport);
    while (i < tasks->nelts)
        start(courier, &APR_ARRAY_IDX(tasks, i++, task_t));
}

/* Writes ends and starts what is due, when it is time for either. `*taken`: how many messages. */
static esign_result_t turn(esign_courier_t *courier, int *taken)
{
    const esign_courier_options_t *o = courier->options;
    apr_time_t now = apr_time_now(), ends_due = esign_ends_due(courier->ends);
    int mails_pending = esign_transport_pending_mail(courier->transport), codes_pending = esign_transport_pending_sms(courier->transport);
    int mails = mail_places(courier, now), codes = o->gateways->nelts > 0 ? o->sms_at_once - codes_pending : 0, idle = mails_pending + codes_pending == 0;
    int look = (codes > 0 || mails > 0) && (idle || now - courier->looked >= LOOK_EVERY);
    *taken = 0;
    if (!look && (ends_due == 0 || (now < ends_due && !idle)))
        return ESIGN_OK;
    mails = look ? below(courier, &courier->mails, mails) : 0;
    codes = look ? below(courier, &courier->sms, codes) : 0;
    if (look)
        courier->looked = now;
    if (mails <= 0 && codes <= 0 && ends_due == 0)
        return ESIGN_OK;
    apr_pool_t *p;
    apr_pool_create(&p, courier->round);
    apr_array_header_t *tasks = apr_array_make(p, TAKE_MAX, sizeof(task_t));
    esign_result_t result = exchange(courier, codes, mails, tasks, p);
    if (!esign_failed(result))
        start_all(courier, tasks);
    *taken = tasks->nelts;
    /* The connections were hungry, and there may be more. */
    if (mails > 0 && tasks->nelts >= mails && mails_pending < o->smtp->connections && courier->mail_server.breaker.until == 0 && courier->ahead < AHEAD_MAX)
        courier->ahead *= 2;
    result.detail = apr_pstrdup(courier->round, result.detail);
    apr_pool_destroy(p);
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
    made->ends = esign_ends_make(p);
    made->mails = (ceiling_t){ .what = "mails", .directive = "EsignMailsPerMinute", .limit = options->mails_per_minute };
    made->sms = (ceiling_t){ .what = "SMS", .directive = "EsignSMSPerMinute", .limit = options->sms_per_minute };
    made->ahead = options->smtp->connections;
    made->mail_server.name = "the mail server";
    made->gateways = apr_pcalloc(p, sizeof(*made->gateways) * (apr_size_t)options->gateways->nelts);
    for (int i = 0; i < options->gateways->nelts; i++)
        made->gateways[i].name = apr_pstrcat(p, "SMS gateway ", gateway_at(made, i)->name, NULL);
    *courier = made;
    return esign_transport_create(&made->transport, options->smtp, transfer_done, made, p);
}

/* Ends messages whose time is over. Whose they were stands sealed in their rows. */
static esign_result_t expire(esign_courier_t *courier)
{
    apr_time_t now = apr_time_now();
    int expired = 0, unreported = 0;
    if (now - courier->expired < EXPIRE_EVERY)
        return ESIGN_OK;
    courier->expired = now;
    esign_result_t result = esign_database_begin(courier->database, courier->round);
    if (!esign_failed(result))
        result = esign_outbox_expire(courier->database, now, &expired, &unreported, courier->round);
    if (!esign_failed(result) && expired > 0)
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGES_EXPIRED, ESIGN_SUBSCRIBER_NONE, "local", now, courier->round);
    result = esign_database_end(courier->database, result, courier->round);
    if (!esign_failed(result) && unreported > 0)
        say(courier, LOG_NOTICE, 0, "of %d codes that were sent no gateway has reported what became of them", unreported);
    if (!esign_failed(result) && expired > 0)
        say(courier, LOG_WARNING, 0, "%d messages expired unsent", expired);
    return result;
}

esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, int called, apr_pool_t *p)
{
    const esign_courier_options_t *o = courier->options;
    int taken = 0;
    courier->database = database;
    courier->round = p;
    if (called)
        courier->looked = 0;
    esign_result_t result = expire(courier);
    do {
        esign_transport_finish(courier->transport);
        if (!esign_failed(result))
            result = turn(courier, &taken);
    } while (!esign_failed(result) && taken > 0 && !o->stopping(o->baton));
    courier->database = NULL;
    courier->round = NULL;
    return result;
}

void esign_courier_wait(esign_courier_t *courier, int wake, apr_interval_time_t wait)
{
    apr_time_t due = esign_ends_due(courier->ends), now = apr_time_now();
    if (esign_transport_pending_mail(courier->transport) > 0 && wait > LOOK_EVERY)
        wait = LOOK_EVERY;
    if (due != 0 && due - now < wait)
        wait = due - now;
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
    courier->ending = 1;
    esign_transport_recall_mails(courier->transport);
    for (apr_time_t now; esign_transport_finish(courier->transport) > 0 && (now = apr_time_now()) < until;)
        esign_transport_wait(courier->transport, -1, until - now);
    esign_transport_stop_mails(courier->transport);
    esign_transport_finish(courier->transport);
    for (apr_hash_index_t *i = apr_hash_first(p, courier->errands); i; i = apr_hash_next(i)) {
        void *errand;
        apr_hash_this(i, NULL, NULL, &errand);
        note(courier, errand, ESIGN_END_RETRY, apr_time_now(), "the process ended");
    }
    apr_array_header_t *none = apr_array_make(p, 1, sizeof(task_t));
    complain(courier, exchange(courier, 0, 0, none, p));
    courier->database = NULL;
    courier->round = NULL;
}
