/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling.c: reserves places below a ceiling, and counts what leaves. */
#include "ceiling.h"

#include <apr_strings.h>

#define MINUTE apr_time_from_sec(60)
/* After an error of memcached's. */
#define RETRY_AFTER apr_time_from_sec(5)
/* Reservations in a ceiling. */
#define RESERVATIONS 60

static esign_throttle_policy_t policy_of(const esign_ceiling_t *ceiling)
{
    return (esign_throttle_policy_t){ .limit = ceiling->limit, .window = MINUTE };
}

static const char *warning_for(esign_ceiling_t *ceiling, esign_cache_answer_e answer,
                               apr_time_t clock, apr_pool_t *p)
{
    if (ceiling->warned != 0 && clock - ceiling->warned < MINUTE)
        return NULL;
    ceiling->warned = clock;
    if (answer == ESIGN_CACHE_MISS)
        return apr_psprintf(p, "%d %s in a minute, as many as %s allows: others wait",
                            ceiling->limit, ceiling->what, ceiling->directive);
    return apr_psprintf(p, "%s wait until memcached tells how many have left (%s): %s",
                        ceiling->what, ceiling->directive, esign_cache_error(p));
}

int esign_ceiling_room(esign_ceiling_t *ceiling, int places, apr_time_t now, apr_time_t clock,
                       const char **warning, apr_pool_t *p)
{
    const esign_throttle_policy_t policy = policy_of(ceiling);
    apr_interval_time_t retry = RETRY_AFTER;
    *warning = NULL;
    if (ceiling->limit == 0 || places <= 0)
        return places;
    if (clock - ceiling->reserved_at >= MINUTE)
        ceiling->reserved = 0;
    if (ceiling->reserved > 0)
        return ceiling->reserved < places ? ceiling->reserved : places;
    if (clock < ceiling->retry_at)
        return 0;
    esign_cache_answer_e answer =
        esign_throttle_check(ceiling->cache, ceiling->what, ceiling->url, &policy, now,
                             &ceiling->counted, &ceiling->room, &retry, p);
    if (answer == ESIGN_CACHE_DONE)
        return ceiling->room < places ? ceiling->room : places;
    ceiling->retry_at = clock + retry;
    *warning = warning_for(ceiling, answer, clock, p);
    return 0;
}

void esign_ceiling_count(esign_ceiling_t *ceiling, apr_time_t now, apr_time_t clock, apr_pool_t *p)
{
    const esign_throttle_policy_t policy = policy_of(ceiling);
    if (ceiling->limit == 0)
        return;
    if (ceiling->reserved == 0) {
        int share = ceiling->limit / RESERVATIONS;
        if (share > ceiling->room)
            share = ceiling->room;
        ceiling->reserved = share > 1 ? share : 1;
        ceiling->reserved_at = clock;
        ceiling->room -= ceiling->reserved;
        esign_throttle_count(ceiling->cache, ceiling->what, ceiling->url, &policy, now,
                             ceiling->reserved, &ceiling->counted, p);
    }
    ceiling->reserved--;
}
