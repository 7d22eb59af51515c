/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c: a pool of libmemcached connections; seals values, and judges what memcached answers. */
#include "cache.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/seal.h"

#include <apr_atomic.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include <libmemcached/memcached.h>
#include <libmemcached/util.h>

#include <stdint.h>
#include <string.h>

struct esign_cache_t {
    memcached_pool_st *pool;
    const esign_keyring_t *keyring;
    /* Counts failures. A connection that is older than the last failure is closed before its next
     * use. */
    volatile apr_uint32_t generation;
};

/* What libmemcached said of this thread's last failure. */
static _Thread_local char last_error[160];

/* Time-outs, in the units of libmemcached. */
#define CONNECT_MS 500
#define ANSWER_US 1000000
/* The longest life in seconds that memcached takes for one; a larger number is a moment. */
#define RELATIVE_MAX (30 * 24 * 3600)

/* Whether `text` occurs in the configuration, in any case of letters. */
static int has_option(const char *configuration, const char *text)
{
    size_t length = strlen(text);
    for (; *configuration; configuration++)
        if (apr_cstr_casecmpn(configuration, text, length) == 0)
            return 1;
    return 0;
}

/* Why an option is refused. */
#define MOVES "would bring used tokens back on another server"
#define FAKES "would make libmemcached say that something was done before memcached does"
#define FILES "would bring in options that nobody checked"

static const struct {
    const char *option, *why;
} refused[] = {
    { "--REMOVE-FAILED-SERVERS", MOVES },
    { "--REMOVE_FAILED_SERVERS", MOVES },
    { "--NUMBER-OF-REPLICAS", MOVES },
    { "--AUTO-EJECT", MOVES },
    { "--SERVER-FAILURE-LIMIT", MOVES },
    { "--DISTRIBUTION=RANDOM", MOVES },
    { "--USE-UDP", FAKES },
    { "--NOREPLY", FAKES },
    { "--BUFFER-REQUESTS", FAKES },
    { "--CONFIGURE-FILE", FILES },
};

esign_result_t esign_cache_check(const char *configuration, apr_pool_t *p)
{
    char error[256] = "";
    if (!has_option(configuration, "--SERVER") && !has_option(configuration, "--SOCKET"))
        return esign_result_make(
            p, APR_EINVAL, "memcached",
            "no server is named: write --SERVER=host:port or --SOCKET=\"/path\"");
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (has_option(configuration, refused[i].option))
            return esign_result_make(p, APR_EINVAL, "memcached", "%s %s: leave it out",
                                     refused[i].option, refused[i].why);
    if (apr_cstr_casecmpn(configuration, "INCLUDE ", 8) == 0 ||
        has_option(configuration, " INCLUDE "))
        return esign_result_make(p, APR_EINVAL, "memcached", "INCLUDE " FILES ": leave it out");
    if (libmemcached_check_configuration(configuration, strlen(configuration), error,
                                         sizeof(error)) != MEMCACHED_SUCCESS)
        return esign_result_make(p, APR_EINVAL, "memcached",
                                 "not a libmemcached configuration string: %s", error);
    return ESIGN_OK;
}

static apr_status_t destroy_pool(void *data)
{
    esign_cache_t *cache = data;
    memcached_st *master = memcached_pool_destroy(cache->pool);
    if (master)
        memcached_free(master);
    return APR_SUCCESS;
}

/* Sets what the functions of this file rely on, and short time-outs where the configuration sets
 * none. */
static void set_behavior(memcached_st *memc, const char *configuration)
{
    static const memcached_behavior_t off[] = { MEMCACHED_BEHAVIOR_BINARY_PROTOCOL,
                                                MEMCACHED_BEHAVIOR_NO_BLOCK,
                                                MEMCACHED_BEHAVIOR_NOREPLY,
                                                MEMCACHED_BEHAVIOR_BUFFER_REQUESTS };
    for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++)
        memcached_behavior_set(memc, off[i], 0);
    memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
    memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    /* A server that failed is tried again when the clock's next second begins. */
    memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 0);
    if (!has_option(configuration, "--CONNECT-TIMEOUT"))
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, CONNECT_MS);
    if (!has_option(configuration, "--POLL-TIMEOUT"))
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, ANSWER_US / 1000);
    if (!has_option(configuration, "--RCV-TIMEOUT"))
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, ANSWER_US);
    if (!has_option(configuration, "--SND-TIMEOUT"))
        memcached_behavior_set(memc, MEMCACHED_BEHAVIOR_SND_TIMEOUT, ANSWER_US);
}

esign_result_t esign_cache_create(esign_cache_t **cache, const char *configuration, int connections,
                                  const esign_keyring_t *keyring, apr_pool_t *p)
{
    esign_cache_t *made = apr_pcalloc(p, sizeof(*made));
    memcached_st *master = memcached(configuration, strlen(configuration));
    if (!master)
        return esign_result_make(p, APR_EINVAL, "memcached",
                                 "not a libmemcached configuration string");
    set_behavior(master, configuration);
    made->keyring = keyring;
    made->pool = memcached_pool_create(master, 1, (uint32_t)connections);
    if (!made->pool) {
        memcached_free(master);
        return esign_result_make(p, APR_ENOMEM, "memcached", "no pool of %d connections",
                                 connections);
    }
    apr_pool_cleanup_register(p, made, destroy_pool, apr_pool_cleanup_null);
    *cache = made;
    return ESIGN_OK;
}

/* Takes a connection of the pool. NULL: none is free. */
static memcached_st *take_connection(esign_cache_t *cache)
{
    memcached_return_t code;
    /* It waits one to two seconds: libmemcached counts from the start of the current second. */
    struct timespec patience = { .tv_sec = 2 };
    memcached_st *memc = memcached_pool_fetch(cache->pool, &patience, &code);
    if (!memc) {
        apr_cpystrn(last_error, "no connection is free", sizeof(last_error));
        return NULL;
    }
    /* After memcached was restarted, connections that were not used meanwhile are still those to
     * the old process. */
    uintptr_t generation = apr_atomic_read32(&cache->generation);
    if ((uintptr_t)memcached_get_user_data(memc) != generation) {
        memcached_quit(memc);
        memcached_set_user_data(memc, (void *)generation);
    }
    return memc;
}

/* Turns libmemcached's code into an answer, and returns the connection to the pool. After a failure
 * it is closed first: the rest of the old answer would be read as the answer to the next request.
 */
static esign_cache_answer_e end_request(esign_cache_t *cache, memcached_st *memc,
                                        memcached_return_t code)
{
    esign_cache_answer_e answer = ESIGN_CACHE_ERROR;
    switch (code) {
    case MEMCACHED_SUCCESS:
    case MEMCACHED_STORED:
    case MEMCACHED_DELETED:
        answer = ESIGN_CACHE_DONE;
        break;
    case MEMCACHED_NOTFOUND:
    case MEMCACHED_NOTSTORED:
    case MEMCACHED_DATA_EXISTS:
        answer = ESIGN_CACHE_MISS;
        break;
    default:
        apr_cpystrn(last_error, memcached_strerror(memc, code), sizeof(last_error));
        memcached_quit(memc);
        apr_atomic_inc32(&cache->generation);
    }
    memcached_pool_release(cache->pool, memc);
    return answer;
}

/* Reads a value, still sealed, with one connection. */
static esign_cache_answer_e read_once(esign_cache_t *cache, const char *key, const char **sealed,
                                      apr_uint64_t *cas, apr_pool_t *p)
{
    memcached_st *memc = take_connection(cache);
    memcached_return_t code;
    size_t length = strlen(key);
    if (!memc)
        return ESIGN_CACHE_ERROR;
    code = memcached_mget(memc, &key, &length, 1);
    if (code == MEMCACHED_SUCCESS) {
        memcached_result_st *result = memcached_fetch_result(memc, NULL, &code);
        if (result) {
            *sealed =
                apr_pstrmemdup(p, memcached_result_value(result), memcached_result_length(result));
            if (cas)
                *cas = memcached_result_cas(result);
            memcached_result_free(result);
            /* Reads the end of the answer, so that nothing of it is left on the connection. */
            memcached_result_free(memcached_fetch_result(memc, NULL, &code));
            code = MEMCACHED_SUCCESS;
        } else if (code == MEMCACHED_END) {
            code = MEMCACHED_NOTFOUND;
        }
    }
    return end_request(cache, memc, code);
}

esign_cache_answer_e esign_cache_get(esign_cache_t *cache, const char *key, char **value,
                                     apr_uint64_t *cas, apr_pool_t *p)
{
    const char *sealed = NULL;
    apr_size_t length;
    esign_cache_answer_e answer = read_once(cache, key, &sealed, cas, p);
    /* A connection that memcached has closed fails only now. To read again is safe. */
    if (answer == ESIGN_CACHE_ERROR)
        answer = read_once(cache, key, &sealed, cas, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    if (esign_failed(
            esign_unseal(cache->keyring, ESIGN_KEY_MEMCACHED, key, sealed, value, &length, p))) {
        apr_cpystrn(last_error, "a value cannot be unsealed", sizeof(last_error));
        return ESIGN_CACHE_ERROR;
    }
    return ESIGN_CACHE_DONE;
}

typedef enum { ADD, REPLACE, CAS } verb_e;

/* memcached's expiration time: seconds from now up to RELATIVE_MAX, else seconds since 1970. */
static time_t expiration_of(apr_time_t expires)
{
    apr_time_t left = expires - apr_time_now();
    apr_time_t seconds =
        left <= APR_USEC_PER_SEC ? 1 : (left + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;
    return (time_t)(seconds < RELATIVE_MAX ? seconds : apr_time_sec(expires));
}

static esign_cache_answer_e store_value(esign_cache_t *cache, verb_e verb, const char *key,
                                        const char *value, apr_time_t expires, apr_uint64_t cas,
                                        apr_pool_t *p)
{
    const char *sealed;
    esign_result_t result =
        esign_seal(cache->keyring, ESIGN_KEY_MEMCACHED, key, value, strlen(value), &sealed, p);
    memcached_st *memc = esign_failed(result) ? NULL : take_connection(cache);
    size_t k = strlen(key), v;
    time_t end = expiration_of(expires);
    memcached_return_t code;
    if (!memc)
        return ESIGN_CACHE_ERROR;
    v = strlen(sealed);
    switch (verb) {
    case ADD:
        code = memcached_add(memc, key, k, sealed, v, end, 0);
        break;
    case REPLACE:
        code = memcached_replace(memc, key, k, sealed, v, end, 0);
        break;
    default:
        code = memcached_cas(memc, key, k, sealed, v, end, 0, cas);
    }
    return end_request(cache, memc, code);
}

esign_cache_answer_e esign_cache_add(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_pool_t *p)
{
    return store_value(cache, ADD, key, value, expires, 0, p);
}

esign_cache_answer_e esign_cache_replace(esign_cache_t *cache, const char *key, const char *value,
                                         apr_time_t expires, apr_pool_t *p)
{
    return store_value(cache, REPLACE, key, value, expires, 0, p);
}

esign_cache_answer_e esign_cache_cas(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_uint64_t cas, apr_pool_t *p)
{
    return store_value(cache, CAS, key, value, expires, cas, p);
}

esign_cache_answer_e esign_cache_delete(esign_cache_t *cache, const char *key)
{
    memcached_st *memc = take_connection(cache);
    return memc ? end_request(cache, memc, memcached_delete(memc, key, strlen(key), 0))
                : ESIGN_CACHE_ERROR;
}

const char *esign_cache_key(const char *prefix, const char *secret, apr_pool_t *p)
{
    unsigned char digest[ESIGN_DIGEST_SIZE];
    esign_digest_sha256(secret, strlen(secret), digest);
    return apr_pstrcat(p, prefix, esign_base64_url_encode(p, digest, sizeof(digest)), NULL);
}

const char *esign_cache_error(apr_pool_t *p)
{
    return apr_pstrdup(p, *last_error ? last_error : "no error");
}
