/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.h: counts over a sliding window, by client address or whatever else a limit is for. */
#ifndef ESIGN_CACHE_THROTTLE_H
#define ESIGN_CACHE_THROTTLE_H

#include "cache.h"

typedef struct {
    int limit; /* this many in the window are let through */
    apr_interval_time_t window;
} esign_throttle_policy_t;

/* The counted address: an IPv6 address stands for its /64, an IPv4-mapped one for its IPv4. In `p`.
 */
const char *esign_throttle_address(const char *address, apr_pool_t *p);

/* The IPv6 network that one customer of a provider has at most, a /48 with 65,536 times the /64 of
 * above; NULL for IPv4. Taken as an address by the functions below. In `p`. */
const char *esign_throttle_network(const char *address, apr_pool_t *p);

/* A count as it was read: by a check, for the counting that follows it. Zeroed: not read. */
typedef struct {
    int read;
    apr_int64_t bucket, current, previous; /* the window numbered `bucket`, and the one before it */
    apr_uint64_t cas;                      /* 0: nothing had been counted */
} esign_throttle_seen_t;

/* Whether the limit of `what` ("sign-in", "reset") is reached for an address: one memcached get.
 * DONE: go on, and `*room` more are let through now, at least 1; MISS: refuse;
 * `*retry` is then the time to wait, if nothing more is counted. */
esign_cache_answer_e esign_throttle_check(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          esign_throttle_seen_t *seen, int *room,
                                          apr_interval_time_t *retry, apr_pool_t *p);

/* Counts `times` events: two buckets of a window each, the older one weighted by what of it still
 * lies in the window; compare-and-swap, so none is lost: one memcached operation if `seen` has been
 * read, and none was counted since; two otherwise. It is not read any more afterwards. */
esign_cache_answer_e esign_throttle_count(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          int times, esign_throttle_seen_t *seen, apr_pool_t *p);

/* DONE once in a window for `what` and an address, whatever the limit; MISS: it was asked before.
 * One memcached add. */
esign_cache_answer_e esign_throttle_first(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          apr_pool_t *p);

#endif
