/* SPDX-License-Identifier: Apache-2.0 */
/* test_code.c: a one-time code is valid for some tries and some minutes, and works once. */
#include "cache/code.h"
#include "memcached.h"
#include "race.h"

#define SECOND APR_USEC_PER_SEC
#define LIFE (180 * SECOND)

static const esign_code_policy_t policy = { .digits = 6, .life = LIFE, .tries = 3, .key = 1 };
static esign_session_record_t record;
static esign_code_session_t session = { .record = &record,
                                        .limits = { .idle = 600 * SECOND, .life = 3600 * SECOND } };
static const esign_keyring_t *keyring;
static apr_time_t now;

/* Loads the session's record, as a request does that begins now. */
static esign_cache_answer_e load(void)
{
    return esign_session_store_load(session.cache, session.key, &session.limits, now, &record,
                                    pool);
}

/* The session's code, issued now if there is no valid one. */
static const char *open_at(apr_time_t at, int resent_wanted)
{
    esign_code_t otp;
    int resent = -1;
    char *code = apr_pcalloc(pool, ESIGN_OTP_MAX_DIGITS + 1);
    CU_ASSERT_EQUAL_FATAL(esign_code_issue(&session, &policy, at, &otp, &resent, pool),
                          ESIGN_CACHE_DONE);
    CU_ASSERT(resent == resent_wanted && otp.sent == at);
    CU_ASSERT(esign_otp_code(keyring, otp.key, session.key, otp.seed, policy.digits, code));
    return code;
}

/* Makes a new session. */
static void begin_session(void)
{
    const char *id;
    session.cache = memcached_client(SCRATCH_KEY_1, "");
    keyring = scratch_keyring(SCRATCH_KEY_1);
    now = apr_time_now();
    CU_ASSERT_EQUAL_FATAL(
        esign_session_store_create(session.cache, "a=1", &session.limits, 0, now, &id, pool),
        ESIGN_CACHE_DONE);
    session.key = esign_session_store_key(id, pool);
    CU_ASSERT_EQUAL_FATAL(load(), ESIGN_CACHE_DONE);
}

/* Makes a new session with a code; returns the code. */
static const char *begin(void)
{
    begin_session();
    return open_at(now, 0);
}

static const char *wrong(const char *code)
{
    char *other = apr_pstrdup(pool, code);
    other[5] = other[5] == '9' ? '0' : (char)(other[5] + 1);
    return other;
}

/* Tries a code, in a request of its own. */
static esign_code_verdict_e try_at(const char *typed, apr_time_t at, int left_wanted)
{
    int left = -1;
    if (load() == ESIGN_CACHE_MISS)
        return ESIGN_CODE_GONE;
    esign_code_verdict_e verdict =
        esign_code_try(&session, keyring, &policy, typed, at, &left, pool);
    if (left_wanted >= 0)
        CU_ASSERT_EQUAL(left, left_wanted);
    return verdict;
}

static esign_code_t get(void)
{
    esign_code_t otp;
    memset(&otp, 0, sizeof(otp));
    CU_ASSERT_FATAL(load() == ESIGN_CACHE_DONE && esign_code_read(&record, &otp, pool));
    return otp;
}

static void test_record(void)
{
    esign_code_t none;
    begin_session();
    CU_ASSERT(!esign_code_read(&record, &none, pool) &&
              try_at("123456", now, -1) == ESIGN_CODE_GONE);
    const char *code = open_at(now, 0);
    esign_code_t otp = get();
    CU_ASSERT(otp.tries_left == 3 && otp.sent == now && otp.expires == now + LIFE &&
              strlen(code) == 6 && strcmp(record.content, "a=1") == 0);
    CU_ASSERT_PTR_NULL(strstr(memcached_raw(session.key), "seed"));
    static const char *const broken[] = { "", "x", "seed=&tries=3",
                                          "seed=AAEC&tries=3&expires=9999999999999999" };
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        record.code = broken[i];
        CU_ASSERT(!esign_code_read(&record, &none, pool));
    }
}

static void test_right(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 2), ESIGN_CODE_WRONG);
    CU_ASSERT_EQUAL(try_at(code, now + LIFE - 1, 1), ESIGN_CODE_RIGHT);
    CU_ASSERT(record.exchanged);
    CU_ASSERT_EQUAL(load(), ESIGN_CACHE_MISS);
    /* The sign-in failed after the right code: the code is valid again, with one try less. */
    record.exchanged = 1;
    CU_ASSERT_EQUAL(
        esign_session_store_restore(session.cache, session.key, &record, &session.limits, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(try_at(code, now, 0), ESIGN_CODE_RIGHT);
    CU_ASSERT_EQUAL(load(), ESIGN_CACHE_MISS);
}

static void test_three_tries(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 2), ESIGN_CODE_WRONG);
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 1), ESIGN_CODE_WRONG);
    CU_ASSERT_EQUAL(try_at(wrong(code), now, 0), ESIGN_CODE_EXHAUSTED);
    CU_ASSERT_EQUAL(try_at(code, now, 0), ESIGN_CODE_EXHAUSTED);
    CU_ASSERT_EQUAL(get().tries_left, 0);
}

static void test_last_try_right(void)
{
    const char *code = begin();
    try_at(wrong(code), now, 2);
    try_at(wrong(code), now, 1);
    CU_ASSERT_EQUAL(try_at(code, now, 0), ESIGN_CODE_RIGHT);
    CU_ASSERT_EQUAL(load(), ESIGN_CACHE_MISS);
}

static void test_expired(void)
{
    const char *code = begin();
    CU_ASSERT_EQUAL(try_at(code, now + LIFE, -1), ESIGN_CODE_GONE);
    CU_ASSERT_EQUAL(get().tries_left, 3);
}

static void test_resent(void)
{
    const char *code = begin();
    esign_session_record_t stale = record;
    try_at(wrong(code), now, 2);
    esign_code_t before = get();
    record = stale; /* a request that began before that try: a try that was counted stays counted */
    CU_ASSERT_STRING_EQUAL(open_at(now + 60 * SECOND, 1), code);
    esign_code_t after = get();
    CU_ASSERT(after.sent == now + 60 * SECOND && after.expires == before.expires &&
              after.tries_left == 2);
    CU_ASSERT(memcmp(after.seed, before.seed, ESIGN_OTP_SEED_SIZE) == 0);
    CU_ASSERT_EQUAL(try_at(code, now + 60 * SECOND, 1), ESIGN_CODE_RIGHT);
}

static void test_next_code(void)
{
    const char *code = begin();
    esign_code_t old = get();
    esign_session_record_t stale = record;
    const char *next = open_at(now + LIFE, 0);
    CU_ASSERT(memcmp(get().seed, old.seed, ESIGN_OTP_SEED_SIZE) != 0 && get().tries_left == 3 &&
              get().expires == now + 2 * LIFE);
    record = stale;
    CU_ASSERT_STRING_EQUAL(open_at(now + LIFE, 1), next); /* another request was faster */
    CU_ASSERT_EQUAL(try_at(code, now + LIFE, 2),
                    ESIGN_CODE_WRONG); /* the old one; one in a million is both */
    CU_ASSERT_EQUAL(try_at(next, now + LIFE, 1), ESIGN_CODE_RIGHT);
}

/* The subscriber signs out while the request runs. */
static void test_ended(void)
{
    const char *code = begin();
    esign_code_t otp;
    int resent, left;
    CU_ASSERT_EQUAL(esign_session_store_delete(session.cache, session.key), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_code_issue(&session, &policy, now, &otp, &resent, pool),
                    ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_code_try(&session, keyring, &policy, code, now, &left, pool),
                    ESIGN_CODE_GONE);
    CU_ASSERT_EQUAL(load(), ESIGN_CACHE_MISS);
}

static void test_other_session(void)
{
    const char *code = begin(), *text;
    CU_ASSERT_EQUAL(load(), ESIGN_CACHE_DONE);
    text = record.code;
    begin_session();
    record.code = text;
    CU_ASSERT_EQUAL(
        esign_session_store_update(session.cache, session.key, &record, &session.limits, now, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(try_at(code, now, 2), ESIGN_CODE_WRONG); /* one in a million is right */
}

static void test_key_of_before(void)
{
    char *code = apr_pstrdup(pool, begin());
    esign_code_policy_t later = policy;
    int left;
    later.key = 2;
    session.cache = memcached_client(SCRATCH_KEY_1 SCRATCH_KEY_2, "");
    const esign_keyring_t *rotated = scratch_keyring(SCRATCH_KEY_1 SCRATCH_KEY_2);
    CU_ASSERT_EQUAL(esign_code_try(&session, rotated, &later, wrong(code), now, &left, pool),
                    ESIGN_CODE_WRONG);
    CU_ASSERT_EQUAL(
        esign_code_try(&session, scratch_keyring(SCRATCH_KEY_2), &later, code, now, &left, pool),
        ESIGN_CODE_GONE); /* its key is retired */
    CU_ASSERT_EQUAL(esign_code_try(&session, rotated, &later, code, now, &left, pool),
                    ESIGN_CODE_RIGHT);
}

static int try_one(void *typed, apr_pool_t *p)
{
    int left;
    esign_session_record_t mine;
    const esign_code_session_t s = {
        .cache = session.cache, .key = session.key, .record = &mine, .limits = session.limits
    };
    esign_cache_answer_e answer =
        esign_session_store_load(s.cache, s.key, &s.limits, now, &mine, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer == ESIGN_CACHE_MISS ? ESIGN_CODE_GONE : ESIGN_CODE_ERROR;
    return esign_code_try(&s, keyring, &policy, typed, now, &left, p);
}

static void test_races(void)
{
    enum { THREADS = 16, ROUNDS = 15 };
    for (int round = 0; round < ROUNDS; round++) {
        char *code = apr_pstrdup(pool, begin());
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_CODE_RIGHT), 1);
        code = apr_pstrdup(pool, wrong(begin()));
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_CODE_WRONG), 2);
        CU_ASSERT_EQUAL(race(THREADS, try_one, code, ESIGN_CODE_EXHAUSTED), THREADS);
    }
}

static void test_down(void)
{
    const char *code = begin();
    esign_code_t otp;
    int resent;
    memcached_stop();
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_CODE_ERROR);
    CU_ASSERT_EQUAL(esign_code_issue(&session, &policy, now, &otp, &resent, pool),
                    ESIGN_CACHE_ERROR);
    memcached_restart(session.cache);
    CU_ASSERT_EQUAL(try_at(code, now, -1), ESIGN_CODE_GONE);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a code is made, and read", test_record },
                            { "the right code works once", test_right },
                            { "three tries and no more", test_three_tries },
                            { "the last try may be right", test_last_try_right },
                            { "an expired code is gone", test_expired },
                            { "a resend keeps code, life and tries", test_resent },
                            { "a new code follows an ended one", test_next_code },
                            { "none without a session", test_ended },
                            { "a code is its session's", test_other_session },
                            { "a code outlives the rotation of its key, and not its retirement",
                              test_key_of_before },
                            { "racing tries are each counted, and one is right", test_races },
                            { "without memcached no code is right", test_down },
                            CU_TEST_INFO_NULL };
    return memcached_suite("otp_store", tests);
}
