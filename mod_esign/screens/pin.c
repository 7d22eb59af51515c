/* SPDX-License-Identifier: Apache-2.0 */
/* pin.c: the page that asks, and the page that shows PIN and PUK of each card. */
#include "pin.h"

#include "web/account.h"
#include "web/notice.h"
#include "web/page.h"

#include "core/iso_time.h"
#include "core/secret.h"
#include "store/card.h"

#include <apr_strings.h>

static const char *shown_seconds(const esign_request_t *q)
{
    return apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT, apr_time_sec(q->config->pin_shown));
}

int esign_pin_get(esign_request_t *q)
{
    if (!esign_account_proof_fresh(q))
        return esign_page_redirect(q, ESIGN_PATH_OTP);
    esign_page_t *page = esign_page_new(q, "pin-ask", HTTP_OK);
    esign_page_form(page, "form", ESIGN_PATH_PIN, q->subscriber);
    esign_page_element(page, 0, "shown", "seconds", shown_seconds(q), NULL);
    return esign_page_send(page);
}

/* Audits the view, and queues a notice unless the last view was less than EsignPINShown ago. */
static esign_result_t record_view(esign_request_t *q)
{
    apr_pool_t *p = q->r->pool;
    int shown = 0;
    esign_result_t result = esign_audit_add(q->database, ESIGN_AUDIT_PIN_SHOWN, q->subscriber->id,
                                            q->address, q->now, p);
    if (!esign_failed(result))
        result = esign_audit_count(q->database, ESIGN_AUDIT_PIN_SHOWN, q->subscriber->id,
                                   q->now - q->config->pin_shown, 2, &shown, p);
    return !esign_failed(result) && shown == 1
               ? esign_notice_add(q, q->subscriber, ESIGN_AUDIT_PIN_SHOWN)
               : result;
}

/* Reads the cards in the transaction that audits the view, so that no view goes without an entry.
 */
static esign_result_t read_cards(esign_request_t *q, int *often, const apr_array_header_t **cards)
{
    *often = 0;
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_account_count_often(q, ESIGN_AUDIT_PIN_SHOWN, q->subscriber->id, often);
    if (!esign_failed(result) && !*often)
        result = record_view(q);
    if (!esign_failed(result) && !*often)
        result = esign_card_list(q->database, q->subscriber->id, 1, cards, q->r->pool);
    return esign_request_end(q, result);
}

/* Adds a number as a whole, for programs, and in groups, for people: of four characters if the
 * length is divisible by four, else of three. Stylesheets copy the groups. */
static void add_number(esign_page_t *page, int card, const char *name, const char *number)
{
    apr_size_t length = strlen(number), size = length % 4 == 0 ? 4 : 3;
    esign_page_element(page, card, name, NULL);
    esign_page_copied_text(page, number);
    for (; *number; number += strnlen(number, size)) {
        char group[5];
        apr_cpystrn(group, number, size + 1);
        esign_page_element(page, card, "group", "of", name, NULL);
        esign_page_copied_text(page, group);
        esign_secret_wipe(group, sizeof(group));
    }
}

/* An ISO 8601 date as the page's language writes it. */
static const char *format_date(const esign_page_t *page, const char *date)
{
    apr_time_t time;
    return esign_iso_time_parse(date, 1, &time) ? esign_page_time(page, time, 1) : date;
}

static void add_card(esign_page_t *page, const esign_card_t *card)
{
    int element = esign_page_element(
        page, 0, "card", "~serial", card->serial, "state", card->state, "~not-before",
        card->not_before, "~from", format_date(page, card->not_before), "~not-after",
        card->not_after, "~until", format_date(page, card->not_after), NULL);
    add_number(page, element, "pin", card->pin);
    add_number(page, element, "puk", card->puk);
}

int esign_pin_post(esign_request_t *q)
{
    const apr_array_header_t *cards;
    int often;
    if (!esign_account_proof_fresh(q))
        return esign_page_redirect(q, ESIGN_PATH_OTP);
    esign_result_t result = read_cards(q, &often, &cards);
    if (esign_failed(result))
        return esign_page_failed(q, result);
    if (often)
        return esign_page_busy(q);
    esign_page_t *page = esign_page_new(q, "pin", HTTP_OK);
    page->secret = 1;
    const char *seconds = shown_seconds(q), *menu = esign_request_path(q, ESIGN_PATH_MENU);
    esign_page_element(page, 0, "shown", "seconds", seconds, "then", menu, NULL);
    for (int i = 0; i < cards->nelts; i++)
        add_card(page, &APR_ARRAY_IDX(cards, i, esign_card_t));
    apr_table_setn(q->r->err_headers_out, "Refresh",
                   apr_psprintf(q->r->pool, "%s; url=%s", seconds, menu));
    return esign_page_send(page);
}
