/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c: counts failures in a row, and sets pauses. */
#include "breaker.h"

#include "core/digest.h"

#define FAILURES_TO_OPEN 3
#define FIRST_PAUSE apr_time_from_sec(2)
#define LONGEST_PAUSE apr_time_from_sec(60)

int esign_breaker_may_try(const esign_breaker_t *breaker, int under_way, apr_time_t now)
{
    return breaker->until == 0 || (now >= breaker->until && under_way == 0);
}

int esign_breaker_failed(esign_breaker_t *breaker, apr_time_t now)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    int first = breaker->until == 0;
    if (now < breaker->until || ++breaker->failures < FAILURES_TO_OPEN)
        return 0;
    for (int i = FAILURES_TO_OPEN; i < breaker->failures && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE)
        pause = LONGEST_PAUSE;
    /* A random part keeps nodes from trying the server all at the same moment. */
    breaker->until = now + pause * 4 / 5 + esign_digest_random_id() % (pause * 2 / 5);
    return first;
}

int esign_breaker_worked(esign_breaker_t *breaker)
{
    int was_open = breaker->until != 0;
    *breaker = (esign_breaker_t){ 0, 0 };
    return was_open;
}
