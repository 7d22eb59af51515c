/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c: records of sessions last as long as their limits, and do not come back. */
#include "cache/session.h"
#include "memcached.h"

#define MINUTE apr_time_from_sec(60)

static const esign_session_limits_t limits = { .idle = 10 * MINUTE, .life = 60 * MINUTE };
static esign_cache_t *cache;

/* Stores a new record; returns its key. */
static const char *create(apr_time_t created, apr_time_t now)
{
    const char *id = NULL;
    CU_ASSERT_FATAL(esign_session_store_create(cache, "a=1&b=%20", &limits, created, now, &id,
                                               pool) == ESIGN_CACHE_DONE &&
                    id != NULL);
    CU_ASSERT(esign_session_store_well_formed(id) && strlen(id) == ESIGN_SESSION_ID_LENGTH &&
              memcached_left(id) == -2);
    return esign_session_store_key(id, pool);
}

static esign_session_record_t load(const char *key)
{
    esign_session_record_t record = { 0 };
    CU_ASSERT_EQUAL_FATAL(
        esign_session_store_load(cache, key, &limits, apr_time_now(), &record, pool),
        ESIGN_CACHE_DONE);
    return record;
}

static esign_cache_answer_e look(const char *key)
{
    esign_session_record_t record;
    return esign_session_store_load(cache, key, &limits, apr_time_now(), &record, pool);
}

/* Whether memcached deletes the record after so many seconds. */
static int ends(const char *key, int seconds)
{
    int left = memcached_left(key);
    return left >= seconds - 3 && left <= seconds;
}

static void test_life(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const char *key = create(0, now), *other = create(0, now);
    CU_ASSERT_STRING_NOT_EQUAL(key, other);
    esign_session_record_t record = load(key);
    CU_ASSERT(strcmp(record.content, "a=1&b=%20") == 0 && record.created == now &&
              record.seen == now);
    CU_ASSERT_PTR_NULL(strstr(memcached_raw(key), "a=1"));
    CU_ASSERT_EQUAL(
        look(esign_session_store_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", pool)),
        ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_session_store_delete(cache, key), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_session_store_delete(cache, key), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(key), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(other), ESIGN_CACHE_DONE);
}

static void test_ends(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    CU_ASSERT(ends(create(0, now), 600));
    CU_ASSERT(ends(create(now - 50 * MINUTE, now), 600));
    const char *old = create(now - 55 * MINUTE, now); /* the age counts on under a new id */
    CU_ASSERT(ends(old, 300));
    CU_ASSERT_EQUAL(load(old).created, now - 55 * MINUTE);
    const char *over = create(now - 61 * MINUTE, now);
    CU_ASSERT(memcached_left(over) <= 1 && memcached_left(over) != -1);
}

/* The limits hold although memcached still has the record: a program that writes to memcached
 * cannot prolong a session. */
static void test_ended_though_kept(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const struct {
        apr_time_t created, seen, asked;
        esign_cache_answer_e answer;
    } rows[] = {
        { now, now, now + 10 * MINUTE - 1, ESIGN_CACHE_DONE },
        { now, now, now + 10 * MINUTE, ESIGN_CACHE_MISS },
        { now - 55 * MINUTE, now, now + 5 * MINUTE - 1, ESIGN_CACHE_DONE },
        { now - 55 * MINUTE, now, now + 5 * MINUTE, ESIGN_CACHE_MISS },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        esign_session_record_t record;
        const char *key = create(rows[i].created, rows[i].seen);
        CU_ASSERT_EQUAL(esign_session_store_load(cache, key, &limits, rows[i].asked, &record, pool),
                        rows[i].answer);
    }
}

static void test_touch(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const char *key = create(now - 56 * MINUTE, now - 5 * MINUTE);
    CU_ASSERT(ends(key, 240));
    key = create(now - 20 * MINUTE, now - 5 * MINUTE);
    CU_ASSERT(ends(key, 300));
    esign_session_record_t record = load(key), before = record;
    CU_ASSERT_EQUAL(
        esign_session_store_touch(cache, key, &record, &limits, record.seen + MINUTE - 1, pool),
        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(load(key).cas, record.cas); /* nothing written */
    CU_ASSERT_EQUAL(esign_session_store_touch(cache, key, &record, &limits, now, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(ends(key, 600));
    esign_session_record_t touched = load(key);
    CU_ASSERT(touched.seen == now && touched.created == record.created &&
              strcmp(touched.content, record.content) == 0);
    CU_ASSERT_EQUAL(esign_session_store_touch(cache, key, &before, &limits, now, pool),
                    ESIGN_CACHE_MISS); /* it was changed meanwhile */

    esign_session_limits_t short_idle = { .idle = MINUTE, .life = 60 * MINUTE }; /* a tenth: 6 s */
    CU_ASSERT_EQUAL(esign_session_store_touch(cache, key, &touched, &short_idle,
                                              now + apr_time_from_sec(6) - 1, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(load(key).cas, touched.cas);
    CU_ASSERT_EQUAL(esign_session_store_touch(cache, key, &touched, &short_idle,
                                              now + apr_time_from_sec(6), pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(load(key).cas != touched.cas);
}

static void test_update(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const char *key = create(now - 55 * MINUTE, now - MINUTE);
    esign_session_record_t record = load(key), late = record;
    CU_ASSERT(record.code == NULL);
    record.content = "c=2";
    record.code = "seed=x&tries=3";
    CU_ASSERT_EQUAL(esign_session_store_update(cache, key, &record, &limits, now, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(strcmp(load(key).content, "c=2") == 0 &&
              strcmp(load(key).code, "seed=x&tries=3") == 0);
    CU_ASSERT(load(key).created == now - 55 * MINUTE && load(key).seen == now);
    CU_ASSERT(ends(key, 300));
    late.content = "d=3";
    CU_ASSERT_EQUAL(esign_session_store_update(cache, key, &late, &limits, now, pool),
                    ESIGN_CACHE_MISS);
    CU_ASSERT_STRING_EQUAL(load(key).content, "c=2");
}

/* An exchanged record is not loaded any more, but can be restored. */
static void test_exchange(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const char *key = create(now - 55 * MINUTE, now);
    esign_session_record_t record = load(key), late = record;
    CU_ASSERT_EQUAL(esign_session_store_exchange(cache, key, &record, &limits, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(record.exchanged && look(key) == ESIGN_CACHE_MISS && ends(key, 300));
    CU_ASSERT_EQUAL(esign_session_store_load(cache, key, NULL, now, &late, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_session_store_restore(cache, key, &record, &limits, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(!record.exchanged && load(key).created == now - 55 * MINUTE &&
              load(key).seen == now && ends(key, 300));
    /* Of two requests one exchanges it. */
    late = record = load(key);
    CU_ASSERT_EQUAL(esign_session_store_exchange(cache, key, &record, &limits, pool),
                    ESIGN_CACHE_DONE);
    CU_ASSERT(esign_session_store_exchange(cache, key, &late, &limits, pool) == ESIGN_CACHE_MISS &&
              !late.exchanged);
    /* A session that was signed out meanwhile is not restored. */
    CU_ASSERT_EQUAL(esign_session_store_delete(cache, key), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_session_store_restore(cache, key, &record, &limits, pool),
                    ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(key), ESIGN_CACHE_MISS);
}

/* A request that read the record before a sign-out does not bring it back after it. */
static void test_stays_dead(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    apr_time_t now = apr_time_now();
    const char *key = create(0, now - 2 * MINUTE);
    esign_session_record_t record = load(key);
    esign_session_store_delete(cache, key);
    CU_ASSERT_EQUAL(esign_session_store_touch(cache, key, &record, &limits, now, pool),
                    ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_session_store_update(cache, key, &record, &limits, now, pool),
                    ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(key), ESIGN_CACHE_MISS);
}

static void test_exchanged(void)
{
    cache = memcached_client(SCRATCH_KEY_1, "");
    const char *mine = create(0, apr_time_now()), *other = create(0, apr_time_now());
    memcached_put(mine, memcached_raw(other));
    CU_ASSERT_EQUAL(look(mine), ESIGN_CACHE_ERROR);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a record is made, found and deleted", test_life },
        { "idle time and age end it", test_ends },
        { "idle time and age end it though memcached keeps it", test_ended_though_kept },
        { "a touch renews the idle time, rarely", test_touch },
        { "an update keeps the age", test_update },
        { "one is exchanged once, and comes back only if what followed failed", test_exchange },
        { "a deleted record stays dead", test_stays_dead },
        { "a record is found under its own id alone", test_exchanged },
        CU_TEST_INFO_NULL
    };
    return memcached_suite("session_store", tests);
}
