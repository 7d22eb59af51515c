/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c: sliding windows in memcached. */
#include "store/throttle.h"

#include "core/digest.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 16
#define FIRST_PAUSE 500   /* microseconds, doubled by each round lost: at most 32 ms */
#define DOUBLINGS 6

/* The window that `bucket` numbers, and the one before it. */
typedef struct {
    apr_int64_t bucket, current, previous;
    apr_uint64_t cas;
} count_t;

const char *esign_throttle_address(const char *address, apr_pool_t *p)
{
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, &six) != 1)
        return apr_pstrdup(p, address);
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return inet_ntop(AF_INET, six.s6_addr + 12, text, sizeof(text)) ? apr_pstrdup(p, text) : apr_pstrdup(p, address);
    memset(six.s6_addr + 8, 0, 8);
    return apr_pstrcat(p, inet_ntop(AF_INET6, &six, text, sizeof(text)), "/64", NULL);
}

static const char *key_of(const char *what, const char *address, apr_pool_t *p)
{
    return esign_cache_key("throttle:", apr_pstrcat(p, what, " ", esign_throttle_address(address, p), NULL), p);
}

/* The counts as they stand at `now`. MISS: nothing was counted. */
static esign_cache_answer_e read_count(esign_cache_t *cache, const char *key, const esign_throttle_policy_t *policy, apr_time_t now, count_t *count,
                                       apr_pool_t *p)
{
    char *text;
    long long bucket, current, previous;
    apr_int64_t here = now / policy->window;
    *count = (count_t){ .bucket = here };
    esign_cache_answer_e answer = esign_cache_get(cache, key, &text, &count->cas, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    if (sscanf(text, "%lld:%lld:%lld", &bucket, &current, &previous) != 3)
        return ESIGN_CACHE_ERROR;
    if (bucket == here) {
        count->current = current;
        count->previous = previous;
    } else if (bucket == here - 1) {
        count->previous = current;
    }
    return ESIGN_CACHE_DONE;
}

/* How far into a window the count of the one before has faded to less than `room`. */
static apr_interval_time_t fading(const esign_throttle_policy_t *policy, apr_int64_t previous, apr_int64_t room)
{
    return (apr_interval_time_t)((double)policy->window * (1.0 - (double)room / (double)previous)) + 1;
}

esign_cache_answer_e esign_throttle_room(esign_cache_t *cache, const char *what, const char *address, const esign_throttle_policy_t *policy,
                                         apr_time_t now, int *room, apr_interval_time_t *retry, apr_pool_t *p)
{
    count_t count;
    if (read_count(cache, key_of(what, address, p), policy, now, &count, p) == ESIGN_CACHE_ERROR)
        return ESIGN_CACHE_ERROR;
    apr_interval_time_t passed = now % policy->window;
    double weight = (double)(policy->window - passed) / (double)policy->window;
    *room = (int)ceil((double)policy->limit - (double)count.current - (double)count.previous * weight);
    if (*room > 0)
        return ESIGN_CACHE_DONE;
    if (count.current < policy->limit)
        *retry = fading(policy, count.previous, policy->limit - count.current) - passed;
    else
        *retry = policy->window - passed + fading(policy, count.current, policy->limit);
    return ESIGN_CACHE_MISS;
}

esign_cache_answer_e esign_throttle_check(esign_cache_t *cache, const char *what, const char *address, const esign_throttle_policy_t *policy,
                                          apr_time_t now, apr_interval_time_t *retry, apr_pool_t *p)
{
    int room;
    return esign_throttle_room(cache, what, address, policy, now, &room, retry, p);
}

esign_cache_answer_e esign_throttle_count(esign_cache_t *cache, const char *what, const char *address, const esign_throttle_policy_t *policy,
                                          apr_time_t now, apr_pool_t *p)
{
    const char *key = key_of(what, address, p);
    apr_time_t expires = (now / policy->window + 2) * policy->window;
    for (int round = 0; round < ROUNDS; round++) {
        count_t count;
        esign_cache_answer_e found = read_count(cache, key, policy, now, &count, p);
        if (found == ESIGN_CACHE_ERROR)
            return found;
        const char *text = apr_psprintf(p, "%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT, count.bucket, count.current + 1, count.previous);
        esign_cache_answer_e answer = found == ESIGN_CACHE_MISS ? esign_cache_add(cache, key, text, expires, p)
                                                                : esign_cache_cas(cache, key, text, expires, count.cas, p);
        if (answer != ESIGN_CACHE_MISS)
            return answer;
        /* Who lost comes back at a moment of its own, the later the more there are. */
        apr_sleep(esign_digest_random_id() % (FIRST_PAUSE << (round < DOUBLINGS ? round : DOUBLINGS)));
    }
    return ESIGN_CACHE_ERROR;
}

esign_cache_answer_e esign_throttle_first(esign_cache_t *cache, const char *what, const char *address, const esign_throttle_policy_t *policy,
                                          apr_time_t now, apr_pool_t *p)
{
    return esign_cache_add(cache, key_of(apr_pstrcat(p, "first ", what, NULL), address, p), "1", now + policy->window, p);
}
