/* SPDX-License-Identifier: Apache-2.0 */
/* courier_lease.h: the courier's transaction: writes outcomes, renews leases, and leases rows. */
#ifndef ESIGN_DELIVER_COURIER_LEASE_H
#define ESIGN_DELIVER_COURIER_LEASE_H

#include "courier_state.h"

/* At most so many mails are leased at once: codes wait while these are made. */
#define ESIGN_COURIER_LEASE_MAX 64

/* 1: it is time to renew leases. */
int esign_courier_renewal_due(const esign_courier_t *courier);

/* Writes the batched outcomes, renews all leases if that is due, and leases due rows, in one
 * transaction. It leases at most `places` rows of each kind; notices and requests share the places
 * of requests.
 *
 * Adds a delivery for each leased row to `deliveries`, esign_delivery_t *, codes first. `row` and
 * `subscriber` of a delivery live as long as `p`. If the transaction fails, there are no new
 * deliveries, and the outcomes stay batched. */
esign_result_t esign_courier_lease(esign_courier_t *courier, const int places[ESIGN_OUTBOX_KINDS],
                                   apr_array_header_t *deliveries, apr_pool_t *p);

#endif
