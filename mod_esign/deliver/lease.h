/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h: until when a message is certainly this courier's to hand over. */
#ifndef ESIGN_DELIVER_LEASE_H
#define ESIGN_DELIVER_LEASE_H

#include "core/clock.h"

#include <stdatomic.h>

/* Extended by the courier's thread with each renewal of the lease; whoever carries the message
 * looks at it before the step that cannot be taken back, the final dot of a mail or the first byte
 * of a request. */
typedef struct {
    _Atomic apr_time_t
        until; /* by esign_clock, which goes on while the machine sleeps, as the lease does */
} esign_hold_t;

static inline int esign_hold_good(const esign_hold_t *hold)
{
    return esign_clock() < hold->until;
}

/* What becomes of a message whose hold is over. */
#define ESIGN_HOLD_LOST "its lease could not be renewed in time"

#endif
