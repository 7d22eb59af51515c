/* SPDX-License-Identifier: Apache-2.0 */
/* word.c: a new security word, asked, judged, hashed and stored. */
#include "word.h"

#include "web/form.h"
#include "web/limits.h"
#include "web/notice.h"

#include <apr_strings.h>

/* The number that a problem's sentence names; NULL: none. */
static const char *argument_of(const esign_request_t *q, const char *problem)
{
    const esign_word_policy_t *policy = &q->runtime->words;
    if (strcmp(problem, "code-waiting") == 0)
        return esign_limits_held(q);
    return strcmp(problem, "word-short") == 0  ? apr_itoa(q->r->pool, policy->min)
           : strcmp(problem, "word-long") == 0 ? apr_itoa(q->r->pool, policy->max)
                                               : NULL;
}

int esign_newword_page(esign_request_t *q, const esign_subscriber_t *subscriber, const char *name,
                       const char *below, const char *field, const char *problem)
{
    const esign_word_policy_t *policy = &q->runtime->words;
    esign_page_t *page = esign_page_common(q, name, problem ? HTTP_UNPROCESSABLE_ENTITY : HTTP_OK);
    if (problem)
        esign_page_problem(page, field, problem, argument_of(q, problem));
    int form = esign_page_form(page, "form", below, subscriber);
    if (q->trust == ESIGN_TRUST_CODE && !esign_limits_word_fresh(q))
        esign_page_element(page, form, "field", "name", "current", NULL);
    esign_page_element(page, form, "field", "name", "word", NULL);
    esign_page_element(page, form, "field", "name", "again", NULL);
    esign_page_element(page, 0, "policy", "min", apr_itoa(q->r->pool, policy->min), "max",
                       apr_itoa(q->r->pool, policy->max), NULL);
    return esign_page_send(page);
}

const char *esign_newword_read(esign_request_t *q, const esign_subscriber_t *subscriber,
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

esign_result_t esign_newword_store(esign_request_t *q, const esign_subscriber_t *subscriber,
                                   apr_int64_t link_epoch, const char *hash, int event,
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
        result = esign_audit_add(q->database, (esign_audit_event_e)event, subscriber->id,
                                 q->address, q->now, p);
    if (!esign_failed(result) && *changed)
        result = esign_notice_add(q, subscriber, (esign_audit_event_e)event);
    return esign_request_end(q, result);
}
