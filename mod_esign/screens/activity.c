/* SPDX-License-Identifier: Apache-2.0 */
/* activity.c: lists what happened to a subscriber lately, and ends all other sessions. */
#include "activity.h"

#include "web/account.h"
#include "web/device.h"
#include "web/page.h"
#include "web/session.h"

#include "audit/trail.h"
#include "core/iso_time.h"

#define ACTIVITY_MAX 50
/* How long the page says that sessions were ended. */
#define JUST_NOW apr_time_from_sec(60)

/* "yes" if an entry is the sign-in of this session: both have the same time. NULL: it is not. */
static const char *is_this_session(const esign_request_t *q, const esign_audit_entry_t *entry)
{
    return entry->event == ESIGN_AUDIT_SIGNED_IN && entry->time == q->code_time ? "yes" : NULL;
}

/* Adds an event. Times and addresses are marked as copied, because many lists differ in nothing
 * else. */
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
    esign_page_t *page = esign_page_new(q, "activity", HTTP_OK);
    const esign_audit_entry_t *newest =
        entries->nelts > 0 ? &APR_ARRAY_IDX(entries, 0, esign_audit_entry_t) : NULL;
    if (newest && newest->event == ESIGN_AUDIT_SESSIONS_ENDED && q->now - newest->time < JUST_NOW)
        esign_page_element(page, 0, "ended", NULL);
    esign_page_form(page, "end", ESIGN_PATH_ACTIVITY, q->subscriber);
    for (int i = 0; i < entries->nelts; i++) {
        const esign_audit_entry_t *entry = &APR_ARRAY_IDX(entries, i, esign_audit_entry_t);
        /* The catalogue has no text for an event of a newer version. A forged row is left out. */
        if (!esign_event_is_personal(entry->event) || !entry->sound)
            continue;
        add_event(page, entry);
    }
    return esign_page_send(page);
}

/* Ends all other sessions, sign-ins that are not complete, and unused links. */
int esign_activity_post(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int ended = 0, often = 0;
    if (!esign_account_proof_fresh(q))
        return esign_page_redirect(q, ESIGN_PATH_OTP);
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result =
            esign_account_count_often(q, ESIGN_AUDIT_SESSIONS_ENDED, q->subscriber->id, &often);
    if (!esign_failed(result) && !often)
        result = esign_subscriber_end_sessions(q->database, q->subscriber, &ended, p);
    if (!esign_failed(result) && ended)
        result = esign_audit_add(q->database, ESIGN_AUDIT_SESSIONS_ENDED, q->subscriber->id,
                                 q->address, q->now, p);
    if (esign_failed(result = esign_request_end(q, result)))
        return esign_page_failed(q, result);
    if (often)
        return esign_page_busy(q);
    /* If another request was first, `ended` is 0. It may be this browser's own; then the next
     * request has the new cookie. */
    if (ended && !esign_session_renew(q))
        return esign_page_unavailable(q);
    if (ended)
        esign_device_remember(q, q->subscriber);
    return esign_page_redirect(q, ESIGN_PATH_ACTIVITY);
}
