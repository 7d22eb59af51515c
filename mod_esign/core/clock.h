/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: how long something takes, or may take. */
#ifndef ESIGN_CORE_CLOCK_H
#define ESIGN_CORE_CLOCK_H

#include <apr_time.h>

#include <time.h>

/* Microseconds of a clock that nobody sets, and that goes on while the machine sleeps. It begins
 * anew with the machine, so it is kept in memory alone. */
static inline apr_time_t esign_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

#endif
