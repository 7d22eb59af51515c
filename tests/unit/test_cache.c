/* SPDX-License-Identifier: Apache-2.0 */
/* test_cache.c: answers of memcached, also when it is slow, full, down or back. */
#include "memcached.h"
#include "race.h"

#define LATER (apr_time_now() + apr_time_from_sec(600))

/* The value, or a word for the answer. */
static const char *get(esign_cache_t *cache, const char *key)
{
    char *value = NULL;
    esign_cache_answer_e answer = esign_cache_get(cache, key, &value, NULL, pool);
    return answer == ESIGN_CACHE_DONE   ? value
           : answer == ESIGN_CACHE_MISS ? "(missed)"
                                        : esign_cache_error(pool);
}

static esign_cache_answer_e look(esign_cache_t *cache, const char *key)
{
    char *value;
    return esign_cache_get(cache, key, &value, NULL, pool);
}

/* Stores a value, whether the key exists or not. */
static esign_cache_answer_e set(esign_cache_t *cache, const char *key, const char *value,
                                apr_time_t expires, apr_pool_t *p)
{
    esign_cache_answer_e answer = esign_cache_add(cache, key, value, expires, p);
    return answer == ESIGN_CACHE_MISS ? esign_cache_replace(cache, key, value, expires, p) : answer;
}

static void test_verbs(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    CU_ASSERT_EQUAL(look(cache, "verbs"), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_cache_replace(cache, "verbs", "none", LATER, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(cache, "verbs"), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_cache_add(cache, "verbs", "first", LATER, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_cache_add(cache, "verbs", "second", LATER, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_STRING_EQUAL(get(cache, "verbs"), "first");
    CU_ASSERT_EQUAL(esign_cache_replace(cache, "verbs", "", LATER, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_STRING_EQUAL(get(cache, "verbs"), "");
    CU_ASSERT_EQUAL(set(cache, "verbs", "set", LATER, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_STRING_EQUAL(get(cache, "verbs"), "set");
    CU_ASSERT_EQUAL(esign_cache_delete(cache, "verbs"), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_cache_delete(cache, "verbs"), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(cache, "verbs"), ESIGN_CACHE_MISS);
}

static void test_cas(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, ""),
                  *other = memcached_client(SCRATCH_KEY_1, "");
    char *value;
    apr_uint64_t seen = 0, later = 0;
    CU_ASSERT_EQUAL(esign_cache_cas(cache, "cas", "none", LATER, 1, pool), ESIGN_CACHE_MISS);
    esign_cache_add(cache, "cas", "one", LATER, pool);
    CU_ASSERT_EQUAL(esign_cache_get(cache, "cas", &value, &seen, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_cache_cas(other, "cas", "two", LATER, seen, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_cache_cas(cache, "cas", "three", LATER, seen, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(esign_cache_get(cache, "cas", &value, &later, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_STRING_EQUAL(value, "two");
    CU_ASSERT(seen != later);
    esign_cache_delete(cache, "cas");
    CU_ASSERT_EQUAL(esign_cache_cas(cache, "cas", "four", LATER, later, pool), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(cache, "cas"), ESIGN_CACHE_MISS);
}

static void test_expiry(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    static const struct {
        apr_int64_t ahead; /* milliseconds */
        int low, high;     /* seconds that memcached may then say; its clock ticks once a second */
    } lives[] = { { 600000, 599, 600 },
                  { 1500, 1, 2 },
                  { 1000, 0, 1 },
                  { 1, 0, 1 },
                  { 0, 0, 1 },
                  { -5000, 0, 1 },
                  { -3000000000000, 0, 1 },
                  { 29 * 86400000LL, 29 * 86400 - 2, 29 * 86400 },
                  { 40 * 86400000LL, 40 * 86400 - 2, 40 * 86400 + 1 } };
    for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
        const char *key = apr_psprintf(pool, "expiry-%d", (int)i);
        CU_ASSERT_EQUAL(set(cache, key, "x", apr_time_now() + lives[i].ahead * 1000, pool),
                        ESIGN_CACHE_DONE);
        int left = memcached_left(key);
        CU_ASSERT((left >= lives[i].low && left <= lives[i].high) ||
                  (lives[i].low == 0 && left == -2));
    }
    for (int tries = 0; tries < 300 && look(cache, "expiry-3") == ESIGN_CACHE_DONE; tries++)
        usleep(10000);
    CU_ASSERT_EQUAL(look(cache, "expiry-3"), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(look(cache, "expiry-0"), ESIGN_CACHE_DONE);
}

static void test_sealed(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, ""),
                  *foreign = memcached_client(SCRATCH_KEY_2, ""),
                  *both = memcached_client(SCRATCH_KEY_1 SCRATCH_KEY_2, "");
    set(cache, "sealed-a", "subscriber=17", LATER, pool);
    const char *raw = memcached_raw("sealed-a");
    CU_ASSERT(strlen(raw) > 13 && strstr(raw, "subscriber") == NULL);
    memcached_put("sealed-b", raw);
    CU_ASSERT_EQUAL(look(cache, "sealed-b"), ESIGN_CACHE_ERROR);
    CU_ASSERT_STRING_EQUAL(esign_cache_error(pool), "a value cannot be unsealed");
    memcached_put("sealed-a", "subscriber=18");
    CU_ASSERT_EQUAL(look(cache, "sealed-a"), ESIGN_CACHE_ERROR);
    memcached_put("sealed-a", "");
    CU_ASSERT_EQUAL(look(cache, "sealed-a"), ESIGN_CACHE_ERROR);
    memcached_put("sealed-a", raw);
    CU_ASSERT_STRING_EQUAL(get(cache, "sealed-a"), "subscriber=17");
    CU_ASSERT_STRING_EQUAL(get(both, "sealed-a"), "subscriber=17");
    CU_ASSERT_EQUAL(look(foreign, "sealed-a"), ESIGN_CACHE_ERROR);
}

static void test_key(void)
{
    /* SHA-256 of "abc", FIPS 180-2, as base64url */
    CU_ASSERT_STRING_EQUAL(esign_cache_key("reset:", "abc", pool),
                           "reset:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

static void test_down_and_back(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    char *value;
    apr_uint64_t seen = 0;
    set(cache, "down", "x", LATER, pool);
    CU_ASSERT_EQUAL(esign_cache_get(cache, "down", &value, &seen, pool), ESIGN_CACHE_DONE);
    memcached_stop();
    for (int round = 0; round < 3; round++) {
        CU_ASSERT_EQUAL(look(cache, "down"), ESIGN_CACHE_ERROR);
        CU_ASSERT_EQUAL(esign_cache_add(cache, "other", "x", LATER, pool), ESIGN_CACHE_ERROR);
        CU_ASSERT_EQUAL(set(cache, "down", "x", LATER, pool), ESIGN_CACHE_ERROR);
        CU_ASSERT_EQUAL(esign_cache_replace(cache, "down", "x", LATER, pool), ESIGN_CACHE_ERROR);
        CU_ASSERT_EQUAL(esign_cache_cas(cache, "down", "x", LATER, seen, pool), ESIGN_CACHE_ERROR);
        CU_ASSERT_EQUAL(esign_cache_delete(cache, "down"), ESIGN_CACHE_ERROR);
    }
    CU_ASSERT_STRING_NOT_EQUAL(esign_cache_error(pool), "no error");
    memcached_restart(cache);
    CU_ASSERT_EQUAL(esign_cache_add(cache, "other", "y", LATER, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(look(cache, "down"), ESIGN_CACHE_MISS);
    CU_ASSERT_STRING_EQUAL(get(cache, "other"), "y");
}

static int get_some(void *cache, apr_pool_t *p)
{
    int errors = 0;
    char *value;
    for (int i = 0; i < 50; i++)
        errors += esign_cache_get(cache, "unseen", &value, NULL, p) == ESIGN_CACHE_ERROR;
    return errors;
}

static int set_one(void *cache, apr_pool_t *p)
{
    return set(cache, "unseen", "z", LATER, p);
}

/* memcached restarts while no connection is used: a read does not fail, and after it no other
 * connection does. */
static void test_restarted_unseen(void)
{
    enum { THREADS = 8 };
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    set(cache, "unseen", "x", LATER, pool);
    CU_ASSERT_EQUAL(race(THREADS, get_some, cache, 0), THREADS); /* opens them all */
    memcached_stop();
    CU_ASSERT_FATAL(memcached_start());
    CU_ASSERT_EQUAL(look(cache, "unseen"), ESIGN_CACHE_MISS);
    CU_ASSERT_EQUAL(set(cache, "unseen", "y", LATER, pool), ESIGN_CACHE_DONE);
    CU_ASSERT_STRING_EQUAL(get(cache, "unseen"), "y");
    CU_ASSERT_EQUAL(race(THREADS, set_one, cache, ESIGN_CACHE_DONE), THREADS);
}

/* memcached hangs: no answer in time is an error, and a late answer is never read as the answer to
 * a later request. */
static void test_hanging(void)
{
    esign_cache_t *cache = memcached_client(
        SCRATCH_KEY_1, "--POLL-TIMEOUT=100 --RCV-TIMEOUT=100000 --SND-TIMEOUT=100000");
    set(cache, "hang-a", "a", LATER, pool);
    set(cache, "hang-b", "b", LATER, pool);
    kill(memcached_pid, SIGSTOP);
    CU_ASSERT_EQUAL(waitpid(memcached_pid, NULL, WUNTRACED), memcached_pid);
    apr_time_t from = apr_time_now();
    esign_cache_answer_e got = look(cache, "hang-a"),
                         deleted = esign_cache_delete(cache, "hang-none");
    apr_time_t took = apr_time_now() - from;
    kill(memcached_pid, SIGCONT);
    CU_ASSERT_EQUAL(got, ESIGN_CACHE_ERROR);
    CU_ASSERT_EQUAL(deleted, ESIGN_CACHE_ERROR);
    CU_ASSERT(took < apr_time_from_sec(3));
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_STRING_EQUAL(get(cache, "hang-b"), "b");
        CU_ASSERT_STRING_EQUAL(get(cache, "hang-a"), "a");
        CU_ASSERT_EQUAL(look(cache, "hang-none"), ESIGN_CACHE_MISS);
    }
}

/* A full memcached that may not evict is an error, and loses no stored value. */
static void test_full(void)
{
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    char *large = apr_palloc(pool, 500001);
    int stored = 0;
    memset(large, 'x', 500000);
    large[500000] = '\0';
    set(cache, "full-first", "kept", LATER, pool);
    while (stored < 60 && esign_cache_add(cache, apr_psprintf(pool, "full-%d", stored), large,
                                          LATER, pool) == ESIGN_CACHE_DONE)
        stored++;
    CU_ASSERT(stored > 2 && stored < 60);
    CU_ASSERT_EQUAL(esign_cache_add(cache, "full-more", large, LATER, pool), ESIGN_CACHE_ERROR);
    CU_ASSERT_STRING_EQUAL(get(cache, "full-first"), "kept");
    for (int i = 0; i < stored; i++)
        CU_ASSERT_EQUAL(esign_cache_delete(cache, apr_psprintf(pool, "full-%d", i)),
                        ESIGN_CACHE_DONE);
    CU_ASSERT_EQUAL(esign_cache_add(cache, "full-more", large, LATER, pool), ESIGN_CACHE_DONE);
    esign_cache_delete(cache, "full-more");
}

/* One of many threads at few connections, until the clock's next second has begun. */
static int get_for_long(void *cache, apr_pool_t *p)
{
    apr_time_t end = apr_time_now() + apr_time_from_msec(1200);
    while (apr_time_now() < end) {
        char *value;
        if (esign_cache_get(cache, "crowd", &value, NULL, p) != ESIGN_CACHE_DONE)
            return 0;
        apr_pool_clear(p);
    }
    return 1;
}

static void test_crowd(void)
{
    enum { THREADS = 24 };
    esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, "");
    set(cache, "crowd", "x", LATER, pool);
    CU_ASSERT_EQUAL(race(THREADS, get_for_long, cache, 1), THREADS);
}

/* Options that make libmemcached report success without an answer have no effect. */
static void test_answers_whatever_the_options(void)
{
    static const char *const options[] = { "--NOREPLY", "--BUFFER-REQUESTS", "--BINARY-PROTOCOL",
                                           "--NOREPLY --BINARY-PROTOCOL" };
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        esign_cache_t *cache = memcached_client(SCRATCH_KEY_1, options[i]);
        CU_ASSERT_EQUAL(esign_cache_delete(cache, "option"), ESIGN_CACHE_MISS);
        CU_ASSERT_EQUAL(esign_cache_add(cache, "option", "x", LATER, pool), ESIGN_CACHE_DONE);
        CU_ASSERT_EQUAL(esign_cache_add(cache, "option", "y", LATER, pool), ESIGN_CACHE_MISS);
        CU_ASSERT_STRING_EQUAL(get(cache, "option"), "x");
        CU_ASSERT_EQUAL(esign_cache_delete(cache, "option"), ESIGN_CACHE_DONE);
    }
}

static void refuse(const char *configuration, const char *detail)
{
    esign_result_t result = esign_cache_check(configuration, pool);
    CU_ASSERT_FATAL(esign_failed(result));
    CU_ASSERT(result.status == APR_EINVAL && strstr(result.detail, detail) != NULL);
}

static void test_check(void)
{
    CU_ASSERT(!esign_failed(esign_cache_check("--SERVER=127.0.0.1:11211", pool)));
    CU_ASSERT(!esign_failed(esign_cache_check("--SOCKET=\"/run/memcached/memcached.sock\"", pool)));
    CU_ASSERT(!esign_failed(esign_cache_check("--SERVER=a.example --SERVER=b.example:11212 "
                                              "--DISTRIBUTION=CONSISTENT --CONNECT-TIMEOUT=200",
                                              pool)));
    refuse("", "no server");
    refuse("localhost", "no server");
    refuse("--POOL-MIN=1", "no server");
    refuse("--SERVER=a.example --NO-SUCH-OPTION", "configuration string");
    refuse("--SERVER=a.example --REMOVE-FAILED-SERVERS", "--REMOVE-FAILED-SERVERS");
    refuse("--SERVER=a.example --REMOVE_FAILED_SERVERS", "--REMOVE_FAILED_SERVERS");
    refuse("--SERVER=a.example --remove-failed-servers", "--REMOVE-FAILED-SERVERS");
    refuse("--SERVER=a.example --NUMBER-OF-REPLICAS=1", "--NUMBER-OF-REPLICAS");
    refuse("--SERVER=a.example --SERVER-FAILURE-LIMIT=3", "--SERVER-FAILURE-LIMIT");
    refuse("--SERVER=a.example --USE-UDP", "--USE-UDP");
    refuse("--SERVER=a.example --DISTRIBUTION=RANDOM", "RANDOM");
    refuse("--SERVER=a.example --NOREPLY", "--NOREPLY");
    refuse("--SERVER=a.example --BUFFER-REQUESTS", "--BUFFER-REQUESTS");
    refuse("--SERVER=a.example --CONFIGURE-FILE=\"/etc/other\"", "--CONFIGURE-FILE");
    refuse("--SERVER=a.example INCLUDE \"/etc/other\"", "INCLUDE");
}

int main(void)
{
    CU_TestInfo tests[] = { { "add, set, replace and delete say what they did", test_verbs },
                            { "compare-and-swap stores only over what was seen", test_cas },
                            { "values end when they should", test_expiry },
                            { "values are sealed, each under its own key", test_sealed },
                            { "a key does not tell what it stands for", test_key },
                            { "a server that is down is an error, and it comes back",
                              test_down_and_back },
                            { "a server that was restarted unseen", test_restarted_unseen },
                            { "a server that hangs", test_hanging },
                            { "a full server refuses and forgets nothing", test_full },
                            { "threads wait for a free connection", test_crowd },
                            { "no option fakes an answer", test_answers_whatever_the_options },
                            { "dangerous configurations are refused", test_check },
                            CU_TEST_INFO_NULL };
    return memcached_suite("cache", tests);
}
