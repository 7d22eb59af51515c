/* SPDX-License-Identifier: Apache-2.0 */
/* test_ceiling.c: how many messages may leave below a ceiling, of one courier and of several. */
#include "deliver/ceiling.h"
#include "memcached.h"

#define SECOND APR_USEC_PER_SEC
#define MINUTE (60 * SECOND)

static apr_time_t wall, steady;
static const char *warning;

/* Begins a test with a counter of its own, at the start of a minute. */
static const char *begin(void)
{
    static int count;
    wall = apr_time_now() / MINUTE * MINUTE;
    steady = 1000 * SECOND;
    return apr_psprintf(pool, "https://%d.example.org/", ++count);
}

/* A courier's side of the ceiling. */
static esign_ceiling_t ceiling_of(const char *url, int limit)
{
    return (esign_ceiling_t){ .what = "mails",
                              .directive = "EsignMailsPerMinute",
                              .limit = limit,
                              .cache = memcached_client(SCRATCH_KEY_1, ""),
                              .url = url };
}

static void advance(apr_interval_time_t time)
{
    wall += time;
    steady += time;
}

static int room(esign_ceiling_t *ceiling, int places)
{
    return esign_ceiling_room(ceiling, places, wall, steady, &warning, pool);
}

/* Lets as many leave as may, of `places`. */
static int leave(esign_ceiling_t *ceiling, int places)
{
    int left = room(ceiling, places);
    for (int i = 0; i < left; i++)
        esign_ceiling_count(ceiling, wall, steady, pool);
    return left;
}

static void test_none(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 0);
    ceiling.cache = NULL;
    CU_ASSERT(leave(&ceiling, 1000) == 1000 && !warning);
}

static void test_one_courier(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 10);
    CU_ASSERT_EQUAL(room(&ceiling, 0), 0);
    CU_ASSERT(leave(&ceiling, 4) == 4 && !warning);
    CU_ASSERT_EQUAL(leave(&ceiling, 100), 6);
    CU_ASSERT_EQUAL(leave(&ceiling, 100), 0);
    CU_ASSERT_STRING_EQUAL(
        warning, "10 mails in a minute, as many as EsignMailsPerMinute allows: others wait");
    advance(2 * MINUTE);
    CU_ASSERT_EQUAL(leave(&ceiling, 100), 10);
}

/* Two couriers share the minute's messages. */
static void test_two_couriers(void)
{
    const char *url = begin();
    esign_ceiling_t one = ceiling_of(url, 10), other = ceiling_of(url, 10);
    CU_ASSERT_EQUAL(leave(&one, 7), 7);
    CU_ASSERT_EQUAL(leave(&other, 100), 3);
    CU_ASSERT(leave(&one, 100) == 0 && leave(&other, 100) == 0);
}

/* A reservation is a sixtieth of the ceiling. Other couriers cannot use what is left of it. */
static void test_reservation(void)
{
    const char *url = begin();
    esign_ceiling_t one = ceiling_of(url, 600), other = ceiling_of(url, 600);
    CU_ASSERT_EQUAL(leave(&one, 1), 1);
    CU_ASSERT_EQUAL(one.reserved, 9);
    CU_ASSERT_EQUAL(room(&other, 1000), 590);
    /* While it lasts, memcached is not asked. */
    memcached_stop();
    CU_ASSERT(leave(&one, 20) == 9 && !warning);
    CU_ASSERT(leave(&one, 20) == 0 && warning);
    CU_ASSERT(memcached_start());
}

/* The last reservation is as small as the rest of the ceiling. */
static void test_last_reservation(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 603);
    CU_ASSERT_EQUAL(leave(&ceiling, 1000), 603);
    CU_ASSERT(ceiling.reserved == 0 && leave(&ceiling, 1000) == 0);
}

/* After a minute it is lost. */
static void test_old_reservation(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 600);
    leave(&ceiling, 1);
    advance(MINUTE - 1);
    CU_ASSERT_EQUAL(room(&ceiling, 1000), 9);
    advance(1);
    CU_ASSERT(room(&ceiling, 1000) > 500 && ceiling.reserved == 0);
}

/* A warning comes once a minute, and memcached is asked again when there may be room. */
static void test_warnings(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 1);
    leave(&ceiling, 1);
    advance(SECOND);
    CU_ASSERT(room(&ceiling, 1) == 0 && warning);
    advance(SECOND);
    CU_ASSERT(room(&ceiling, 1) == 0 && !warning);
    CU_ASSERT(ceiling.retry_at > steady && ceiling.retry_at <= steady + 2 * MINUTE);
    ceiling.retry_at = 0;
    CU_ASSERT(room(&ceiling, 1) == 0 && !warning);
    ceiling.warned -= MINUTE;
    ceiling.retry_at = 0;
    CU_ASSERT(room(&ceiling, 1) == 0 && warning);
}

/* Without memcached nobody knows how many have left: none leaves, and it is asked every 5 s. */
static void test_memcached_down(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 10);
    memcached_stop();
    CU_ASSERT_EQUAL(room(&ceiling, 1), 0);
    CU_ASSERT_FATAL(warning != NULL);
    CU_ASSERT_PTR_EQUAL(strstr(warning, "mails wait until memcached tells how many have left "
                                        "(EsignMailsPerMinute): "),
                        warning);
    CU_ASSERT_EQUAL(ceiling.retry_at, steady + 5 * SECOND);
    memcached_restart(ceiling.cache);
    CU_ASSERT_EQUAL(room(&ceiling, 1), 0);
    advance(5 * SECOND);
    CU_ASSERT_EQUAL(room(&ceiling, 1), 1);
}

/* A wall clock that is set back holds nothing up, nor does it let more leave. */
static void test_clock_set_back(void)
{
    esign_ceiling_t ceiling = ceiling_of(begin(), 600);
    leave(&ceiling, 1);
    wall -= 3600 * SECOND;
    CU_ASSERT_EQUAL(room(&ceiling, 1000), 9);
    steady += MINUTE;
    CU_ASSERT(room(&ceiling, 1000) > 0);
}

int main(void)
{
    CU_TestInfo tests[] = { { "without a ceiling all leave", test_none },
                            { "no more leave in a minute than the ceiling says", test_one_courier },
                            { "couriers share a ceiling", test_two_couriers },
                            { "messages are counted in reservations", test_reservation },
                            { "the last reservation is smaller", test_last_reservation },
                            { "a reservation lasts a minute", test_old_reservation },
                            { "warnings come once a minute", test_warnings },
                            { "none leaves while memcached is down", test_memcached_down },
                            { "a wall clock that is set back", test_clock_set_back },
                            CU_TEST_INFO_NULL };
    return memcached_suite("ceiling", tests);
}
