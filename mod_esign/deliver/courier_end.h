/* SPDX-License-Identifier: Apache-2.0 */
/* courier_end.h: ends a delivery: its outcome, and what follows for its server. */
#ifndef ESIGN_DELIVER_COURIER_END_H
#define ESIGN_DELIVER_COURIER_END_H

#include "courier_state.h"

/* Sets a delivery's outcome and batches it. `due`: when the row is due next, by the wall clock; 0:
 * never. `error` is copied; NULL when sent. */
void esign_courier_end(esign_courier_t *courier, esign_delivery_t *delivery,
                       esign_outcome_e outcome, apr_time_t due, const char *error);

/* The attempt failed: logs it, and tries again after 5 s, doubled with each attempt to 15 min at
 * most, +- 20 %. */
void esign_courier_end_failed(esign_courier_t *courier, esign_delivery_t *delivery,
                              const char *error);

/* The message cannot be sent: logs that it is given up. */
void esign_courier_end_give_up(esign_courier_t *courier, esign_delivery_t *delivery,
                               const char *error);

/* A code's gateway is not used at present: the next one has its turn at once. When all have had
 * theirs, the code waits as after a failed attempt, but no longer than this gateway's pause. */
void esign_courier_end_pass(esign_courier_t *courier, esign_delivery_t *delivery);

/* Ends the delivery whose transfer has ended; `baton` is the courier. */
esign_transfer_done_fn esign_courier_end_transfer;

#endif
