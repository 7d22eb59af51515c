/* SPDX-License-Identifier: Apache-2.0 */
/* menu.c: figure 16, and what else the menu leads to: recent activity, another word. */
#include "web/device.h"
#include "web/form.h"
#include "web/hash.h"
#include "web/limits.h"
#include "web/session.h"
#include "word.h"

#include "audit/trail.h"
#include "core/iso_time.h"

#include <apr_strings.h>

#define ACTIVITY_MAX 50
/* How long the page says that sessions have just been ended. */
#define JUST_NOW apr_time_from_sec(60)

int esign_menu_get(esign_request_t *q)
{
    esign_page_t *page = esign_page_common(q, "menu", HTTP_OK);
    const apr_array_header_t *links = q->config->menu_links;
    esign_page_element(page, 0, "pin", "href", esign_request_path(q, "pin"), NULL);
    esign_page_element(page, 0, "word", "href", esign_request_path(q, "word"), NULL);
    esign_page_element(page, 0, "activity", "href", esign_request_path(q, "activity"), NULL);
    for (int i = 0; links && i + 1 < links->nelts; i += 2)
        esign_page_element(page, 0, "link", "href", APR_ARRAY_IDX(links, i + 1, const char *),
                           "label", APR_ARRAY_IDX(links, i, const char *), NULL);
    return esign_page_send(page);
}

/* The entry of the sign-in that this session began with was written with the moment of its proof.
 */
static const char *is_this_session(const esign_request_t *q, const esign_audit_entry_t *entry)
{
    return entry->event == ESIGN_AUDIT_SIGNED_IN && entry->time == q->proved ? "yes" : NULL;
}

/* Many have the same list but for times and addresses. */
static void add_event(esign_page_t *page, const esign_audit_entry_t *entry)
{
    const char *address = strcmp(entry->address, ESIGN_AUDIT_LOCAL) == 0 ? "address" : "~address";
    esign_page_element(page, 0, "event", "name", esign_event_name(entry->event), "~time",
                       esign_iso_time(page->q->r->pool, entry->time), "~written",
                       esign_page_time(page, entry->time, 0), address, entry->address, "current",
                       is_this_session(page->q, entry), NULL);
}

int esign_activity_get(esign_request_t *q)
{
    const apr_array_header_t *entries;
    if (!esign_request_database(q))
        return esign_page_unavailable(q);
    esign_result_t result =
        esign_audit_list(q->database, q->subscriber->id, ACTIVITY_MAX, &entries, q->r->pool);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    esign_page_t *page = esign_page_common(q, "activity", HTTP_OK);
    const esign_audit_entry_t *newest =
        entries->nelts > 0 ? &APR_ARRAY_IDX(entries, 0, esign_audit_entry_t) : NULL;
    if (newest && newest->event == ESIGN_AUDIT_SESSIONS_ENDED && q->now - newest->time < JUST_NOW)
        esign_page_element(page, 0, "ended", NULL);
    esign_page_form(page, "end", "activity", q->subscriber);
    for (int i = 0; i < entries->nelts; i++) {
        const esign_audit_entry_t *entry = &APR_ARRAY_IDX(entries, i, esign_audit_entry_t);
        /* Those of a newer version have no words here; what was forged is none. */
        if (!esign_event_is_personal(entry->event) || !entry->sound)
            continue;
        add_event(page, entry);
    }
    return esign_page_send(page);
}

/* Who suspects somebody wants everything open to be shut: other sessions, half-finished sign-ins,
 * mailed links that nobody has used. */
int esign_activity_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int ended = 0, often = 0;
    if (!esign_limits_fresh(q))
        return esign_page_redirect(q, "otp");
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_limits_often(q, ESIGN_AUDIT_SESSIONS_ENDED, q->subscriber->id, &often);
    if (!esign_failed(result) && !often)
        result = esign_subscriber_end_sessions(q->database, q->subscriber, &ended, p);
    if (!esign_failed(result) && ended)
        result = esign_audit_add(q->database, ESIGN_AUDIT_SESSIONS_ENDED, q->subscriber->id,
                                 q->address, q->now, p);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    if (often)
        return esign_page_busy(q);
    /* Another request was faster: perhaps this browser's own, whose new cookie the next page will
     * come with. */
    if (ended && !esign_session_renew(q))
        return esign_page_unavailable(q);
    if (ended)
        esign_device_remember(q, q->subscriber);
    return esign_page_redirect(q, "activity");
}

int esign_word_get(esign_request_t *q)
{
    return esign_limits_fresh(q) ? esign_newword_page(q, q->subscriber, "word", "word", NULL, NULL)
                                 : esign_page_redirect(q, "otp");
}

/* Judges the word that is to be replaced: a session that was left open and its phone must not be
 * enough. A wrong one counts as at the sign-in. OK, with `*problem` NULL when it is right; DONE:
 * answered. */
static int judge_current(esign_request_t *q, const char **problem)
{
    const char *better, *typed = esign_form_field(q, "current");
    int right = 0;
    *problem = !*typed                                       ? "current-empty"
               : esign_limits_waiting(q->subscriber, q->now) ? "code-waiting"
                                                             : NULL;
    if (*problem)
        return OK;
    apr_status_t status = esign_hash_verify(q, typed, q->subscriber, 0, &right, &better);
    if (status != APR_SUCCESS) {
        esign_hash_refused(q, status);
        return DONE;
    }
    esign_result_t result = esign_limits_record_word(q, q->subscriber, &right);
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
    if (!esign_limits_fresh(q))
        return esign_page_redirect(q, "otp");
    const char *word = esign_newword_read(q, q->subscriber, &field, &problem);
    if (!word)
        return esign_newword_page(q, q->subscriber, "word", "word", field, problem);
    if (!esign_limits_word_fresh(q) && judge_current(q, &problem) != OK)
        return OK;
    if (problem)
        return esign_newword_page(q, q->subscriber, "word", "word", "current", problem);
    apr_status_t status = esign_hash_make(q, word, &hash);
    if (status != APR_SUCCESS)
        return esign_hash_refused(q, status);
    esign_result_t result =
        esign_newword_store(q, q->subscriber, -1, hash, ESIGN_AUDIT_WORD_CHANGED, &changed);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    /* It was ended while the word was hashed, perhaps by its owner, who wants nothing of it to
     * count any more. */
    if (!changed)
        return esign_page_expired(q);
    q->subscriber->epoch++;
    esign_device_remember(q, q->subscriber);
    /* The raised epoch has ended this session with all others; the browser need not keep its
     * cookie. */
    return esign_session_end(q) ? esign_page_redirect(q, "reset/done") : esign_page_unavailable(q);
}
