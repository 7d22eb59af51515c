/* SPDX-License-Identifier: Apache-2.0 */
/* courier_lease.c: the courier's transaction: writes outcomes, renews leases, and leases rows. */
#include "courier_lease.h"

#include "courier_start.h"

#include <apr_strings.h>

#include <stdlib.h>

_Static_assert(ESIGN_OUTBOX_KINDS <= ESIGN_METER_KINDS, "ESIGN_METER_KINDS is too small");

static int by_subscriber(const void *one, const void *other)
{
    apr_int64_t a = (*(esign_delivery_t *const *)one)->whose,
                b = (*(esign_delivery_t *const *)other)->whose;
    return (a > b) - (a < b);
}

/* Counts mails in the order of subscribers' ids, in which `key rotate` goes too: otherwise two
 * transactions could each wait for a row that the other has locked. */
static esign_result_t claim_mails(esign_courier_t *courier, const apr_array_header_t *deliveries,
                                  int first, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    apr_array_header_t *order =
        apr_array_make(p, ESIGN_COURIER_LEASE_MAX, sizeof(esign_delivery_t *));
    for (int i = first; i < deliveries->nelts; i++)
        APR_ARRAY_PUSH(order, esign_delivery_t *) =
            APR_ARRAY_IDX(deliveries, i, esign_delivery_t *);
    qsort(order->elts, (size_t)order->nelts, (size_t)order->elt_size, by_subscriber);
    for (int i = 0; !esign_failed(result) && i < order->nelts; i++) {
        esign_delivery_t *delivery = APR_ARRAY_IDX(order, i, esign_delivery_t *);
        esign_courier_start_claim(courier, delivery, p);
        if (courier->database->broken)
            result = delivery->found;
    }
    return result;
}

static esign_delivery_t *make_delivery(const esign_courier_t *courier,
                                       const esign_outbox_message_t *row)
{
    const char *address = apr_table_get(row->values, "address");
    apr_pool_t *p;
    apr_pool_create(&p, courier->pool);
    esign_delivery_t *delivery = apr_pcalloc(p, sizeof(*delivery));
    *delivery = (esign_delivery_t){ .pool = p,
                                    .id = row->id,
                                    .kind = row->kind,
                                    .attempts = row->attempts,
                                    .expires = row->expires,
                                    .address = address ? apr_pstrdup(p, address) : "unknown",
                                    .gateways = row->gateways,
                                    .awaited = row->awaited,
                                    .row = row,
                                    .whose = ESIGN_SUBSCRIBER_NONE,
                                    .event = ESIGN_AUDIT_EVENTS,
                                    .gateway = ESIGN_GATEWAY_NONE };
    return delivery;
}

/* Counts and audits rows of a kind whose sealed values cannot be unsealed. */
static esign_result_t record_unreadable(const esign_courier_t *courier, esign_outbox_kind_e kind,
                                        int count, apr_time_t now, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (; count > 0 && !esign_failed(result); count--) {
        courier->options->meter->messages[kind].failed++;
        result = esign_audit_add(courier->database, ESIGN_AUDIT_MESSAGE_GIVEN_UP,
                                 ESIGN_SUBSCRIBER_NONE, ESIGN_AUDIT_LOCAL, now, p);
    }
    return result;
}

/* Leases rows of a kind and looks up whom they are for. */
static esign_result_t lease_kind(esign_courier_t *courier, esign_outbox_kind_e kind, int places,
                                 apr_time_t now, apr_array_header_t *deliveries, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    int unreadable, first = deliveries->nelts;
    if (places <= 0)
        return ESIGN_OK;
    esign_result_t result = esign_outbox_lease(courier->database, courier->owner, kind, places, now,
                                               ESIGN_COURIER_LEASE, &rows, &unreadable, p);
    if (!esign_failed(result))
        result = record_unreadable(courier, kind, unreadable, now, p);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        const esign_outbox_message_t *row = &APR_ARRAY_IDX(rows, i, esign_outbox_message_t);
        /* Another courier had leased it after our lease ran out, and gave it back; our transfer is
         * still under way. The new lease is that transfer's, so no second one begins. */
        if (apr_hash_get(courier->deliveries, &row->id, sizeof(row->id)))
            continue;
        esign_delivery_t *delivery = make_delivery(courier, row);
        APR_ARRAY_PUSH(deliveries, esign_delivery_t *) = delivery;
        esign_courier_start_find(courier, delivery, p);
        /* A subscriber's row that cannot be unsealed fails this delivery; a failure of the database
         * fails them all. */
        if (courier->database->broken)
            result = delivery->found;
    }
    return esign_failed(result) ? result : claim_mails(courier, deliveries, first, p);
}

int esign_courier_renewal_due(const esign_courier_t *courier)
{
    return courier->renewed == 0 ||
           (apr_hash_count(courier->deliveries) > 0 &&
            courier->options->clock() - courier->renewed >= ESIGN_COURIER_RENEW);
}

/* Renews all leases; `*ids`: of the rows. A row without a delivery was leased by a transaction
 * whose commit was not answered: it goes back. */
static esign_result_t renew_leases(const esign_courier_t *courier, apr_time_t now,
                                   const apr_array_header_t **ids, apr_pool_t *p)
{
    esign_result_t result =
        esign_outbox_renew(courier->database, courier->owner, now + ESIGN_COURIER_LEASE, ids, p);
    for (int i = 0; !esign_failed(result) && i < (*ids)->nelts; i++) {
        const apr_int64_t *id = &APR_ARRAY_IDX(*ids, i, apr_int64_t);
        if (!apr_hash_get(courier->deliveries, id, sizeof(*id)))
            result = esign_outbox_release(courier->database, courier->owner, *id, now,
                                          "the commit of its lease was not answered", p);
    }
    return result;
}

/* Moves the deadlines of the leases that were renewed. A row that is not among `ids` was leased by
 * another courier, because the renewal came too late: its deadline stays. */
static void move_deadlines(const esign_courier_t *courier, const apr_array_header_t *ids,
                           apr_time_t deadline)
{
    for (int i = 0; i < ids->nelts; i++) {
        esign_delivery_t *delivery = apr_hash_get(
            courier->deliveries, &APR_ARRAY_IDX(ids, i, apr_int64_t), sizeof(apr_int64_t));
        if (delivery)
            delivery->lease.deadline = deadline;
    }
}

/* Leases at most `places` rows of each kind; notices and requests share the places of requests. */
static esign_result_t lease_rows(esign_courier_t *courier, const int places[ESIGN_OUTBOX_KINDS],
                                 apr_time_t now, apr_array_header_t *deliveries, apr_pool_t *p)
{
    esign_result_t result =
        lease_kind(courier, ESIGN_OUTBOX_CODE, places[ESIGN_OUTBOX_CODE], now, deliveries, p);
    int codes = deliveries->nelts;
    /* Notices before requests: anybody can ask for links without end, and that must not delay the
     * notice that somebody has signed in. */
    if (!esign_failed(result))
        result = lease_kind(courier, ESIGN_OUTBOX_NOTICE, places[ESIGN_OUTBOX_NOTICE], now,
                            deliveries, p);
    int notices = deliveries->nelts - codes;
    if (!esign_failed(result))
        result = lease_kind(courier, ESIGN_OUTBOX_RESET_REQUEST,
                            places[ESIGN_OUTBOX_RESET_REQUEST] - notices, now, deliveries, p);
    return result;
}

esign_result_t esign_courier_lease(esign_courier_t *courier, const int places[ESIGN_OUTBOX_KINDS],
                                   apr_array_header_t *deliveries, apr_pool_t *p)
{
    const apr_array_header_t *ids = NULL;
    /* In this order: no deadline is later than its lease allows. */
    apr_time_t began = courier->options->clock(), now = courier->options->now();
    esign_result_t result = esign_database_begin(courier->database, p);
    if (!esign_failed(result))
        result = esign_outcomes_write(courier->outcomes, courier->database, courier->owner, now, p);
    if (!esign_failed(result) && esign_courier_renewal_due(courier))
        result = renew_leases(courier, now, &ids, p);
    if (!esign_failed(result))
        result = lease_rows(courier, places, now, deliveries, p);
    result = esign_database_end(courier->database, result, p);
    courier->leased = began;
    for (int i = 0; i < deliveries->nelts; i++) {
        esign_delivery_t *delivery = APR_ARRAY_IDX(deliveries, i, esign_delivery_t *);
        delivery->lease.deadline = began + ESIGN_COURIER_DEADLINE;
        if (esign_failed(result))
            apr_pool_destroy(delivery->pool);
    }
    if (esign_failed(result)) {
        apr_array_clear(deliveries);
        courier->renewed = 0;
        return result;
    }
    esign_outcomes_clear(courier->outcomes);
    if (ids)
        move_deadlines(courier, ids, began + ESIGN_COURIER_DEADLINE);
    if (ids || apr_hash_count(courier->deliveries) == 0)
        courier->renewed = began;
    return result;
}
