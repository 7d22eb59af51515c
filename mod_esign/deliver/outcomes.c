/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes.c: batches outcomes of deliveries: one commit (one fsync) covers many. */
#include "outcomes.h"

/* A crash loses a batch, whose messages are then sent a second time: so it is kept small. */
#define BATCH_MAX 100
#define LONGEST_WAIT apr_time_from_msec(50)

struct esign_outcomes_t {
    apr_array_header_t *deliveries; /* esign_delivery_t * */
    apr_time_t oldest;
    /* A code is among them: the next gateway may have to send it, and its SMS must not be sent
     * twice. */
    int urgent;
};

esign_outcomes_t *esign_outcomes_create(apr_pool_t *p)
{
    esign_outcomes_t *outcomes = apr_pcalloc(p, sizeof(*outcomes));
    outcomes->deliveries = apr_array_make(p, BATCH_MAX, sizeof(esign_delivery_t *));
    return outcomes;
}

void esign_outcomes_add(esign_outcomes_t *outcomes, esign_delivery_t *delivery, apr_time_t now)
{
    if (outcomes->deliveries->nelts == 0)
        outcomes->oldest = now;
    outcomes->urgent |= delivery->kind == ESIGN_OUTBOX_CODE;
    APR_ARRAY_PUSH(outcomes->deliveries, esign_delivery_t *) = delivery;
}

apr_time_t esign_outcomes_due(const esign_outcomes_t *outcomes)
{
    if (outcomes->deliveries->nelts == 0)
        return 0;
    return outcomes->urgent || outcomes->deliveries->nelts >= BATCH_MAX
               ? outcomes->oldest
               : outcomes->oldest + LONGEST_WAIT;
}

static esign_result_t write_outcome(const esign_delivery_t *delivery, esign_database_t *database,
                                    const char *owner, apr_time_t now, apr_pool_t *p)
{
    esign_audit_event_e event = ESIGN_AUDIT_EVENTS;
    esign_result_t result;
    switch (delivery->outcome) {
    case ESIGN_OUTCOME_RETRY:
        return esign_outbox_retry(database, owner, delivery->id, delivery->due, delivery->error, p);
    case ESIGN_OUTCOME_RELEASE:
        return esign_outbox_release(database, owner, delivery->id, delivery->due, delivery->error,
                                    p);
    case ESIGN_OUTCOME_NEXT_GATEWAY:
        return esign_outbox_next_gateway(database, owner, delivery->id, delivery->gateway,
                                         delivery->accepted, now, delivery->due, delivery->error,
                                         p);
    case ESIGN_OUTCOME_GIVEN_UP:
        event = ESIGN_AUDIT_MESSAGE_GIVEN_UP;
        result = esign_outbox_give_up(database, owner, delivery->id, delivery->error, p);
        break;
    default:
        event = delivery->event;
        result = esign_outbox_done(database, owner, delivery->id, p);
    }
    if (!esign_failed(result) && event != ESIGN_AUDIT_EVENTS)
        result = esign_audit_add(database, event, delivery->whose, delivery->address, now, p);
    return result;
}

esign_result_t esign_outcomes_write(const esign_outcomes_t *outcomes, esign_database_t *database,
                                    const char *owner, apr_time_t now, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < outcomes->deliveries->nelts && !esign_failed(result); i++)
        result = write_outcome(APR_ARRAY_IDX(outcomes->deliveries, i, const esign_delivery_t *),
                               database, owner, now, p);
    return result;
}

void esign_outcomes_clear(esign_outcomes_t *outcomes)
{
    for (int i = 0; i < outcomes->deliveries->nelts; i++)
        apr_pool_destroy(APR_ARRAY_IDX(outcomes->deliveries, i, esign_delivery_t *)->pool);
    apr_array_clear(outcomes->deliveries);
    outcomes->urgent = 0;
}
