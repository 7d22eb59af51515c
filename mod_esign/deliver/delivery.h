/* SPDX-License-Identifier: Apache-2.0 */
/* delivery.h: a message between its lease and its outcome.
 *
 * A message has three names on its way. It is a row of the outbox (store/outbox.h) until it was
 * sent or given up. A courier that leases the row makes a delivery of it, which ends when its
 * outcome is written to the row. While the delivery talks to a server it has a transfer: of a mail
 * (mail_job.h) or of an SMS (transfer.h). */
#ifndef ESIGN_DELIVER_DELIVERY_H
#define ESIGN_DELIVER_DELIVERY_H

#include "gateway.h"
#include "lease.h"

#include "audit/trail.h"
#include "store/outbox.h"
#include "store/subscriber.h"

/* What is written to the row. */
typedef enum {
    ESIGN_OUTCOME_SENT,         /* sent, or rightly not sent: the row is deleted */
    ESIGN_OUTCOME_RETRY,        /* due again, after an attempt that failed */
    ESIGN_OUTCOME_RELEASE,      /* due again, and this lease counts as no attempt */
    ESIGN_OUTCOME_NEXT_GATEWAY, /* a code: its gateway is not asked again, the next one is due */
    ESIGN_OUTCOME_GIVEN_UP      /* stays as "dead" for the operator */
} esign_outcome_e;

typedef struct {
    apr_pool_t *pool; /* its own; holds this */

    /* Of the row. */
    apr_int64_t id;
    esign_outbox_kind_e kind;
    int attempts;         /* this one included */
    apr_time_t expires;   /* wall clock */
    const char *address;  /* the client's, for the audit trail; or "unknown" */
    apr_int64_t gateways; /* of a code: bits of the gateways that are not asked again */
    int awaited;          /* of a code: the gateway that has yet to report; -1: none */

    /* While it is being started; both die with the round. */
    const esign_outbox_message_t *row;
    esign_subscriber_t *subscriber; /* NULL: nothing is sent */
    esign_result_t found;           /* whether the subscriber could be looked up */

    apr_int64_t whose; /* the subscriber's id, also where nothing is sent; ESIGN_SUBSCRIBER_NONE */
    /* Goes into the audit trail with ESIGN_OUTCOME_SENT; ESIGN_AUDIT_EVENTS: nothing does. */
    esign_audit_event_e event;
    esign_lease_t lease;
    int gateway;  /* of a code: its transfer's; ESIGN_GATEWAY_NONE */
    int accepted; /* of a code: that gateway took it, and will report */

    /* Once it has ended. */
    esign_outcome_e outcome;
    apr_time_t due;    /* wall clock */
    const char *error; /* in `pool`, redacted; NULL when sent */
} esign_delivery_t;

/* 1: a request for a link that becomes no mail: nobody has the number, or its subscriber has had
 * the day's mails. It takes as long as a mail, so that its delay tells nothing. */
static inline int esign_delivery_is_no_mail(const esign_delivery_t *delivery)
{
    return delivery->kind == ESIGN_OUTBOX_RESET_REQUEST &&
           delivery->event != ESIGN_AUDIT_RESET_MAILED;
}

#endif
