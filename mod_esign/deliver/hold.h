/* SPDX-License-Identifier: Apache-2.0 */
/* hold.h: until when a message is certainly this courier's to hand over. */
#ifndef ESIGN_DELIVER_HOLD_H
#define ESIGN_DELIVER_HOLD_H

#include <apr_time.h>

#include <stdatomic.h>
#include <time.h>

/* Extended by the courier's thread with each renewal of the lease; whoever carries the message looks at it before the step that cannot be taken back, the final dot of a mail
 * or the first byte of a request. */
typedef struct {
    _Atomic apr_time_t until;   /* by esign_hold_clock */
} esign_hold_t;

/* Microseconds of a clock that nobody sets, and that goes on while the machine sleeps: a lease goes on, too. */
static inline apr_time_t esign_hold_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

static inline int esign_hold_good(const esign_hold_t *hold)
{
    return esign_hold_clock() < hold->until;
}

/* What becomes of a message whose hold is over. */
#define ESIGN_HOLD_LOST "its lease could not be renewed in time"

#endif
