/* SPDX-License-Identifier: Apache-2.0 */
/* courier.h: sends the messages of the outbox to the mail server and the SMS gateways. */
#ifndef ESIGN_DELIVER_COURIER_H
#define ESIGN_DELIVER_COURIER_H

#include "courier_state.h"

/* A courier for one outbox, used by one thread. `options` outlive it. Destroyed with `p`: its
 * transfers are broken off, and others may lease their rows within four seconds. */
esign_result_t esign_courier_create(esign_courier_t **courier,
                                    const esign_courier_options_t *options, apr_pool_t *p);

/* One round: does all that needs the database, and waits for no server. It expires rows, writes
 * outcomes, leases due rows and starts their deliveries. Mail and SMS have places of their own, so
 * that a dead mail server never holds up a code; a row beyond a ceiling (ceiling.h), or for a
 * server whose breaker is open (breaker.h), is not leased.
 *
 * `queued` 1: a message was queued, so the outbox is looked at without waiting for the next look.
 * `database` NULL: it cannot be reached. Transfers go on, and their outcomes are written later. A
 * message that was sent, and whose outcome was not written when the process died, is sent again. A
 * failed transaction leaves the outcomes batched and leases nothing. `p` is the round's. */
esign_result_t esign_courier_round(esign_courier_t *courier, esign_database_t *database, int queued,
                                   apr_pool_t *p);

/* Between rounds: lets transfers go on until one has ended or the outcomes are due, for `wait` at
 * most. Also ends when the descriptor `wakeup` (ipc/wakeup.h) is readable. */
void esign_courier_wait(esign_courier_t *courier, int wakeup, apr_interval_time_t wait);

/* How many transfers are under way. */
int esign_courier_pending(const esign_courier_t *courier);

/* Before the process ends, three steps in this order. A process with several couriers takes each
 * step for all of them before the next, so that they share the time. Nothing else is called then.
 */

/* Starts nothing any more, and lets transfers go on until one has ended or `wait` is over. Returns
 * how many are still under way. */
int esign_courier_drain(esign_courier_t *courier, apr_interval_time_t wait, apr_pool_t *p);

/* Has mails broken off, which takes about a second, and does not wait for it. */
void esign_courier_abort(esign_courier_t *courier);

/* Waits for that, and writes that the remaining rows are due at once; `database` NULL: they are due
 * when their leases end. */
void esign_courier_finish(esign_courier_t *courier, esign_database_t *database, apr_pool_t *p);

#endif
