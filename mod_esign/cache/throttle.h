/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.h: limits over a sliding window, for a client's address or another text. */
#ifndef ESIGN_CACHE_THROTTLE_H
#define ESIGN_CACHE_THROTTLE_H

#include "cache.h"

typedef struct {
    int limit;                  /* events in a window */
    apr_interval_time_t window; /* its length */
} esign_throttle_policy_t;

/* The text that is counted for an address: the /64 of an IPv6 address, the IPv4 address of an
 * IPv4-mapped one, any other text unchanged. In `p`. */
const char *esign_throttle_address(const char *address, apr_pool_t *p);

/* The /48 of an IPv6 address: the largest network that a provider gives one customer, with 65,536
 * times the /64 above. NULL for IPv4. The functions below take it as an address. In `p`. */
const char *esign_throttle_network(const char *address, apr_pool_t *p);

/* A count that esign_throttle_check has read, for esign_throttle_count. All zero: it was not read.
 */
typedef struct {
    int read;
    apr_int64_t bucket;            /* the number of a window since 1970 */
    apr_int64_t current, previous; /* events in that window, and in the one before it */
    apr_uint64_t cas;              /* the version of the count; 0: nothing was counted yet */
} esign_throttle_seen_t;

/* Whether an address has reached the limit of `what`, such as "sign-in". One memcached operation.
 * DONE: it has not, and `*room` more events are allowed now, at least 1. MISS: it has; `*retry` is
 * how long to wait if nothing more is counted. */
esign_cache_answer_e esign_throttle_check(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          esign_throttle_seen_t *seen, int *room,
                                          apr_interval_time_t *retry, apr_pool_t *p);

/* Counts `times` events. Two windows are stored; the older one counts by the share of it that the
 * sliding window still covers. Compare-and-swap, so that no event is lost: one memcached operation
 * if `seen` was read and nothing was counted since, else two or more. `seen` is not read
 * afterwards. */
esign_cache_answer_e esign_throttle_count(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          int times, esign_throttle_seen_t *seen, apr_pool_t *p);

/* DONE once in a window for `what` and an address, whatever the limit; MISS after that. One
 * memcached operation. */
esign_cache_answer_e esign_throttle_first(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          apr_pool_t *p);

#endif
