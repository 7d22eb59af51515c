/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c: writes a notice into the outbox. */
#include "notice.h"

#include "core/record.h"

/* A notice is sent even if the mail server was down for hours. */
#define NOTICE_LIFE apr_time_from_sec(24 * 3600)

esign_result_t esign_notice_add(esign_request_t *q, const esign_subscriber_t *subscriber,
                                esign_audit_event_e event)
{
    apr_pool_t *p = q->r->pool;
    apr_table_t *values = apr_table_make(p, 4);
    esign_record_set_number(values, "subscriber", subscriber->id);
    apr_table_set(values, "event", esign_event_name(event));
    apr_table_set(values, "address", q->address);
    esign_record_set_number(values, "time", q->now);
    return esign_request_queue(q, ESIGN_OUTBOX_NOTICE, values, NOTICE_LIFE);
}
