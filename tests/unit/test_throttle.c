/* SPDX-License-Identifier: Apache-2.0 */
/* test_throttle.c: counts over a sliding window, by address. */
#include "cache/throttle.h"
#include "memcached.h"
#include "race.h"

#define SECOND APR_USEC_PER_SEC
#define WINDOW (60 * SECOND)

static const esign_throttle_policy_t policy = { .limit = 10, .window = WINDOW };
static esign_cache_t *cache;
static apr_time_t start; /* of a window that is about now */

static void begin(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    start = apr_time_now() / WINDOW * WINDOW;
}

static void count(const char *what, const char *address, apr_time_t now, int times)
{
    esign_throttle_seen_t seen = { 0 };
    for (int i = 0; i < times; i++)
        CU_ASSERT_EQUAL(esign_throttle_count(cache, what, address, &policy, now, 1, &seen, pool),
                        ESIGN_CACHE_DONE);
}

/* 0: allowed; else the time to wait. */
static apr_interval_time_t check(const char *what, const char *address, apr_time_t now)
{
    apr_interval_time_t retry = -1;
    esign_throttle_seen_t seen;
    int room;
    esign_cache_answer_e answer =
        esign_throttle_check(cache, what, address, &policy, now, &seen, &room, &retry, pool);
    CU_ASSERT_NOT_EQUAL_FATAL(answer, ESIGN_CACHE_ERROR);
    if (answer == ESIGN_CACHE_DONE)
        return 0;
    CU_ASSERT_FATAL(retry > 0);
    return retry;
}

static void test_limit(void)
{
    begin();
    CU_ASSERT_EQUAL(check("limit", "192.0.2.1", start), 0);
    count("limit", "192.0.2.1", start, 9);
    CU_ASSERT_EQUAL(check("limit", "192.0.2.1", start), 0);
    count("limit", "192.0.2.1", start + 30 * SECOND, 1);
    CU_ASSERT(check("limit", "192.0.2.1", start + 30 * SECOND) > 0);
    CU_ASSERT_EQUAL(check("limit", "192.0.2.2", start + 30 * SECOND), 0);
    CU_ASSERT_EQUAL(check("other", "192.0.2.1", start + 30 * SECOND), 0);
}

static void test_window_slides(void)
{
    begin();
    count("slides", "a", start, 12);
    CU_ASSERT(check("slides", "a", start + WINDOW - 1) > 0);
    /* after a sixth of the next window, 12 * 10/12 = 10 events count */
    CU_ASSERT(check("slides", "a", start + WINDOW) > 0);
    CU_ASSERT(check("slides", "a", start + WINDOW + 9 * SECOND) > 0);
    CU_ASSERT_EQUAL(check("slides", "a", start + WINDOW + 11 * SECOND), 0);
    /* 4 more: at half of it, 4 + 12 * 1/2 events reach the limit */
    count("slides", "a", start + WINDOW + 11 * SECOND, 4);
    CU_ASSERT(check("slides", "a", start + WINDOW + 29 * SECOND) > 0);
    CU_ASSERT_EQUAL(check("slides", "a", start + WINDOW + 31 * SECOND), 0);
    /* One window later the 12 do not count any more; two later no event does. */
    count("slides", "a", start + WINDOW + 31 * SECOND, 7);
    CU_ASSERT(check("slides", "a", start + 2 * WINDOW) > 0);
    CU_ASSERT_EQUAL(check("slides", "a", start + 2 * WINDOW + 10 * SECOND), 0);
    CU_ASSERT_EQUAL(check("slides", "a", start + 3 * WINDOW), 0);
    count("slides", "a", start + 3 * WINDOW, 9);
    CU_ASSERT_EQUAL(check("slides", "a", start + 3 * WINDOW), 0);
}

static void test_room(void)
{
    static const struct {
        apr_interval_time_t passed;
        int room;
    } rows[] = {
        { 0, 3 }, { WINDOW - 1, 3 }, { WINDOW, 3 }, { WINDOW + 30 * SECOND, 7 }, { 2 * WINDOW, 10 }
    };
    begin();
    count("room", "a", start, 7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int room = 0;
        apr_interval_time_t retry;
        esign_throttle_seen_t seen;
        CU_ASSERT_EQUAL(esign_throttle_check(cache, "room", "a", &policy, start + rows[i].passed,
                                             &seen, &room, &retry, pool),
                        ESIGN_CACHE_DONE);
        CU_ASSERT_EQUAL(room, rows[i].room);
    }
}

/* After the time that was returned an event is allowed, and not before. */
static void test_retry(void)
{
    static const int counts[][2] = { { 10, 0 }, { 25, 0 }, { 0, 10 }, { 0, 40 },
                                     { 10, 5 }, { 30, 9 }, { 8, 10 }, { 100, 100 } };
    begin();
    for (int i = 0; i < (int)(sizeof(counts) / sizeof(*counts)); i++) {
        const char *address = apr_psprintf(pool, "retry %d", i);
        apr_time_t now = start + WINDOW + 7 * SECOND;
        count("retry", address, start, counts[i][0]);
        count("retry", address, now, counts[i][1]);
        apr_interval_time_t retry = check("retry", address, now);
        if (retry == 0) {
            CU_ASSERT_EQUAL(counts[i][0], 10);
            continue;
        }
        CU_ASSERT_EQUAL(check("retry", address, now + retry), 0);
        CU_ASSERT(check("retry", address, now + retry - SECOND) > 0);
    }
}

static void test_end(void)
{
    begin();
    count("end", "192.0.2.1", start, 1);
    int left = memcached_left(esign_cache_key("throttle:", "end 192.0.2.1 60000000", pool));
    CU_ASSERT(left > 0 && left <= 120); /* the window and the next */
}

static void test_addresses(void)
{
    static const char *const same[][2] = {
        { "192.0.2.1", "192.0.2.1" },
        { "::ffff:192.0.2.1", "192.0.2.1" },
        { "::FFFF:C000:0201", "192.0.2.1" },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
        { "2001:DB8:1:2::", "2001:db8:1:2::/64" },
        { "2001:db8:1:3:3:4:5:6", "2001:db8:1:3::/64" },
        { "::1", "::/64" },
        { "unknown", "unknown" },
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        CU_ASSERT_STRING_EQUAL(esign_throttle_address(same[i][0], pool), same[i][1]);
    CU_ASSERT_STRING_EQUAL(esign_throttle_network("2001:db8:1:2:3:4:5:6", pool), "2001:db8:1::/48");
    CU_ASSERT_STRING_EQUAL(esign_throttle_network("2001:DB8:1:FFFF::", pool), "2001:db8:1::/48");
    CU_ASSERT_STRING_EQUAL(esign_throttle_network("2001:db8:2:2::1", pool), "2001:db8:2::/48");
    CU_ASSERT_PTR_NULL(esign_throttle_network("192.0.2.1 60000000", pool));
    CU_ASSERT_PTR_NULL(esign_throttle_network("::ffff:192.0.2.1 60000000", pool));
    CU_ASSERT_PTR_NULL(esign_throttle_network("unknown", pool));
    begin();
    count("addresses", "2001:db8:1::/48", start, 10);
    CU_ASSERT(check("addresses", "2001:db8:1::/48", start) > 0);
    CU_ASSERT_EQUAL(check("addresses", "2001:db8:1::1", start), 0);
    count("addresses", "2001:db8::1", start, 5);
    count("addresses", "2001:db8::ffff:1:2", start, 5);
    CU_ASSERT(check("addresses", "2001:db8::3", start) > 0);
    CU_ASSERT_EQUAL(check("addresses", "2001:db8:0:1::3", start), 0);
    count("addresses", "::ffff:192.0.2.1", start, 10);
    CU_ASSERT(check("addresses", "192.0.2.1", start) > 0);
}

static int count_some(void *what, apr_pool_t *p)
{
    int done = 0;
    esign_throttle_seen_t seen = { 0 };
    for (int i = 0; i < 10; i++)
        done += esign_throttle_count(cache, what, "192.0.2.1", &policy, start, 1, &seen, p) ==
                ESIGN_CACHE_DONE;
    return done;
}

static void test_races(void)
{
    enum { THREADS = 16, LAST = THREADS * 10 };
    begin();
    CU_ASSERT_EQUAL(race(THREADS, count_some, "race", 10), THREADS);
    /* No event was lost, and none counted twice. */
    esign_throttle_policy_t more = { .limit = LAST + 1, .window = WINDOW },
                            exact = { .limit = LAST, .window = WINDOW };
    apr_interval_time_t retry;
    esign_throttle_seen_t seen;
    int room;
    CU_ASSERT_EQUAL(
        esign_throttle_check(cache, "race", "192.0.2.1", &more, start, &seen, &room, &retry, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(room, 1);
    CU_ASSERT_EQUAL(
        esign_throttle_check(cache, "race", "192.0.2.1", &exact, start, &seen, &room, &retry, pool),
        ESIGN_CACHE_MISS);
}

/* A count after a check is right, also when others counted meanwhile or a new window began. */
static void test_seen(void)
{
    esign_throttle_seen_t seen, stale;
    apr_interval_time_t retry;
    int room;
    begin();
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(
            esign_throttle_check(cache, "seen", "a", &policy, start, &seen, &room, &retry, pool),
            ESIGN_CACHE_DONE);
        stale = seen;
        CU_ASSERT_EQUAL(room, 10 - 2 * i);
        CU_ASSERT(seen.read &&
                  esign_throttle_count(cache, "seen", "a", &policy, start, 1, &seen, pool) ==
                      ESIGN_CACHE_DONE &&
                  !seen.read);
        CU_ASSERT_EQUAL(esign_throttle_count(cache, "seen", "a", &policy, start, 1, &stale, pool),
                        ESIGN_CACHE_DONE);
    }
    CU_ASSERT_EQUAL(
        esign_throttle_check(cache, "seen", "a", &policy, start, &seen, &room, &retry, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(
        esign_throttle_count(cache, "seen", "a", &policy, start + WINDOW, 1, &seen, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_throttle_check(cache, "seen", "a", &policy, start + WINDOW, &seen, &room,
                                         &retry, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(room, 3);
    CU_ASSERT_EQUAL(
        esign_throttle_count(cache, "seen", "a", &policy, start + WINDOW, 2, &seen, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_throttle_check(cache, "seen", "a", &policy, start + WINDOW, &seen, &room,
                                         &retry, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(room, 1);
}

/* Two counts with an earlier time than the stored window, by a late clock or a slow request, do not
 * reset it. */
static void test_late(void)
{
    begin();
    count("late", "a", start, 4);
    count("late", "a", start + WINDOW, 6);
    CU_ASSERT(check("late", "a", start + WINDOW - SECOND) > 0);
    count("late", "a", start + WINDOW - SECOND, 1);
    apr_interval_time_t retry = check("late", "a", start + WINDOW - SECOND);
    CU_ASSERT(check("late", "a", start + WINDOW) > 0);
    CU_ASSERT(check("late", "a", start + WINDOW - SECOND + retry - SECOND) > 0);
    CU_ASSERT_EQUAL(check("late", "a", start + WINDOW - SECOND + retry), 0);
    int left = memcached_left(esign_cache_key("throttle:", "late a 60000000", pool));
    CU_ASSERT(left > 120 && left <= 180); /* as long as that window and the next */
}

/* Two portals share a memcached, and their windows differ in length. */
static void test_lengths(void)
{
    const esign_throttle_policy_t longer = { .limit = 10, .window = 15 * WINDOW };
    esign_throttle_seen_t seen = { 0 };
    begin();
    count("lengths", "a", start, 10);
    CU_ASSERT_EQUAL(esign_throttle_count(cache, "lengths", "a", &longer, start, 1, &seen, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(check("lengths", "a", start) > 0);
}

static void test_down(void)
{
    begin();
    apr_interval_time_t retry;
    esign_throttle_seen_t seen = { 0 };
    int room;
    memcached_stop();
    CU_ASSERT_EQUAL(
        esign_throttle_count(cache, "down", "192.0.2.1", &policy, start, 1, &seen, pool),
        ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(esign_throttle_check(cache, "down", "192.0.2.1", &policy, start, &seen, &room,
                                         &retry, pool),
                    ESIGN_CACHE_ERROR);
    memcached_restart(cache);
}

int main(void)
{
    CU_TestInfo tests[] = { { "the limit is each address's and each purpose's", test_limit },
                            { "the window slides", test_window_slides },
                            { "how many more are let through", test_room },
                            { "what a check has seen is counted on", test_seen },
                            { "the time to wait is right", test_retry },
                            { "counts end by themselves", test_end },
                            { "IPv6 counts by /64, mapped IPv4 as IPv4", test_addresses },
                            { "no count is lost under threads", test_races },
                            { "who is late sets no window back", test_late },
                            { "a window of another length begins none anew", test_lengths },
                            { "without memcached nobody is let through", test_down },
                            CU_TEST_INFO_NULL };
    return memcached_suite("throttle", tests);
}
