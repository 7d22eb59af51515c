/* SPDX-License-Identifier: Apache-2.0 */
/* ends.c: gathers ends, for a commit costs a disk's patience. */
#include "deliver/ends.h"

/* What a crash may cost: that many messages, or those of that time, are sent a second time. */
#define MOST 100
#define LONGEST apr_time_from_msec(50)

struct esign_ends_t {
    apr_array_header_t *errands;   /* esign_errand_t * */
    apr_time_t oldest;
    int urgent;                    /* a code is among them: another gateway may have to send it, and a crash must not send it twice */
};

esign_ends_t *esign_ends_make(apr_pool_t *p)
{
    esign_ends_t *ends = apr_pcalloc(p, sizeof(*ends));
    ends->errands = apr_array_make(p, MOST, sizeof(esign_errand_t *));
    return ends;
}

void esign_ends_add(esign_ends_t *ends, esign_errand_t *errand, apr_time_t now)
{
    if (ends->errands->nelts == 0)
        ends->oldest = now;
    ends->urgent |= errand->kind == ESIGN_OUTBOX_CODE;
    APR_ARRAY_PUSH(ends->errands, esign_errand_t *) = errand;
}

apr_time_t esign_ends_due(const esign_ends_t *ends)
{
    if (ends->errands->nelts == 0)
        return 0;
    return ends->urgent || ends->errands->nelts >= MOST ? ends->oldest : ends->oldest + LONGEST;
}

static esign_result_t write_one(const esign_errand_t *errand, esign_database_t *database, const char *owner, apr_pool_t *p)
{
    esign_audit_event_e event = ESIGN_AUDIT_EVENTS;
    esign_result_t result;
    switch (errand->end) {
    case ESIGN_END_RETRY:
        return esign_outbox_retry(database, owner, errand->id, errand->due, errand->error, p);
    case ESIGN_END_RELEASE:
        return esign_outbox_release(database, owner, errand->id, errand->due, errand->error, p);
    case ESIGN_END_HAND_ON:
        return esign_outbox_hand_on(database, owner, errand->id, errand->gateway, errand->accepted, apr_time_now(), errand->due, errand->error, p);
    case ESIGN_END_BURY:
        event = ESIGN_AUDIT_MESSAGE_GIVEN_UP;
        result = esign_outbox_bury(database, owner, errand->id, errand->error, p);
        break;
    default:
        event = errand->outcome;
        result = esign_outbox_done(database, owner, errand->id, p);
    }
    if (!esign_failed(result) && event != ESIGN_AUDIT_EVENTS)
        result = esign_audit_add(database, event, errand->subscriber, errand->address, apr_time_now(), p);
    return result;
}

esign_result_t esign_ends_write(const esign_ends_t *ends, esign_database_t *database, const char *owner, apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < ends->errands->nelts && !esign_failed(result); i++)
        result = write_one(APR_ARRAY_IDX(ends->errands, i, const esign_errand_t *), database, owner, p);
    return result;
}

void esign_ends_clear(esign_ends_t *ends)
{
    for (int i = 0; i < ends->errands->nelts; i++)
        apr_pool_destroy(APR_ARRAY_IDX(ends->errands, i, esign_errand_t *)->pool);
    apr_array_clear(ends->errands);
    ends->urgent = 0;
}
