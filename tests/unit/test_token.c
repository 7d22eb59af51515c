/* SPDX-License-Identifier: Apache-2.0 */
/* test_token.c: reset tokens and challenges work once. */
#include "cache/token.h"
#include "memcached.h"
#include "race.h"

#define MINUTE apr_time_from_sec(60)

static esign_cache_t *cache;

static const char *issue(const esign_token_grant_t *grant)
{
    const char *token = NULL;
    CU_ASSERT_FATAL(esign_token_issue(cache, grant, &token, pool) == ESIGN_CACHE_DONE &&
                    token != NULL);
    CU_ASSERT(esign_token_well_formed(token));
    return token;
}

static esign_cache_answer_e look(const char *token, esign_token_grant_t *grant)
{
    *grant = (esign_token_grant_t){ 0 };
    return esign_token_read(cache, token, grant, pool);
}

static void test_form(void)
{
    CU_ASSERT(esign_token_well_formed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx-_Hh8"));
    CU_ASSERT(!esign_token_well_formed(""));
    CU_ASSERT(!esign_token_well_formed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"));
    CU_ASSERT(!esign_token_well_formed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A"));
    CU_ASSERT(!esign_token_well_formed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh="));
    CU_ASSERT(!esign_token_well_formed("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\nx"));
}

static void test_life(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    esign_token_grant_t grant = { .subscriber = APR_INT64_MAX,
                                  .link_epoch = 12,
                                  .expires = apr_time_now() + 30 * MINUTE },
                        seen;
    const char *token = issue(&grant), *other = issue(&grant),
               *key = esign_cache_key("reset:", token, pool);
    CU_ASSERT_STRING_NOT_EQUAL(token, other);
    CU_ASSERT_EQUAL(look("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", &seen), ESIGN_CACHE_MISS);
    for (int i = 0; i < 3; i++) { /* reading does not use it up */
        CU_ASSERT_EQUAL(look(token, &seen), ESIGN_CACHE_DONE);
        CU_ASSERT(seen.subscriber == grant.subscriber && seen.link_epoch == 12 &&
                  seen.expires == grant.expires);
    }
    int left = memcached_left(key);
    CU_ASSERT(left > 1795 && left <= 1800);
    CU_ASSERT_EQUAL(memcached_left(token), -2); /* it is stored under its hash only */

    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(token, &seen), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(other, &seen), ESIGN_CACHE_DONE);
}

static void test_restore(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    esign_token_grant_t grant = { .subscriber = 17,
                                  .link_epoch = 3,
                                  .expires = apr_time_now() + 10 * MINUTE },
                        seen;
    const char *token = issue(&grant);
    CU_ASSERT_EQUAL(esign_token_restore(cache, token, &grant, pool),
                    ESIGN_CACHE_MISS); /* it is there */
    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_token_restore(cache, token, &grant, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(look(token, &seen), ESIGN_CACHE_DONE);
    CU_ASSERT(seen.subscriber == 17 && seen.link_epoch == 3 && seen.expires == grant.expires);
    int left = memcached_left(esign_cache_key("reset:", token, pool));
    CU_ASSERT(left > 595 && left <= 600); /* its expiry is the old one */
    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_DONE);
}

static int claim(void *token, apr_pool_t *p)
{
    return esign_token_claim(cache, token, p);
}

static int use(void *challenge, apr_pool_t *p)
{
    return esign_token_use_challenge(cache, challenge, apr_time_now() + 5 * MINUTE, p);
}

static void test_races(void)
{
    enum { THREADS = 24, ROUNDS = 20 };
    cache = memcached_client(SCRATCH_KEY_1, "");
    esign_token_grant_t grant = { .subscriber = 17,
                                  .link_epoch = 1,
                                  .expires = apr_time_now() + 10 * MINUTE };
    for (int round = 0; round < ROUNDS; round++) {
        char *token = apr_pstrdup(pool, issue(&grant)),
             *challenge = apr_psprintf(pool, "race %d", round);
        CU_ASSERT_EQUAL(race(THREADS, claim, token, ESIGN_CACHE_DONE), 1);
        CU_ASSERT_EQUAL(race(THREADS, claim, token, ESIGN_CACHE_MISS), THREADS);
        CU_ASSERT_EQUAL(race(THREADS, use, challenge, ESIGN_CACHE_DONE), 1);
    }
}

static void test_challenge(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t expires = apr_time_now() + 5 * MINUTE;
    CU_ASSERT_EQUAL(esign_token_use_challenge(cache, "picture", expires, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_token_use_challenge(cache, "picture", expires, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_token_use_challenge(cache, "another", expires, pool), ESIGN_CACHE_DONE);
    int left = memcached_left(esign_cache_key("captcha:", "picture", pool));
    CU_ASSERT(left >= 299 && left <= 302); /* not before the challenge itself ends */
}

/* A token does not open the value of another one, even when a program swaps them in memcached. */
static void test_moved(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    esign_token_grant_t mine = { .subscriber = 1,
                                 .link_epoch = 1,
                                 .expires = apr_time_now() + 10 * MINUTE },
                        other = mine, seen;
    other.subscriber = 2;
    const char *own = issue(&mine), *foreign = issue(&other);
    memcached_put(esign_cache_key("reset:", own, pool),
                  memcached_raw(esign_cache_key("reset:", foreign, pool)));
    CU_ASSERT_EQUAL(look(own, &seen), ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(look(foreign, &seen), ESIGN_CACHE_DONE);
}

static void test_down(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    esign_token_grant_t grant = { .subscriber = 17,
                                  .link_epoch = 1,
                                  .expires = apr_time_now() + 10 * MINUTE },
                        seen;
    const char *token = issue(&grant), *none;
    memcached_stop();
    CU_ASSERT_EQUAL(look(token, &seen), ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(esign_token_use_challenge(cache, "down", grant.expires, pool),
                    ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(esign_token_issue(cache, &grant, &none, pool), ESIGN_CACHE_ERROR);
    memcached_restart(cache);
    CU_ASSERT_EQUAL(esign_token_claim(cache, token, pool), ESIGN_CACHE_MISS);
}

int main(void)
{
    CU_TestInfo tests[] = { { "the form of a token", test_form },
                            { "a token is looked at, then claimed once", test_life },
                            { "a claimed token is put back", test_restore },
                            { "of racing claims exactly one wins", test_races },
                            { "a challenge is used once", test_challenge },
                            { "a token stands for its own grant alone", test_moved },
                            { "without memcached nothing is claimed", test_down },
                            CU_TEST_INFO_NULL };
    return memcached_suite("token", tests);
}
