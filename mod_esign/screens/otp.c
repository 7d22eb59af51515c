/* SPDX-License-Identifier: Apache-2.0 */
/* otp.c: the second factor: the page that confirms the phone number and sends a code, and the page
 * that takes the code. */
#include "otp.h"

#include "web/account.h"
#include "web/device.h"
#include "web/form.h"
#include "web/limits.h"
#include "web/mark.h"
#include "web/notice.h"
#include "web/page.h"
#include "web/session.h"

#include "core/contact.h"
#include "core/record.h"
#include "core/secret.h"

#include <apr_strings.h>

static esign_code_policy_t policy_of(const esign_request_t *q)
{
    return (esign_code_policy_t){ .digits = q->config->code_digits,
                                  .life = q->config->code_life,
                                  .tries = 3,
                                  .key = esign_keyring_active(q->runtime->keyring) };
}

/* Adds the masked phone number to the page. */
static void add_phone(esign_page_t *page)
{
    esign_page_element(page, 0, "phone", "~masked",
                       esign_contact_mask_phone(page->q->r->pool, page->q->subscriber->phone),
                       NULL);
}

/* Sends the page that confirms the phone number. */
static int send_phone_page(esign_request_t *q, int status, const char *problem,
                           const char *argument)
{
    esign_page_t *page = esign_page_new(q, "otp", status);
    if (problem)
        esign_page_problem(page, NULL, problem, argument);
    add_phone(page);
    esign_page_form(page, "form", ESIGN_PATH_OTP, q->subscriber);
    return esign_page_send(page);
}

int esign_otp_get(esign_request_t *q)
{
    return send_phone_page(q, HTTP_OK, NULL, NULL);
}

/* Issues a code and queues its SMS, in the transaction that has claimed the SMS. */
static esign_result_t queue_code(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    const esign_code_session_t session = esign_session_codes(q);
    const esign_code_policy_t policy = policy_of(q);
    esign_code_t otp;
    int resent;
    char *code = esign_secret_alloc(p, ESIGN_OTP_MAX_DIGITS + 1);
    esign_cache_answer_e answer = esign_code_issue(&session, &policy, q->now, &otp, &resent, p);
    if (answer != ESIGN_CACHE_DONE)
        return esign_result_make(p, APR_EGENERAL, "memcached", "%s",
                                 answer == ESIGN_CACHE_MISS ? "the session has ended meanwhile"
                                                            : esign_cache_error(p));
    if (!esign_otp_code(q->runtime->keyring, otp.key, session.key, otp.seed, policy.digits, code))
        return esign_result_make(p, APR_EINVAL, "key file",
                                 "key %d, which a living code was made with, is not there",
                                 otp.key);
    apr_table_t *values = apr_table_make(p, 6);
    esign_record_set_number(values, "subscriber", q->subscriber->id);
    apr_table_setn(values, "code", code);
    apr_table_setn(values, "session", session.key);
    esign_result_t result = esign_request_queue(q, ESIGN_OUTBOX_CODE, values, otp.expires - q->now);
    return esign_failed(result)
               ? result
               : esign_audit_add(q->database,
                                 resent ? ESIGN_AUDIT_CODE_RESENT : ESIGN_AUDIT_CODE_SENT,
                                 q->subscriber->id, q->address, q->now, p);
}

/* Answers when no SMS may be sent yet. If the session has a valid code, perhaps since this request
 * began, it redirects to the code page: a double click or a reload needs no refusal. Else the page
 * says how long to wait. */
static int refuse_sms(esign_request_t *q, apr_time_t next)
{
    const esign_code_session_t session = esign_session_codes(q);
    esign_code_t otp;
    esign_cache_answer_e answer = esign_session_store_load(
        session.cache, session.key, &session.limits, q->now, session.record, q->r->pool);
    if (answer == ESIGN_CACHE_ERROR) {
        esign_request_log_cache(q);
        return esign_page_unavailable(q);
    }
    if (answer == ESIGN_CACHE_DONE && esign_code_read(session.record, &otp, q->r->pool) &&
        esign_code_is_valid(&otp, q->now))
        return esign_page_redirect(q, ESIGN_PATH_OTP_CODE);
    esign_limits_audit(q, ESIGN_AUDIT_SMS_REFUSED, q->subscriber->id);
    if (next - q->now > q->config->sms_pause)
        return send_phone_page(q, HTTP_TOO_MANY_REQUESTS, "sms-limit", NULL);
    return send_phone_page(q, HTTP_TOO_MANY_REQUESTS, "resend-early",
                           esign_request_seconds(q, next));
}

int esign_otp_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int granted = 0;
    apr_time_t next = 0;
    if (esign_account_state(q->subscriber, q->now) != ESIGN_ACCOUNT_OPEN) {
        esign_account_audit_refusal(q);
        return send_phone_page(q, HTTP_TOO_MANY_REQUESTS, "code-waiting", esign_account_wait(q));
    }
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result =
            esign_subscriber_claim_sms(q->database, q->subscriber->id, q->now, q->config->sms_pause,
                                       q->config->sms_per_day, &granted, &next, p);
    if (!esign_failed(result) && granted)
        result = queue_code(q);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    return granted ? esign_page_redirect(q, ESIGN_PATH_OTP_CODE) : refuse_sms(q, next);
}

static int send_code_form(esign_request_t *q, const esign_code_t *otp, int status,
                          const char *problem, const char *argument)
{
    apr_pool_t *p = q->r->pool;
    esign_page_t *page = esign_page_new(q, "otp-code", status);
    apr_time_t next = otp->sent + q->config->sms_pause;
    if (problem)
        esign_page_problem(page, "code", problem, argument);
    add_phone(page);
    esign_page_element(page, 0, "code", "digits", apr_itoa(p, q->config->code_digits), "seconds",
                       esign_code_is_valid(otp, q->now) ? esign_request_seconds(q, otp->expires)
                                                        : "0",
                       "tries", apr_itoa(p, otp->tries_left), NULL);
    esign_page_element(page, 0, "resend", "seconds",
                       next > q->now ? esign_request_seconds(q, next) : "0", "action",
                       esign_request_path(q, ESIGN_PATH_OTP), "~mark",
                       esign_mark_make(q, q->subscriber), NULL);
    int form = esign_page_form(page, "form", ESIGN_PATH_OTP_CODE, q->subscriber);
    esign_page_element(page, form, "field", "name", "code", NULL);
    return esign_page_send(page);
}

/* Sends the code page for the session's code. A session without a code is redirected to the phone
 * page. */
static int send_code_page(esign_request_t *q, int status, const char *problem, const char *argument)
{
    const esign_code_session_t session = esign_session_codes(q);
    esign_code_t otp;
    return esign_code_read(session.record, &otp, q->r->pool)
               ? send_code_form(q, &otp, status, problem, argument)
               : esign_page_redirect(q, ESIGN_PATH_OTP);
}

int esign_otp_code_get(esign_request_t *q)
{
    return send_code_page(q, HTTP_OK, NULL, NULL);
}

/* Completes the sign-in after the right code, which has ended the session: clears failures, ends
 * unused links, queues a notice if the device is unknown, and begins a session of full trust. */
static int complete_sign_in(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_signed_in(q->database, q->subscriber->id, p);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, ESIGN_AUDIT_SIGNED_IN, q->subscriber->id, q->address,
                                 q->now, p);
    if (!esign_failed(result) && !esign_device_known(q, q->subscriber))
        result = esign_notice_add(q, q->subscriber, ESIGN_AUDIT_SIGNED_IN);
    result = esign_request_end(q, result);
    if (esign_failed(result) || !esign_session_raise(q, q->subscriber, ESIGN_TRUST_CODE)) {
        esign_session_restore(q);
        return esign_failed(result) ? esign_page_failed(q, result) : esign_page_unavailable(q);
    }
    esign_device_remember(q, q->subscriber);
    return esign_page_redirect(q, ESIGN_PATH_MENU);
}

/* Refuses a wrong code, which counts as a failure. A new code does not reset the failures. */
static int refuse_code(esign_request_t *q, const char *problem, const char *argument)
{
    esign_result_t result = esign_account_record_wrong_code(q);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, problem, argument);
}

int esign_otp_code_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    const esign_code_session_t session = esign_session_codes(q);
    const esign_code_policy_t policy = policy_of(q);
    const char *typed = esign_form_field(q, "code");
    int tries_left = 0;
    if (esign_account_state(q->subscriber, q->now) != ESIGN_ACCOUNT_OPEN) {
        esign_account_audit_refusal(q);
        return send_code_page(q, HTTP_TOO_MANY_REQUESTS, "code-waiting", esign_account_wait(q));
    }
    if (!*typed)
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-empty", NULL);
    if (!esign_otp_well_formed(typed, policy.digits))
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-form",
                              apr_itoa(p, policy.digits));
    switch (esign_code_try(&session, q->runtime->keyring, &policy, typed, q->now, &tries_left, p)) {
    case ESIGN_CODE_RIGHT:
        return complete_sign_in(q);
    case ESIGN_CODE_WRONG:
        return refuse_code(q, "code-wrong", apr_itoa(p, tries_left));
    case ESIGN_CODE_EXHAUSTED:
        return refuse_code(q, "code-exhausted", NULL);
    case ESIGN_CODE_GONE:
        esign_limits_audit(q, ESIGN_AUDIT_CODE_DEAD, q->subscriber->id);
        return send_code_page(q, HTTP_UNPROCESSABLE_ENTITY, "code-expired", NULL);
    default:
        esign_request_log_cache(q);
        return esign_page_unavailable(q);
    }
}
