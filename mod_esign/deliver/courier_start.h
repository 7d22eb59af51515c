/* SPDX-License-Identifier: Apache-2.0 */
/* courier_start.h: starts a delivery: whose it is, what it says, and its transfer. */
#ifndef ESIGN_DELIVER_COURIER_START_H
#define ESIGN_DELIVER_COURIER_START_H

#include "courier_state.h"

/* Looks up whom a delivery is for, within the transaction that leases its row: sets `whose`,
 * `subscriber`, `event` and `found`. */
void esign_courier_start_find(esign_courier_t *courier, esign_delivery_t *delivery, apr_pool_t *p);

/* Counts the mail that a request for a link becomes, within that transaction; locks the
 * subscriber's row until its end. A subscriber has some mails a day, and then one in each half of a
 * link's life: otherwise anybody could keep subscribers from a link by asking often. Where no mail
 * is granted, the outbox row is deleted, and the delivery only takes a mail's time. */
void esign_courier_start_claim(esign_courier_t *courier, esign_delivery_t *delivery, apr_pool_t *p);

/* Whether a delivery was started. */
typedef enum {
    ESIGN_START_UNDER_WAY,    /* its transfer is under way */
    ESIGN_START_NOT_WANTED,   /* there is nothing to send any more: the row goes */
    ESIGN_START_SERVER_RESTS, /* its gateway's breaker is open: the next one has its turn */
    ESIGN_START_LATE,         /* the round took too long to begin it: the row goes back */
    ESIGN_START_EXPIRED,      /* given up */
    ESIGN_START_FAILED        /* tried again later, or given up */
} esign_courier_start_e;

/* Makes the message and starts its transfer, after the transaction's commit. In all cases but
 * ESIGN_START_UNDER_WAY the delivery has its outcome. */
esign_courier_start_e esign_courier_start(esign_courier_t *courier, esign_delivery_t *delivery);

#endif
