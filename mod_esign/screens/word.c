/* SPDX-License-Identifier: Apache-2.0 */
/* word.c: asks for a new security word, judges it and stores its hash. */
#include "word.h"

#include "web/account.h"
#include "web/device.h"
#include "web/form.h"
#include "web/hash.h"
#include "web/notice.h"
#include "web/session.h"

#include <apr_strings.h>

/* What fills {1} in the text of a problem; NULL: nothing. */
static const char *argument_of(const esign_request_t *q, const char *problem)
{
    const esign_word_policy_t *policy = &q->runtime->words;
    if (strcmp(problem, "code-waiting") == 0)
        return esign_account_wait(q);
    return strcmp(problem, "word-short") == 0  ? apr_itoa(q->r->pool, policy->min)
           : strcmp(problem, "word-long") == 0 ? apr_itoa(q->r->pool, policy->max)
                                               : NULL;
}

int esign_word_page(esign_request_t *q, const esign_subscriber_t *subscriber, const char *name,
                    esign_path_e path, const char *field, const char *problem)
{
    const esign_word_policy_t *policy = &q->runtime->words;
    esign_page_t *page = esign_page_new(q, name, problem ? HTTP_UNPROCESSABLE_ENTITY : HTTP_OK);
    if (problem)
        esign_page_problem(page, field, problem, argument_of(q, problem));
    int form = esign_page_form(page, "form", path, subscriber);
    if (q->trust == ESIGN_TRUST_CODE && !esign_account_word_fresh(q))
        esign_page_element(page, form, "field", "name", "current", NULL);
    esign_page_element(page, form, "field", "name", "word", NULL);
    esign_page_element(page, form, "field", "name", "again", NULL);
    esign_page_element(page, 0, "policy", "min", apr_itoa(q->r->pool, policy->min), "max",
                       apr_itoa(q->r->pool, policy->max), NULL);
    return esign_page_send(page);
}

const char *esign_word_read(esign_request_t *q, const esign_subscriber_t *subscriber,
                            const char **field, const char **problem)
{
    apr_pool_t *p = q->r->pool;
    const char *typed = esign_form_field(q, "word"), *again = esign_form_field(q, "again");
    const char *const personal[] = { subscriber->national_id, subscriber->name,
                                     subscriber->email,       subscriber->phone,
                                     q->config->organization, NULL };
    const char *word = esign_word_normalize(typed, p);
    esign_word_verdict_e verdict =
        word ? esign_word_check(&q->runtime->words, word, personal, p) : ESIGN_WORD_MALFORMED;
    *field = "word";
    *problem = NULL;
    if (verdict != ESIGN_WORD_OK) {
        *problem = apr_pstrcat(p, "word-", esign_word_verdict_name(verdict), NULL);
    } else if (!*again || strcmp(typed, again) != 0) {
        *field = "again";
        *problem = *again ? "again-differs" : "again-empty";
    }
    return *problem ? NULL : word;
}

esign_result_t esign_word_store(esign_request_t *q, const esign_subscriber_t *subscriber,
                                apr_int64_t link_epoch, const char *hash, esign_audit_event_e event,
                                int *changed)
{
    apr_pool_t *p = q->r->pool;
    *changed = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_subscriber_change_word(q->database, subscriber->id,
                                              link_epoch < 0 ? subscriber->epoch : -1, link_epoch,
                                              hash, changed, p);
    if (!esign_failed(result) && *changed)
        result = esign_audit_add(q->database, event, subscriber->id, q->address, q->now, p);
    if (!esign_failed(result) && *changed)
        result = esign_notice_add(q, subscriber, event);
    return esign_request_end(q, result);
}

int esign_word_get(esign_request_t *q)
{
    return esign_account_proof_fresh(q)
               ? esign_word_page(q, q->subscriber, "word", ESIGN_PATH_WORD, NULL, NULL)
               : esign_page_redirect(q, ESIGN_PATH_OTP);
}

/* Judges the old word. Without it, an open session and the phone beside it would be enough for a
 * new word. A wrong one counts as a failure, as at the sign-in. OK: `*problem` is NULL or its code.
 * DONE: this has answered. */
static int judge_current(esign_request_t *q, const char **problem)
{
    const char *better, *typed = esign_form_field(q, "current");
    int right = 0;
    *problem = !*typed                                                            ? "current-empty"
               : esign_account_state(q->subscriber, q->now) != ESIGN_ACCOUNT_OPEN ? "code-waiting"
                                                                                  : NULL;
    if (*problem)
        return OK;
    apr_status_t status = esign_hash_verify(q, typed, q->subscriber, 0, &right, &better);
    if (status != APR_SUCCESS) {
        esign_hash_refused(q, status);
        return DONE;
    }
    esign_result_t result = esign_account_record_word(q, q->subscriber, &right);
    if (esign_failed(result)) {
        esign_page_failed(q, result);
        return DONE;
    }
    *problem = right ? NULL : "current-wrong";
    return OK;
}

int esign_word_post(esign_request_t *q)
{
    const char *field, *problem, *hash;
    int changed;
    if (!esign_account_proof_fresh(q))
        return esign_page_redirect(q, ESIGN_PATH_OTP);
    const char *word = esign_word_read(q, q->subscriber, &field, &problem);
    if (!word)
        return esign_word_page(q, q->subscriber, "word", ESIGN_PATH_WORD, field, problem);
    if (!esign_account_word_fresh(q) && judge_current(q, &problem) != OK)
        return OK;
    if (problem)
        return esign_word_page(q, q->subscriber, "word", ESIGN_PATH_WORD, "current", problem);
    apr_status_t status = esign_hash_make(q, word, &hash);
    if (status != APR_SUCCESS)
        return esign_hash_refused(q, status);
    esign_result_t result =
        esign_word_store(q, q->subscriber, -1, hash, ESIGN_AUDIT_WORD_CHANGED, &changed);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    /* The session was ended while the word was hashed, perhaps by its owner from another browser.
     */
    if (!changed)
        return esign_page_expired(q);
    q->subscriber->epoch++;
    esign_device_remember(q, q->subscriber);
    /* The raised epoch has ended this session too. This deletes its record and its cookie. */
    return esign_session_end(q) ? esign_page_redirect(q, ESIGN_PATH_RESET_DONE)
                                : esign_page_unavailable(q);
}
