/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: a clock for durations and deadlines. */
#ifndef ESIGN_CORE_CLOCK_H
#define ESIGN_CORE_CLOCK_H

#include <apr_time.h>

#include <time.h>

/* Microseconds since the machine started (CLOCK_BOOTTIME), its sleep included. Unlike the time of
 * day, no one sets this clock. Its values are void after a restart of the machine, so they are
 * never stored outside memory. */
static inline apr_time_t esign_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

#endif
