/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h: sealed values in memcached. The other rooms of store/ speak to memcached through this
 * one alone. */
#ifndef ESIGN_CACHE_CACHE_H
#define ESIGN_CACHE_CACHE_H

#include "core/keyring.h"

/* A libmemcached pool of one process; threads share it. */
typedef struct esign_cache_t esign_cache_t;

/* What memcached said. An error (down, time-out, full, or a value that does not unseal) is never a
 * miss: callers fail closed on it. */
typedef enum {
    ESIGN_CACHE_DONE, /* found; stored; deleted */
    ESIGN_CACHE_MISS, /* not found; not stored because it exists, does not exist, or was changed
                         meanwhile */
    ESIGN_CACHE_ERROR
} esign_cache_answer_e;

/* Judges a libmemcached configuration string at configuration time: grammar, at least one server,
 * no option by which a key moves to another server
 * (--REMOVE-FAILED-SERVERS, --NUMBER-OF-REPLICAS, --DISTRIBUTION=random …) or by which libmemcached
 * answers for memcached (--NOREPLY, --BUFFER-REQUESTS), and no file of further options. */
esign_result_t esign_cache_check(const char *configuration, apr_pool_t *p);

/* Makes the pool of this process (httpd: in child_init, never before the fork), up to `connections`
 * at once. Binary protocol off, no-block off, short time-outs set unless the string has its own;
 * TCP_NODELAY. Connects lazily. Destroyed with `p`. */
esign_result_t esign_cache_create(esign_cache_t **cache, const char *configuration, int connections,
                                  const esign_keyring_t *keyring, apr_pool_t *p);

/* Below: `key` at most 200 printable bytes without spaces. `value` is any NUL-terminated text; it
 * is sealed with the key as place. `expires`: the moment when the value ends; a moment that is
 * past, or less than a second ahead, counts as one second ahead. */

esign_cache_answer_e esign_cache_get(esign_cache_t *cache, const char *key, char **value,
                                     apr_uint64_t *cas, apr_pool_t *p); /* cas may be NULL */
esign_cache_answer_e esign_cache_add(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_pool_t *p);
esign_cache_answer_e esign_cache_set(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_pool_t *p);
esign_cache_answer_e esign_cache_replace(esign_cache_t *cache, const char *key, const char *value,
                                         apr_time_t expires, apr_pool_t *p);
esign_cache_answer_e esign_cache_cas(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_uint64_t cas, apr_pool_t *p);
esign_cache_answer_e esign_cache_delete(esign_cache_t *cache, const char *key, apr_pool_t *p);

/* PREFIX followed by the base64url SHA-256 of `secret`: a key that does not tell what it stands
 * for. */
const char *esign_cache_key(const char *prefix, const char *secret, apr_pool_t *p);

/* libmemcached's own words on the last error of this thread's call, for the log; in `p`. */
const char *esign_cache_error(esign_cache_t *cache, apr_pool_t *p);

#endif
