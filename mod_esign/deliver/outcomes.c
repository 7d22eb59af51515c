/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes.c: gathers ends, for a commit costs a disk's patience. */
#include "outcomes.h"

/* What a crash may cost: that many messages, or those of that time, are sent a second time. */
#define MOST 100
#define LONGEST apr_time_from_msec(50)

struct esign_outcomes_t {
    apr_array_header_t *deliveries; /* esign_delivery_t * */
    apr_time_t oldest;
    int urgent; /* a code is among them: another gateway may have to send it, and a crash must not
                   send it twice */
};

esign_outcomes_t *esign_outcomes_make(apr_pool_t *p)
{
    esign_outcomes_t *ends = apr_pcalloc(p, sizeof(*ends));
    ends->deliveries = apr_array_make(p, MOST, sizeof(esign_delivery_t *));
    return ends;
}

void esign_outcomes_add(esign_outcomes_t *ends, esign_delivery_t *delivery, apr_time_t now)
{
    if (ends->deliveries->nelts == 0)
        ends->oldest = now;
    ends->urgent |= delivery->kind == ESIGN_OUTBOX_CODE;
    APR_ARRAY_PUSH(ends->deliveries, esign_delivery_t *) = delivery;
}

apr_time_t esign_outcomes_due(const esign_outcomes_t *ends)
{
    if (ends->deliveries->nelts == 0)
        return 0;
    return ends->urgent || ends->deliveries->nelts >= MOST ? ends->oldest : ends->oldest + LONGEST;
}

static esign_result_t write_one(const esign_delivery_t *delivery, esign_database_t *database,
                                const char *owner, apr_pool_t *p)
{
    esign_audit_event_e event = ESIGN_AUDIT_EVENTS;
    esign_result_t result;
    switch (delivery->end) {
    case ESIGN_END_RETRY:
        return esign_outbox_retry(database, owner, delivery->id, delivery->due, delivery->error, p);
    case ESIGN_END_RELEASE:
        return esign_outbox_release(database, owner, delivery->id, delivery->due, delivery->error,
                                    p);
    case ESIGN_END_HAND_ON:
        return esign_outbox_next_gateway(database, owner, delivery->id, delivery->gateway,
                                         delivery->accepted, apr_time_now(), delivery->due,
                                         delivery->error, p);
    case ESIGN_END_BURY:
        event = ESIGN_AUDIT_MESSAGE_GIVEN_UP;
        result = esign_outbox_give_up(database, owner, delivery->id, delivery->error, p);
        break;
    default:
        event = delivery->outcome;
        result = esign_outbox_done(database, owner, delivery->id, p);
    }
    if (!esign_failed(result) && event != ESIGN_AUDIT_EVENTS)
        result = esign_audit_add(database, event, delivery->subscriber, delivery->address,
                                 apr_time_now(), p);
    return result;
}

esign_result_t esign_outcomes_write(const esign_outcomes_t *ends, esign_database_t *database,
                                    const char *owner, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < ends->deliveries->nelts && !esign_failed(result); i++)
        result = write_one(APR_ARRAY_IDX(ends->deliveries, i, const esign_delivery_t *), database,
                           owner, p);
    return result;
}

void esign_outcomes_clear(esign_outcomes_t *ends)
{
    for (int i = 0; i < ends->deliveries->nelts; i++)
        apr_pool_destroy(APR_ARRAY_IDX(ends->deliveries, i, esign_delivery_t *)->pool);
    apr_array_clear(ends->deliveries);
    ends->urgent = 0;
}
