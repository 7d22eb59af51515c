/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes.h: messages whose transfer has ended, until that stands in the database. */
#ifndef ESIGN_DELIVER_OUTCOMES_H
#define ESIGN_DELIVER_OUTCOMES_H

#include "lease.h"

#include "audit/trail.h"
#include "store/outbox.h"

typedef enum {
    ESIGN_END_SENT,    /* or rightly not sent: the row goes */
    ESIGN_END_RETRY,   /* due again */
    ESIGN_END_RELEASE, /* due again, and it was no attempt */
    ESIGN_END_HAND_ON, /* a code whose gateway is done with it: the next one's turn is at `due` */
    ESIGN_END_BURY     /* given up */
} esign_end_e;

/* What has to be known of a message when its transfer ends, and then how it ended. */
typedef struct {
    apr_pool_t *pool;           /* its own, holds this */
    apr_int64_t id, subscriber; /* ESIGN_SUBSCRIBER_NONE: nothing was sent to anybody */
    esign_outbox_kind_e kind;
    esign_hold_t hold;
    int attempts;
    esign_audit_event_e
        outcome; /* what the audit trail tells when it is done; ESIGN_AUDIT_EVENTS: nothing */
    apr_int64_t gateways; /* of a code, as the outbox has them */
    int gateway, awaited; /* the one that it is handed to; the one that has yet to report */
    int accepted;         /* whether `gateway` took it, and will report */
    apr_time_t expires;
    const char *address; /* from where it was asked for */
    esign_end_e end;
    const char *error; /* in `pool`; NULL when sent */
    apr_time_t due;
} esign_delivery_t;

typedef struct esign_outcomes_t esign_outcomes_t;

esign_outcomes_t *esign_outcomes_make(apr_pool_t *p);

/* Adds one, with `end`, `error` and `due` set. */
void esign_outcomes_add(esign_outcomes_t *ends, esign_delivery_t *delivery, apr_time_t now);

/* When they are to be written at the latest; 0: there are none. Full, or one of a code: at once. */
apr_time_t esign_outcomes_due(const esign_outcomes_t *ends);

/* Writes all, in the caller's transaction; what became of a request for a link goes into the audit
 * trail, and what is given up. */
esign_result_t esign_outcomes_write(const esign_outcomes_t *ends, esign_database_t *database,
                                    const char *owner, apr_pool_t *p);

/* They stand in the database: they and their pools go. Where the transaction failed they stay, to
 * be written again. */
void esign_outcomes_clear(esign_outcomes_t *ends);

#endif
