/* SPDX-License-Identifier: Apache-2.0 */
/* login.c: the start page, the sign-in by number, picture and word, and the sign-out. */
#include "login.h"

#include "picture.h"

#include "web/account.h"
#include "web/form.h"
#include "web/hash.h"
#include "web/limits.h"
#include "web/page.h"
#include "web/session.h"

#include "audit/trail.h"

#include <apr_strings.h>

int esign_start_get(esign_request_t *q)
{
    esign_page_t *page = esign_page_new(q, "start", HTTP_OK);
    esign_page_element(page, 0, "sign-in", "href", esign_request_path(q, ESIGN_PATH_LOGIN), NULL);
    if (q->config->certificate_url)
        esign_page_element(page, 0, "certificate", "href", q->config->certificate_url, NULL);
    return esign_page_send(page);
}

/* The state of the form: its status, and its problems as codes; NULL: none. */
typedef struct {
    int status;
    const char *id_problem, *word_problem, *general, *argument;
    esign_picture_t picture;
} login_t;

static int send_form(esign_request_t *q, const login_t *login)
{
    esign_page_t *page = esign_page_new(q, "login", login->status);
    if (login->general)
        esign_page_problem(page, NULL, login->general, login->argument);
    if (login->id_problem)
        esign_page_problem(page, "id", login->id_problem, NULL);
    esign_picture_add_problem(page, &login->picture);
    if (login->word_problem)
        esign_page_problem(page, "word", login->word_problem, NULL);
    int form = esign_page_form(page, "form", ESIGN_PATH_LOGIN, NULL);
    esign_page_element(page, form, "field", "name", "id", "~value", esign_form_field(q, "id"),
                       NULL);
    esign_picture_add(page, form, &login->picture);
    esign_page_element(page, form, "field", "name", "word", NULL);
    esign_page_element(page, 0, "forgot", "href", esign_request_path(q, ESIGN_PATH_RESET), NULL);
    return esign_page_send(page);
}

static int send_fresh_form(esign_request_t *q, login_t *login)
{
    return esign_picture_new(q, &login->picture) ? send_form(q, login) : esign_page_unavailable(q);
}

int esign_login_get(esign_request_t *q)
{
    login_t login = { .status = HTTP_OK };
    return send_fresh_form(q, &login);
}

/* Refuses number or word; the page is the same for all reasons. */
static int refuse_sign_in(esign_request_t *q, login_t *login)
{
    esign_limits_count(q, "sign-in", q->config->address_failures);
    login->status = HTTP_UNPROCESSABLE_ENTITY;
    login->word_problem = "credentials";
    return send_fresh_form(q, login);
}

/* Stores a hash of the same word with the parameters of today. */
static esign_result_t store_better_hash(esign_request_t *q, const esign_subscriber_t *subscriber,
                                        const char *better)
{
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_rehash(q->database, subscriber, better, q->r->pool);
    return esign_request_end(q, result);
}

/* Judges number and word, after the picture was answered. */
static int judge_sign_in(esign_request_t *q, login_t *login, const char *national_id)
{
    apr_pool_t *p = q->r->pool;
    esign_subscriber_t *subscriber;
    esign_result_t result;
    if (!esign_request_database(q))
        return esign_page_unavailable(q);
    if (esign_failed(result = esign_subscriber_find(q->database, national_id, &subscriber, p)))
        return esign_page_failed(q, result);
    const char *better;
    esign_subscriber_t *compared = subscriber;
    if (!subscriber &&
        esign_failed(result = esign_subscriber_decoy(q->database, national_id, &compared, p)))
        return esign_page_failed(q, result);
    /* An unknown number is compared with the hash of another subscriber, and is always refused. */
    int matches = 0,
        waiting = !subscriber || esign_account_state(subscriber, q->now) != ESIGN_ACCOUNT_OPEN;
    apr_status_t status =
        esign_hash_verify(q, esign_form_field(q, "word"), compared, !waiting, &matches, &better);
    if (status != APR_SUCCESS)
        return esign_hash_refused(q, status);
    int accepted = matches && !waiting;
    result = esign_account_record_word(q, subscriber, &accepted);
    if (!esign_failed(result) && accepted && better)
        result = store_better_hash(q, subscriber, better);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    if (!accepted)
        return refuse_sign_in(q, login);
    return esign_session_raise(q, subscriber, ESIGN_TRUST_WORD)
               ? esign_page_redirect(q, ESIGN_PATH_OTP)
               : esign_page_unavailable(q);
}

int esign_login_post(esign_request_t *q)
{
    login_t login = { .status = HTTP_UNPROCESSABLE_ENTITY };
    char national_id[ESIGN_NATIONAL_ID_MAX + 1];
    if (*esign_form_field(q, "new")) {
        login.status = HTTP_OK;
        return send_fresh_form(q, &login);
    }
    switch (esign_limits_check(q, "sign-in", q->config->address_failures,
                               ESIGN_AUDIT_SIGN_IN_LIMITED, &login.argument)) {
    case ESIGN_LIMITS_BELOW:
        break;
    case ESIGN_LIMITS_REACHED:
        login.status = HTTP_TOO_MANY_REQUESTS;
        login.general = "too-many";
        return send_fresh_form(q, &login);
    default:
        return esign_page_unavailable(q);
    }
    login.id_problem = esign_form_id_problem(q, national_id);
    if (!*esign_form_field(q, "word"))
        login.word_problem = "word-empty";
    if (!esign_picture_judge(q, &login.picture))
        return esign_page_unavailable(q);
    if (login.picture.wrong)
        esign_limits_count(q, "sign-in", q->config->address_failures);
    if (!login.id_problem && !login.word_problem && !login.picture.problem &&
        !esign_picture_use(q, &login.picture))
        return esign_page_unavailable(q);
    if (login.id_problem || login.word_problem || login.picture.problem)
        return send_form(q, &login);
    return judge_sign_in(q, &login, national_id);
}

int esign_logout_post(esign_request_t *q)
{
    if (esign_session_identify(q) == OK)
        esign_request_audit(q, ESIGN_AUDIT_SIGNED_OUT, q->subscriber->id);
    return esign_session_end(q) ? esign_page_redirect(q, ESIGN_PATH_START)
                                : esign_page_unavailable(q);
}
