/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c: counts events in sliding windows, in memcached. */
#include "throttle.h"

#include "core/digest.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How often a count is tried again after a lost race. Before each try comes a random pause, up to
 * FIRST_PAUSE microseconds at first, doubled DOUBLINGS times at most: 32 ms. */
#define ROUNDS 16
#define FIRST_PAUSE 500
#define DOUBLINGS 6

/* The network of an address. `bits` is a multiple of 8. */
static const char *network_of(const struct in6_addr *address, int bits, apr_pool_t *p)
{
    struct in6_addr network = IN6ADDR_ANY_INIT;
    char text[INET6_ADDRSTRLEN];
    memcpy(network.s6_addr, address->s6_addr, (size_t)bits / 8);
    return apr_psprintf(p, "%s/%d", inet_ntop(AF_INET6, &network, text, sizeof(text)), bits);
}

const char *esign_throttle_address(const char *address, apr_pool_t *p)
{
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, &six) != 1)
        return apr_pstrdup(p, address);
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return inet_ntop(AF_INET, six.s6_addr + 12, text, sizeof(text)) ? apr_pstrdup(p, text)
                                                                        : apr_pstrdup(p, address);
    return network_of(&six, 64, p);
}

const char *esign_throttle_network(const char *address, apr_pool_t *p)
{
    struct in6_addr six;
    return inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)
               ? network_of(&six, 48, p)
               : NULL;
}

/* The key has the window's length, because windows are numbered by their length. Portals that share
 * a memcached, but not the length, would otherwise reset each other's counts. */
static const char *key_of_count(const char *what, const char *address,
                                const esign_throttle_policy_t *policy, apr_pool_t *p)
{
    return esign_cache_key("throttle:",
                           apr_psprintf(p, "%s %s %" APR_TIME_T_FMT, what,
                                        esign_throttle_address(address, p), policy->window),
                           p);
}

/* Reads a count. MISS: nothing was counted yet. */
static esign_cache_answer_e read_count(esign_cache_t *cache, const char *key,
                                       esign_throttle_seen_t *seen, apr_pool_t *p)
{
    char *text;
    long long bucket, current, previous;
    *seen = (esign_throttle_seen_t){ 0 };
    esign_cache_answer_e answer = esign_cache_get(cache, key, &text, &seen->cas, p);
    if (answer == ESIGN_CACHE_ERROR ||
        (answer == ESIGN_CACHE_DONE &&
         sscanf(text, "%lld:%lld:%lld", &bucket, &current, &previous) != 3))
        return ESIGN_CACHE_ERROR;
    if (answer == ESIGN_CACHE_DONE)
        *seen = (esign_throttle_seen_t){
            .bucket = bucket, .current = current, .previous = previous, .cas = seen->cas
        };
    seen->read = 1;
    return answer;
}

/* Moves a count on to the window of `now`. It stays in the next window if that has begun already,
 * by another node's clock or since the request began. */
static void move_to_window(const esign_throttle_policy_t *policy, apr_time_t now,
                           esign_throttle_seen_t *seen)
{
    apr_int64_t here = now / policy->window;
    if (seen->bucket == here || seen->bucket == here + 1)
        return;
    seen->previous = seen->bucket == here - 1 ? seen->current : 0;
    seen->current = 0;
    seen->bucket = here;
}

/* How long after the start of a window the events of the window before count less than `room`. */
static apr_interval_time_t time_to_fade(const esign_throttle_policy_t *policy, apr_int64_t previous,
                                        apr_int64_t room)
{
    return (apr_interval_time_t)((double)policy->window * (1.0 - (double)room / (double)previous)) +
           1;
}

esign_cache_answer_e esign_throttle_check(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          esign_throttle_seen_t *seen, int *room,
                                          apr_interval_time_t *retry, apr_pool_t *p)
{
    if (read_count(cache, key_of_count(what, address, policy, p), seen, p) == ESIGN_CACHE_ERROR)
        return ESIGN_CACHE_ERROR;
    move_to_window(policy, now, seen);
    apr_interval_time_t passed = now - seen->bucket * policy->window;
    double weight = (double)(policy->window - passed) / (double)policy->window;
    *room =
        (int)ceil((double)policy->limit - (double)seen->current - (double)seen->previous * weight);
    if (*room > 0)
        return ESIGN_CACHE_DONE;
    if (seen->current < policy->limit)
        *retry = time_to_fade(policy, seen->previous, policy->limit - seen->current) - passed;
    else
        *retry = policy->window - passed + time_to_fade(policy, seen->current, policy->limit);
    return ESIGN_CACHE_MISS;
}

esign_cache_answer_e esign_throttle_count(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          int times, esign_throttle_seen_t *seen, apr_pool_t *p)
{
    const char *key = key_of_count(what, address, policy, p);
    for (int round = 0; round < ROUNDS; round++) {
        if (!seen->read && read_count(cache, key, seen, p) == ESIGN_CACHE_ERROR)
            return ESIGN_CACHE_ERROR;
        move_to_window(policy, now, seen);
        seen->read = 0;
        apr_time_t expires = (seen->bucket + 2) * policy->window;
        const char *text =
            apr_psprintf(p, "%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT,
                         seen->bucket, seen->current + times, seen->previous);
        esign_cache_answer_e answer =
            seen->cas == 0 ? esign_cache_add(cache, key, text, expires, p)
                           : esign_cache_cas(cache, key, text, expires, seen->cas, p);
        if (answer != ESIGN_CACHE_MISS)
            return answer;
        /* After a lost race it waits for a random time, on average longer after each race. */
        apr_sleep(esign_digest_random_id() %
                  (FIRST_PAUSE << (round < DOUBLINGS ? round : DOUBLINGS)));
    }
    return ESIGN_CACHE_ERROR;
}

esign_cache_answer_e esign_throttle_first(esign_cache_t *cache, const char *what,
                                          const char *address,
                                          const esign_throttle_policy_t *policy, apr_time_t now,
                                          apr_pool_t *p)
{
    return esign_cache_add(cache,
                           key_of_count(apr_pstrcat(p, "first ", what, NULL), address, policy, p),
                           "1", now + policy->window, p);
}
