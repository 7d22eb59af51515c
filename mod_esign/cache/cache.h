/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h: sealed values in memcached, through a pool of connections. The other files of cache/
 * reach memcached only through these functions. */
#ifndef ESIGN_CACHE_CACHE_H
#define ESIGN_CACHE_CACHE_H

#include "core/keyring.h"

/* A libmemcached pool of one process. All its threads may use it at once. */
typedef struct esign_cache_t esign_cache_t;

/* What memcached answered. A failure is never a miss: callers refuse what they cannot check. */
typedef enum {
    ESIGN_CACHE_DONE, /* found, stored or deleted */
    ESIGN_CACHE_MISS, /* not found; or not stored, because the key exists (add), does not exist
                         (replace), or has another value by now (cas) */
    ESIGN_CACHE_ERROR /* memcached is down, too slow or full, or a value cannot be unsealed */
} esign_cache_answer_e;

/* Checks a libmemcached configuration string when httpd reads its configuration. It must be valid
 * and name a server. Three kinds of options are refused, with a detail that names the option. Some
 * move keys to another server, such as --REMOVE-FAILED-SERVERS. Some let libmemcached answer before
 * memcached does, such as --NOREPLY. Some read further options from a file. */
esign_result_t esign_cache_check(const char *configuration, apr_pool_t *p);

/* Makes the pool of this process: in child_init, never before the fork. It has up to `connections`
 * connections, each made at its first use. Time-outs are short unless the string sets them; binary
 * protocol, no-reply and buffering are off. Destroyed with `p`. */
esign_result_t esign_cache_create(esign_cache_t **cache, const char *configuration, int connections,
                                  const esign_keyring_t *keyring, apr_pool_t *p);

/* Below, `key` has at most 200 printable bytes without spaces. `value` is any text; it is sealed
 * under ESIGN_KEY_MEMCACHED, bound to the key. memcached forgets it at `expires`; a moment that is
 * past, or less than a second ahead, counts as one second from now. */

/* Reads a value. `*value` is wiped with `p`. `*cas` gets its version for esign_cache_cas; may be
 * NULL. */
esign_cache_answer_e esign_cache_get(esign_cache_t *cache, const char *key, char **value,
                                     apr_uint64_t *cas, apr_pool_t *p);

/* Stores a value: under a new key, under an existing one, or in place of the version `cas`. Of
 * several processes that do the first or the last at once, one succeeds. */
esign_cache_answer_e esign_cache_add(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_pool_t *p);
esign_cache_answer_e esign_cache_replace(esign_cache_t *cache, const char *key, const char *value,
                                         apr_time_t expires, apr_pool_t *p);
esign_cache_answer_e esign_cache_cas(esign_cache_t *cache, const char *key, const char *value,
                                     apr_time_t expires, apr_uint64_t cas, apr_pool_t *p);

/* Deletes a value. Of several processes that do this at once, one succeeds. */
esign_cache_answer_e esign_cache_delete(esign_cache_t *cache, const char *key);

/* A key from a secret: `prefix` and the secret's SHA-256 as base64url. It does not reveal the
 * secret. */
const char *esign_cache_key(const char *prefix, const char *secret, apr_pool_t *p);

/* What libmemcached says of the last ESIGN_CACHE_ERROR of this thread, for the log. In `p`. */
const char *esign_cache_error(apr_pool_t *p);

#endif
