/* SPDX-License-Identifier: Apache-2.0 */
/* test_breaker.c: a server that fails is not used, then tried by one message at a time, and used
 * again when it answers. */
#include "deliver/breaker.h"
#include "suite.h"

#define SECOND APR_USEC_PER_SEC
#define NOW (1000000 * SECOND)

static void test_trips(void)
{
    esign_breaker_t breaker = { 0, 0 };
    CU_ASSERT(esign_breaker_may_try(&breaker, 63, NOW));
    CU_ASSERT(!esign_breaker_failed(&breaker, NOW));
    CU_ASSERT(!esign_breaker_failed(&breaker, NOW + 1));
    CU_ASSERT(esign_breaker_may_try(&breaker, 63, NOW + 1));
    CU_ASSERT(esign_breaker_failed(&breaker, NOW + 2));
    CU_ASSERT(!esign_breaker_may_try(&breaker, 0, NOW + 2));
    CU_ASSERT(breaker.until >= NOW + 2 + SECOND * 16 / 10 &&
              breaker.until <= NOW + 2 + SECOND * 24 / 10);
    CU_ASSERT(!esign_breaker_may_try(&breaker, 0, breaker.until - 1));
}

static void test_answers_between(void)
{
    esign_breaker_t breaker = { 0, 0 };
    for (int i = 0; i < 20; i++) {
        CU_ASSERT(!esign_breaker_failed(&breaker, NOW));
        CU_ASSERT(!esign_breaker_failed(&breaker, NOW));
        CU_ASSERT(!esign_breaker_worked(&breaker));
    }
    CU_ASSERT(esign_breaker_may_try(&breaker, 9, NOW));
}

static void test_one_finds_out(void)
{
    esign_breaker_t breaker = { 0, 0 };
    for (int i = 0; i < 3; i++)
        esign_breaker_failed(&breaker, NOW);
    apr_time_t until = breaker.until;
    CU_ASSERT(esign_breaker_may_try(&breaker, 0, until));
    CU_ASSERT(!esign_breaker_may_try(&breaker, 1, until));
    CU_ASSERT(esign_breaker_worked(&breaker));
    CU_ASSERT(esign_breaker_may_try(&breaker, 63, until));
    CU_ASSERT(!esign_breaker_failed(&breaker, until)); /* the count begins again */
    CU_ASSERT(esign_breaker_may_try(&breaker, 63, until));
}

static void test_late_news(void)
{
    esign_breaker_t breaker = { 0, 0 };
    for (int i = 0; i < 3; i++)
        esign_breaker_failed(&breaker, NOW);
    esign_breaker_t before = breaker;
    CU_ASSERT(!esign_breaker_failed(&breaker, NOW + 1));
    CU_ASSERT(breaker.until == before.until && breaker.failures == before.failures);
}

static void test_pauses_grow(void)
{
    esign_breaker_t breaker = { 0, 0 };
    apr_time_t now = NOW;
    apr_interval_time_t last = 0;
    int different = 0;
    for (int i = 0; i < 3; i++)
        esign_breaker_failed(&breaker, now);
    for (apr_interval_time_t expected = 2 * SECOND; now < NOW + 3600 * SECOND;) {
        apr_interval_time_t pause = breaker.until - now;
        CU_ASSERT(pause >= expected * 4 / 5 && pause <= expected * 6 / 5);
        if (expected == 60 * SECOND && last != 0 && pause != last)
            different++;
        last = expected == 60 * SECOND ? pause : 0;
        now = breaker.until;
        CU_ASSERT(!esign_breaker_failed(&breaker, now)); /* the breaker was open already */
        expected = expected * 2 > 60 * SECOND ? 60 * SECOND : expected * 2;
    }
    CU_ASSERT(different > 10);
}

int main(void)
{
    CU_TestInfo tests[] = { { "three failures in a row open the breaker", test_trips },
                            { "an answer in between begins the count again", test_answers_between },
                            { "after a pause one message finds out", test_one_finds_out },
                            { "failures of earlier messages do not count", test_late_news },
                            { "pauses double, to a minute at most", test_pauses_grow },
                            CU_TEST_INFO_NULL };
    return suite_run("breaker", tests);
}
