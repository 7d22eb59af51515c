/* SPDX-License-Identifier: Apache-2.0 */
/* otp.c: figures 14 and 15: the phone number confirmed, the code sent and entered. */
#include "device.h"
#include "form.h"
#include "limits.h"
#include "mark.h"
#include "notice.h"
#include "page.h"
#include "session.h"

#include "core/contact.h"
#include "core/record.h"
#include "core/secret.h"
#include "store/otp_store.h"

#include <apr_strings.h>

static esign_otp_policy_t policy_of(const esign_request_t *q)
{
    return (esign_otp_policy_t){ .digits = q->config->code_digits, .life = q->config->code_life, .tries = 3,
                                 .key = esign_keyring_active(q->runtime->keyring) };
}

static int alive(const esign_otp_t *otp, apr_time_t now)
{
    return otp->expires > now && otp->tries_left > 0;
}

static void show_phone(esign_page_t *page)
{
    esign_page_element(page, 0, "phone", "~masked", esign_contact_mask_phone(page->q->r->pool, page->q->subscriber->phone), NULL);
}

static int send_confirm(esign_request_t *q, int status, const char *problem, const char *argument)
{
    esign_page_t *page = esign_page_common(q, "otp", status);
    if (problem)
        esign_page_problem(page, NULL, problem, argument);
    show_phone(page);
    esign_page_form(page, "form", "otp", q->subscriber);
    return esign_page_send(page);
}

int esign_otp_get(esign_request_t *q)
{
    return send_confirm(q, HTTP_OK, NULL, NULL);
}

/* A wait after failures, or a closure. */
static void audit_held(esign_request_t *q)
{
    esign_limits_audit(q, q->subscriber->closed ? ESIGN_AUDIT_REFUSED_CLOSED : ESIGN_AUDIT_REFUSED_WAITING, q->subscriber->id);
}

/* The code's record for this session, made or taken up again; DONE with `otp` and what became of it. */
static esign_cache_answer_e open_code(esign_request_t *q, esign_otp_t *otp, esign_audit_event_e *event)
{
    esign_cache_t *cache = q->runtime->cache;
    esign_otp_policy_t policy = policy_of(q);
    esign_otp_t previous;
    *event = ESIGN_AUDIT_CODE_SENT;
    esign_cache_answer_e answer = esign_otp_store_open(cache, q->session_key, &policy, NULL, q->now, otp, q->r->pool);
    if (answer != ESIGN_CACHE_MISS)
        return answer;
    answer = esign_otp_store_get(cache, q->session_key, &previous, q->r->pool);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    if (!alive(&previous, q->now))
        return esign_otp_store_open(cache, q->session_key, &policy, &previous, q->now, otp, q->r->pool);
    *otp = previous;
    *event = ESIGN_AUDIT_CODE_RESENT;
    return esign_otp_store_resent(cache, q->session_key, otp, q->now, q->r->pool);
}

/* In the transaction that claimed the SMS: opens the code and queues it. */
static esign_result_t queue_code(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    esign_otp_t otp;
    esign_audit_event_e event;
    char *code = esign_secret_alloc(p, ESIGN_OTP_MAX_DIGITS + 1);
    if (open_code(q, &otp, &event) != ESIGN_CACHE_DONE)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s", esign_cache_error(q->runtime->cache, p));
    if (!esign_otp_code(q->runtime->keyring, otp.key, q->session_key, otp.seed, q->config->code_digits, code))
        return esign_result_make(p, APR_EINVAL, "key file", "key %d, which a living code was made with, is not there", otp.key);
    apr_table_t *values = apr_table_make(p, 6);
    esign_record_set_number(values, "subscriber", q->subscriber->id);
    apr_table_setn(values, "code", code);
    apr_table_setn(values, "session", q->session_key);
    esign_result_t result = esign_request_queue(q, ESIGN_OUTBOX_CODE, values, otp.expires - q->now);
    return esign_failed(result) ? result : esign_audit_add(q->database, event, q->subscriber->id, q->address, q->now, p);
}

/* No SMS now: a code that lives leads on, for a double click or a reload is no mistake; else it says when. */
static int send_not_yet(esign_request_t *q, apr_time_t next)
{
    esign_otp_t otp;
    switch (esign_otp_store_get(q->runtime->cache, q->session_key, &otp, q->r->pool)) {
    case ESIGN_CACHE_DONE:
        if (alive(&otp, q->now))
            return esign_page_redirect(q, "otp/code");
        break;
    case ESIGN_CACHE_MISS:
        break;
    default:
        esign_request_log_cache(q);
        return esign_page_unavailable(q);
    }
    esign_limits_audit(q, ESIGN_AUDIT_SMS_REFUSED, q->subscriber->id);
    if (next - q->now > q->config->sms_pause)
        return send_confirm(q, HTTP_TOO_MANY_REQUESTS, "sms-limit", NULL);
    return send_confirm(q, HTTP_TOO_MANY_REQUESTS, "resend-early", esign_limits_seconds(q, next));
}

int esign_otp_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int granted = 0;
    apr_time_t next = 0;
    if (esign_limits_waiting(q->subscriber, q->now)) {
        audit_held(q);
        return send_confirm(q, HTTP_TOO_MANY_REQUESTS, "code-waiting", esign_limits_held(q));
    }
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_claim_sms(q->database, q->subscriber->id, q->now, q->config->sms_pause, q->config->sms_per_day, &granted, &next, p);
    if (!esign_failed(result) && granted)
        result = queue_code(q);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    return granted ? esign_page_redirect(q, "otp/code") : send_not_yet(q, next);
}

static int send_code_form(esign_request_t *q, const esign_otp_t *otp, int status, const char *problem, const char *argument)
{
    apr_pool_t *p = q->r->pool;
    esign_page_t *page = esign_page_common(q, "otp-code", status);
    apr_time_t next = otp->sent + q->config->sms_pause;
    if (problem)
        esign_page_problem(page, "code", problem, argument);
    show_phone(page);
    esign_page_element(page, 0, "code", "digits", apr_itoa(p, q->config->code_digits), "seconds",
                       alive(otp, q->now) ? esign_limits_seconds(q, otp->expires) : "0", "tries", apr_itoa(p, otp->tries_left), NULL);
    esign_page_element(page, 0, "resend", "seconds", next > q->now ? esign_limits_seconds(q, next) : "0", "action", esign_request_path(q, "otp"),
                       "~mark", esign_mark_make(q, q->subscriber), NULL);
    int form = esign_page_form(page, "form", "otp/code", q->subscriber);
    esign_page_element(page, form, "field", "name", "code", NULL);
    return esign_page_send(page);
}

/* The page of figure 15 as the code's record now stands; without one the number has to be confirmed first. */
static int send_code_page(esign_request_t *q, int status, const char *problem, const char *argument)
{
    esign_otp_t otp;
    switch (esign_otp_store_get(q->runtime->cache, q->session_key, &otp, q->r->pool)) {
    case ESIGN_CACHE_DONE:
        return send_code_form(q, &otp, status, problem, argument);
    case ESIGN_CACHE_MISS:
        return esign_page_redirect(q, "otp");
    default:
        esign_request_log_cache(q);
        return esign_page_unavailable(q);
    }
}

int esign_otp_code_get(esign_request_t *q)
{
    return send_code_page(q, HTTP_OK, NULL, NULL);
}

/* The second factor was right: failures are forgotten, unused links end; a sign-in with a browser that is new to the subscriber is told. */
static int sign_in(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_signed_in(q->database, q->subscriber->id, p);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, ESIGN_AUDIT_SIGNED_IN, q->subscriber->id, q->address, q->now, p);
    if (!esign_failed(result) && !esign_device_known(q, q->subscriber))
        result = esign_notice_add(q, q->subscriber, ESIGN_AUDIT_SIGNED_IN);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    if (!esign_session_raise(q, q->subscriber, ESIGN_TRUST_CODE))
        return esign_page_unavailable(q);
    esign_device_remember(q, q->subscriber);
    return esign_page_redirect(q, "menu");
}

/* A wrong code counts among the subscriber's failures; a new code does not reset them. */
static int refuse(esign_request_t *q, const char *problem, const char *argument)
{
    apr_pool_t *p = q->r->pool;
    int closing = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_failed(q->database, q->subscriber->id, &esign_failure_limits, 1, q->now, &closing, p);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, closing ? ESIGN_AUDIT_CLOSED : ESIGN_AUDIT_CODE_REFUSED, q->subscriber->id, q->address, q->now, p);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, problem, argument);
}

int esign_otp_code_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    esign_otp_policy_t policy = policy_of(q);
    const char *typed = esign_form_field(q, "code");
    int tries_left = 0;
    if (esign_limits_waiting(q->subscriber, q->now)) {
        audit_held(q);
        return send_code_page(q, HTTP_TOO_MANY_REQUESTS, "code-waiting", esign_limits_held(q));
    }
    if (!*typed)
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-empty", NULL);
    if (!esign_otp_well_formed(typed, policy.digits))
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-form", apr_itoa(p, policy.digits));
    switch (esign_otp_store_try(q->runtime->cache, q->runtime->keyring, q->session_key, &policy, typed, q->now, &tries_left, p)) {
    case ESIGN_OTP_RIGHT:
        return sign_in(q);
    case ESIGN_OTP_WRONG:
        return refuse(q, "code-wrong", apr_itoa(p, tries_left));
    case ESIGN_OTP_EXHAUSTED:
        return refuse(q, "code-exhausted", NULL);
    case ESIGN_OTP_GONE:
        esign_limits_audit(q, ESIGN_AUDIT_CODE_DEAD, q->subscriber->id);
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-expired", NULL);
    default:
        esign_request_log_cache(q);
        return esign_page_unavailable(q);
    }
}
