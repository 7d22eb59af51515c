/* SPDX-License-Identifier: Apache-2.0 */
/* test_otp_store.c: a one-time code has its tries and its time, and works once. */
#include "memcached.h"
#include "race.h"
#include "store/otp_store.h"

#define SECOND APR_USEC_PER_SEC
#define LIFE (180 * SECOND)

static const esign_otp_policy_t policy = { .digits = 6, .life = LIFE, .tries = 3, .key = 1 };
static esign_cache_t *cache;
static const esign_keyring_t *keyring;
static const char *session;
static apr_time_t now;

/* A fresh session with a code; the code. */
static const char *begin(void)
{
    static int count;
    esign_otp_t otp;
    cache = memcached_client(SCRATCH_KEY_1, "");
    keyring = scratch_keyring(SCRATCH_KEY_1);
    session = apr_psprintf(pool, "session:%d", count++);
    now = apr_time_now();
    char *code = apr_pcalloc(pool, ESIGN_OTP_MAX_DIGITS + 1);
    CU_ASSERT_EQUAL_FATAL(esign_otp_store_open(cache, session, &policy, NULL, now, &otp, pool), ESIGN_CACHE_DONE);
    CU_ASSERT(esign_otp_code(keyring, 1, session, otp.seed, policy.digits, code));
    return code;
}

static const char *wrong(const char *code)
{
    char *other = apr_pstrdup(pool, code);
    other[5] = other[5] == '9' ? '0' : (char)(other[5] + 1);
    return other;
}

static esign_otp_verdict_e try_at(const char *typed, apr_time_t at, int left_wanted)
{
    int left = -1;
    esign_otp_verdict_e verdict = esign_otp_store_try(cache, keyring, session, &policy, typed, at, &left, pool);
    if (left_wanted >= 0)
        CU_ASSERT_EQUAL(left, left_wanted);
    return verdict;
}

static esign_otp_t get(void)
{
    esign_otp_t otp;
    memset(&otp, 0, sizeof(otp));
    CU_ASSERT_EQUAL_FATAL(esign_otp_store_get(cache, session, &otp, pool), ESIGN_CACHE_DONE);
    return otp;
}

static void test_record(void)
{
    const char *code = begin();
    esign_otp_t otp = get(), none;
    CU_ASSERT(otp.tries_left == 3 && otp.sent == now && otp.expires == now + LIFE && strlen(code) == 6);
    CU_ASSERT_EQUAL(esign_otp_store_open(cache, session, &policy, NULL, now, &none, pool), ESIGN_CACHE_MISS);
    CU_ASSERT(get().cas == otp.cas);
    CU_ASSERT_EQUAL(esign_otp_store_get(cache, "session:none", &none, pool), ESIGN_CACHE_MISS);
    int left = memcached_left(esign_cache_key("otp:", session, pool));
    CU_ASSERT(left > 775 && left <= 780);   /* its life and ten minutes */
    CU_ASSERT_PTR_NULL(strstr(memcached_raw(esign_cache_key("otp:", session, pool)), "seed"));
}

static void test_right(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 2), ESIGN_OTP_WRONG);
    CU_ASSERT_EQUAL(try_at(code, now + LIFE - 1, 1), ESIGN_OTP_RIGHT);
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_GONE);
    CU_ASSERT_EQUAL(try_at(wrong(code), now, -1), ESIGN_OTP_GONE);
    session = "session:never";
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_GONE);
}

static void test_three_tries(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 2), ESIGN_OTP_WRONG);
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 1), ESIGN_OTP_WRONG);
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 0), ESIGN_OTP_EXHAUSTED);
    CU_ASSERT_EQUAL(try_at(code, now, 0), ESIGN_OTP_EXHAUSTED);
    CU_ASSERT_EQUAL(get().tries_left, 0);
}

static void test_last_try_right(void)
{
    const char *code = begin();
    try_at(wrong(code), now, 2);
    try_at(wrong(code), now, 1);
    CU_ASSERT_EQUAL(try_at(code, now, 0), ESIGN_OTP_RIGHT);
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_GONE);
}

static void test_expired(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(code, now + LIFE, -1), ESIGN_OTP_GONE);
    CU_ASSERT_EQUAL(get().tries_left, 3);
}

static void test_resent(void)
{
    const char *code = begin();
    esign_otp_t before;
    try_at(wrong(code), now, 2);
    before = get();
    CU_ASSERT_EQUAL(esign_otp_store_resent(cache, session, &before, now + 60 * SECOND, pool), ESIGN_CACHE_DONE);
    esign_otp_t after = get();
    CU_ASSERT(after.sent == now + 60 * SECOND && after.expires == before.expires && after.tries_left == 2);
    CU_ASSERT(memcmp(after.seed, before.seed, ESIGN_OTP_SEED_SIZE) == 0);
    CU_ASSERT_EQUAL(esign_otp_store_resent(cache, session, &before, now + 61 * SECOND, pool), ESIGN_CACHE_MISS);   /* a try that was counted stays counted */
    CU_ASSERT_EQUAL(try_at(code, now + 60 * SECOND, 1), ESIGN_OTP_RIGHT);
}

static void test_next_code(void)
{
    const char *code = begin();
    esign_otp_t old = get(), fresh, late;
    CU_ASSERT_EQUAL(esign_otp_store_open(cache, session, &policy, &old, now + LIFE, &fresh, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_otp_store_open(cache, session, &policy, &old, now + LIFE, &late, pool), ESIGN_CACHE_MISS);
    CU_ASSERT(memcmp(fresh.seed, old.seed, ESIGN_OTP_SEED_SIZE) != 0 && get().tries_left == 3 && get().expires == now + 2 * LIFE);
    CU_ASSERT(memcmp(get().seed, fresh.seed, ESIGN_OTP_SEED_SIZE) == 0);
    CU_ASSERT_EQUAL(try_at(code, now + LIFE, 2), ESIGN_OTP_WRONG);   /* the old one; one in a million is both */
    char next[ESIGN_OTP_MAX_DIGITS + 1];
    CU_ASSERT(esign_otp_code(keyring, 1, session, fresh.seed, policy.digits, next));
    CU_ASSERT_EQUAL(try_at(next, now + LIFE, 1), ESIGN_OTP_RIGHT);
}

static void test_other_session(void)
{
    const char *code = begin(), *first = session;
    esign_otp_t otp;
    session = apr_pstrcat(pool, first, "-other", NULL);
    memcached_put(esign_cache_key("otp:", session, pool), memcached_raw(esign_cache_key("otp:", first, pool)));
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_ERROR);
    CU_ASSERT_EQUAL(esign_otp_store_get(cache, session, &otp, pool), ESIGN_CACHE_ERROR);
}

static void test_key_of_before(void)
{
    char *code = apr_pstrdup(pool, begin());
    esign_otp_policy_t later = policy;
    int left;
    later.key = 2;
    cache = memcached_client(SCRATCH_KEY_1 SCRATCH_KEY_2, "");
    const esign_keyring_t *rotated = scratch_keyring(SCRATCH_KEY_1 SCRATCH_KEY_2);
    CU_ASSERT_EQUAL(esign_otp_store_try(cache, rotated, session, &later, wrong(code), now, &left, pool), ESIGN_OTP_WRONG);
    CU_ASSERT_EQUAL(esign_otp_store_try(cache, scratch_keyring(SCRATCH_KEY_2), session, &later, code, now, &left, pool), ESIGN_OTP_GONE);   /* its key is retired */
    CU_ASSERT_EQUAL(esign_otp_store_try(cache, rotated, session, &later, code, now, &left, pool), ESIGN_OTP_RIGHT);
}

static int try_one(void *typed, apr_pool_t *p)
{
    int left;
    return esign_otp_store_try(cache, keyring, session, &policy, typed, now, &left, p);
}

static void test_races(void)
{
    enum { THREADS = 16, ROUNDS = 15 };
    for (int round = 0; round < ROUNDS; round++) {
        char *code = apr_pstrdup(pool, begin());
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_OTP_RIGHT), 1);
        code = apr_pstrdup(pool, wrong(begin()));
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_OTP_WRONG), 2);
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_OTP_EXHAUSTED), THREADS);
    }
}

static void test_down(void)
{
    const char *code = begin();
    esign_otp_t otp = get();
    memcached_stop();
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_ERROR);
    CU_ASSERT_EQUAL(esign_otp_store_get(cache, session, &otp, pool), ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(esign_otp_store_open(cache, session, &policy, NULL, now, &otp, pool), ESIGN_CACHE_ERROR);
    memcached_restart(cache);
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_OTP_GONE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a record is opened once and remembered", test_record },
        { "the right code works once", test_right },
        { "three tries and no more", test_three_tries },
        { "the last try may be right", test_last_try_right },
        { "an expired code is gone", test_expired },
        { "a resend keeps code, life and tries", test_resent },
        { "a new code follows an ended one", test_next_code },
        { "a code is its session's", test_other_session },
        { "a code outlives the rotation of its key, and not its retirement", test_key_of_before },
        { "racing tries are each counted, and one is right", test_races },
        { "without memcached no code is right", test_down },
        CU_TEST_INFO_NULL
    };
    return memcached_suite("otp_store", tests);
}
