/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h: until when a leased message may be handed to a server. */
#ifndef ESIGN_DELIVER_LEASE_H
#define ESIGN_DELIVER_LEASE_H

#include "core/clock.h"

#include <stdatomic.h>

/* The deadline of one lease. The courier's thread moves it on with each renewal; the transfer,
 * which may run in another thread, looks at it before the step that cannot be taken back: the final
 * dot of a mail, or the first byte of an HTTP request. */
typedef struct {
    /* By esign_clock, which goes on while the machine sleeps, as the lease in the database does. */
    _Atomic apr_time_t deadline;
} esign_lease_t;

/* 1: the message may still be handed over. */
static inline int esign_lease_held(const esign_lease_t *lease)
{
    return esign_clock() < lease->deadline;
}

/* The error text of a message whose deadline has passed. */
#define ESIGN_LEASE_LOST "its lease could not be renewed in time"

#endif
