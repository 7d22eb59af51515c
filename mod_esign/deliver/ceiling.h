/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling.h: how many messages of a kind may leave in a minute, over all nodes
 * (EsignMailsPerMinute, EsignSMSPerMinute): what a flood of requests costs the authority at most.
 */
#ifndef ESIGN_DELIVER_CEILING_H
#define ESIGN_DELIVER_CEILING_H

#include "cache/throttle.h"

/* One courier's side of a ceiling, whose counter is in memcached. A courier counts reservations, a
 * sixtieth of the ceiling each, so that most messages cost memcached nothing; what it has not used
 * of one after a minute is lost.
 *
 * Two clocks: `now` is the wall clock, by which the windows of all nodes agree; `clock` is
 * esign_clock, so that a wall clock that is set back holds nothing up. */
typedef struct {
    /* Set by the owner; all other members are zero at first. */
    const char *what, *directive; /* "mails", "EsignMailsPerMinute"; `what` names the counter too */
    int limit;                    /* messages in a minute; 0: no ceiling, and no memcached */
    esign_cache_t *cache;
    const char *url; /* the portal's, which the counter belongs to */

    apr_time_t retry_at;           /* by `clock`: no message may leave before */
    apr_time_t warned;             /* by `clock`: when the last warning was given; 0: never */
    esign_throttle_seen_t counted; /* the counter as it was last read */
    int room;                      /* how many could leave then, without later reservations */
    int reserved;                  /* left of the reservation */
    apr_time_t reserved_at;        /* by `clock` */
} esign_ceiling_t;

/* How many of `places` messages may leave now: 0 to `places`. Couriers that ask at the same moment
 * may find the same room. While memcached fails, none may leave. `*warning`: a sentence in `p` for
 * the log, once a minute while messages wait; else NULL. */
int esign_ceiling_room(esign_ceiling_t *ceiling, int places, apr_time_t now, apr_time_t clock,
                       const char **warning, apr_pool_t *p);

/* Counts a message that leaves. */
void esign_ceiling_count(esign_ceiling_t *ceiling, apr_time_t now, apr_time_t clock, apr_pool_t *p);

#endif
