/* SPDX-License-Identifier: Apache-2.0 */
/* reset.c: a forgotten word: the form, the page after it, the mailed link, the form for the new
 * word and the page after that. */
#include "reset.h"

#include "picture.h"
#include "word.h"

#include "web/client.h"
#include "web/form.h"
#include "web/hash.h"
#include "web/limits.h"
#include "web/mark.h"

#include "audit/trail.h"
#include "cache/token.h"
#include "core/record.h"
#include "core/seal.h"

#include <apr_strings.h>

/* How long a request waits in the outbox for a mail server that is down. */
#define REQUEST_LIFE apr_time_from_sec(24 * 3600)
/* What the seal of the token in the cookie is bound to. */
#define COOKIE_PLACE "reset cookie"

static int send_form(esign_request_t *q, int status, const char *id_problem, const char *minutes,
                     const esign_picture_t *picture)
{
    esign_page_t *page = esign_page_new(q, "reset", status);
    if (minutes)
        esign_page_problem(page, NULL, "too-many", minutes);
    if (id_problem)
        esign_page_problem(page, "id", id_problem, NULL);
    esign_picture_add_problem(page, picture);
    int form = esign_page_form(page, "form", ESIGN_PATH_RESET, NULL);
    esign_page_element(page, form, "field", "name", "id", "~value", esign_form_field(q, "id"),
                       NULL);
    esign_picture_add(page, form, picture);
    return esign_page_send(page);
}

static int send_fresh_form(esign_request_t *q, int status, const char *minutes)
{
    esign_picture_t picture = { 0 };
    return esign_picture_new(q, &picture) ? send_form(q, status, NULL, minutes, &picture)
                                          : esign_page_unavailable(q);
}

int esign_reset_get(esign_request_t *q)
{
    return send_fresh_form(q, HTTP_OK, NULL);
}

/* Queues a request for any number. Only the courier looks the number up, so the answer is the same
 * for known and unknown ones. */
static esign_result_t queue_request(esign_request_t *q, const char *national_id)
{
    apr_pool_t *p = q->r->pool;
    apr_table_t *values = apr_table_make(p, 3);
    apr_table_set(values, "national-id", national_id);
    apr_table_set(values, "address", q->address);
    esign_record_set_number(values, "time", q->now);
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_request_queue(q, ESIGN_OUTBOX_RESET_REQUEST, values, REQUEST_LIFE);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, ESIGN_AUDIT_RESET_ASKED, ESIGN_SUBSCRIBER_NONE,
                                 q->address, q->now, p);
    return esign_request_end(q, result);
}

int esign_reset_post(esign_request_t *q)
{
    char national_id[ESIGN_NATIONAL_ID_MAX + 1];
    esign_picture_t picture;
    const char *minutes;
    if (*esign_form_field(q, "new"))
        return send_fresh_form(q, HTTP_OK, NULL);
    esign_limits_e allowed = esign_limits_check(q, "reset", q->config->address_requests,
                                                ESIGN_AUDIT_RESET_LIMITED, &minutes);
    if (allowed == ESIGN_LIMITS_REACHED)
        return send_fresh_form(q, HTTP_TOO_MANY_REQUESTS, minutes);
    const char *id_problem = esign_form_id_problem(q, national_id);
    if (allowed == ESIGN_LIMITS_UNAVAILABLE || !esign_picture_judge(q, &picture))
        return esign_page_unavailable(q);
    if (picture.wrong)
        esign_limits_count(q, "reset", q->config->address_requests);
    if (!id_problem && !picture.problem && !esign_picture_use(q, &picture))
        return esign_page_unavailable(q);
    if (id_problem || picture.problem)
        return send_form(q, HTTP_UNPROCESSABLE_ENTITY, id_problem, NULL, &picture);

    esign_result_t result = queue_request(q, national_id);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    esign_limits_count(q, "reset", q->config->address_requests);
    return esign_page_redirect(q, ESIGN_PATH_RESET_SENT);
}

int esign_reset_sent_get(esign_request_t *q)
{
    esign_page_t *page = esign_page_new(q, "reset-sent", HTTP_OK);
    esign_page_element(
        page, 0, "life", "minutes",
        apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT, apr_time_sec(q->config->link_life) / 60),
        NULL);
    return esign_page_send(page);
}

/* Reads grant and subscriber of a link, and uses nothing up. MISS: the link was never made, was
 * used, or has ended; audited only while memcached still has the link of a known subscriber. ERROR:
 * memcached or the database failed, logged. */
static esign_cache_answer_e check_link(esign_request_t *q, const char *token,
                                       esign_token_grant_t *grant, esign_subscriber_t **subscriber)
{
    esign_cache_answer_e answer =
        token && esign_token_well_formed(token)
            ? esign_token_read(q->runtime->cache, token, grant, q->r->pool)
            : ESIGN_CACHE_MISS;
    if (answer == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
    if (answer == ESIGN_CACHE_MISS)
        esign_request_log_refusal(q, "a link that is dead or was never made");
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    if (!esign_request_database(q))
        return ESIGN_CACHE_ERROR;
    esign_result_t result =
        esign_subscriber_get(q->database, grant->subscriber, subscriber, q->r->pool);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return ESIGN_CACHE_ERROR;
    }
    int alive =
        *subscriber && (*subscriber)->link_epoch == grant->link_epoch && grant->expires > q->now;
    if (!alive)
        esign_limits_audit(q, ESIGN_AUDIT_LINK_REFUSED, grant->subscriber);
    return alive ? ESIGN_CACHE_DONE : ESIGN_CACHE_MISS;
}

static int send_refusal(esign_request_t *q, esign_cache_answer_e answer)
{
    return answer == ESIGN_CACHE_MISS ? esign_page_link_dead(q) : esign_page_unavailable(q);
}

/* Opens the link of the mail. Nothing is used up, because mail scanners open links too. */
int esign_reset_link_get(esign_request_t *q)
{
    esign_token_grant_t grant;
    esign_subscriber_t *subscriber;
    const char *sealed, *token = q->argument;
    esign_cache_answer_e answer = check_link(q, token, &grant, &subscriber);
    if (answer != ESIGN_CACHE_DONE)
        return send_refusal(q, answer);
    esign_result_t result = esign_seal(q->runtime->keyring, ESIGN_KEY_COOKIE, COOKIE_PLACE, token,
                                       strlen(token), &sealed, q->r->pool);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return esign_page_unavailable(q);
    }
    esign_limits_audit(q, ESIGN_AUDIT_LINK_OPENED, grant.subscriber);
    esign_client_set_cookie(q->r, ESIGN_COOKIE_RESET, sealed,
                            (int)apr_time_sec(grant.expires - q->now) + 1);
    return esign_page_redirect(q, ESIGN_PATH_RESET_WORD);
}

/* The token in the cookie, in r->pool, wiped with it. NULL: no cookie, or one that was changed. */
static const char *read_token(esign_request_t *q)
{
    const char *cookie = esign_client_cookie(q->r, ESIGN_COOKIE_RESET);
    char *token;
    apr_size_t length;
    if (!cookie || esign_failed(esign_unseal(q->runtime->keyring, ESIGN_KEY_COOKIE, COOKIE_PLACE,
                                             cookie, &token, &length, q->r->pool)))
        return NULL;
    return token;
}

int esign_reset_word_get(esign_request_t *q)
{
    esign_token_grant_t grant;
    esign_subscriber_t *subscriber;
    esign_cache_answer_e answer = check_link(q, read_token(q), &grant, &subscriber);
    return answer == ESIGN_CACHE_DONE
               ? esign_word_page(q, subscriber, "reset-word", ESIGN_PATH_RESET_WORD, NULL, NULL)
               : send_refusal(q, answer);
}

/* Restores a claimed link whose word was not changed. */
static void restore_link(esign_request_t *q, const char *token, const esign_token_grant_t *grant)
{
    if (esign_token_restore(q->runtime->cache, token, grant, q->r->pool) == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
}

/* Changes the word, after this request has claimed the link. If it cannot, the link is restored. */
static int change_word(esign_request_t *q, const esign_subscriber_t *subscriber,
                       const esign_token_grant_t *grant, const char *token, const char *word)
{
    const char *hash;
    int changed = 0;
    esign_result_t result = ESIGN_OK;
    apr_status_t status = esign_hash_make(q, word, &hash);
    if (status == APR_SUCCESS)
        result = esign_word_store(q, subscriber, grant->link_epoch, hash, ESIGN_AUDIT_WORD_RESET,
                                  &changed);
    if (status == APR_SUCCESS && !esign_failed(result)) {
        esign_client_set_cookie(q->r, ESIGN_COOKIE_RESET, "", -1);
        if (!changed)
            esign_limits_audit(q, ESIGN_AUDIT_LINK_REFUSED, subscriber->id);
        return changed ? esign_page_redirect(q, ESIGN_PATH_RESET_DONE) : esign_page_link_dead(q);
    }
    restore_link(q, token, grant);
    return status != APR_SUCCESS ? esign_hash_refused(q, status) : esign_page_failed(q, result);
}

int esign_reset_word_post(esign_request_t *q)
{
    esign_token_grant_t grant;
    esign_subscriber_t *subscriber;
    const char *field, *problem, *token = read_token(q);
    esign_cache_answer_e answer = check_link(q, token, &grant, &subscriber);
    if (answer != ESIGN_CACHE_DONE)
        return send_refusal(q, answer);
    if (esign_mark_differs(q, subscriber))
        return esign_page_other_tab(q, ESIGN_PATH_RESET_WORD);
    const char *word = esign_word_read(q, subscriber, &field, &problem);
    if (!word)
        return esign_word_page(q, subscriber, "reset-word", ESIGN_PATH_RESET_WORD, field, problem);
    answer = esign_token_claim(q->runtime->cache, token, q->r->pool);
    if (answer == ESIGN_CACHE_ERROR) {
        /* memcached may have deleted the link although its answer was lost. If another request has
         * claimed it instead, the restored link is useless: the new word raises the link epoch. */
        esign_request_log_cache(q);
        restore_link(q, token, &grant);
    }
    return answer == ESIGN_CACHE_DONE ? change_word(q, subscriber, &grant, token, word)
                                      : send_refusal(q, answer);
}

int esign_reset_done_get(esign_request_t *q)
{
    esign_page_t *page = esign_page_new(q, "reset-done", HTTP_OK);
    esign_page_element(page, 0, "sign-in", "href", esign_request_path(q, ESIGN_PATH_START), NULL);
    return esign_page_send(page);
}
