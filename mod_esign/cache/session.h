/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: records of sessions in memcached, stored under the hash of the session's random id.
 * Functions are esign_session_store_*; those of web/session.h, the provider of mod_session, use
 * them. */
#ifndef ESIGN_CACHE_SESSION_H
#define ESIGN_CACHE_SESSION_H

#include "cache.h"

/* The length of a session id: 256 random bits as base64url. */
#define ESIGN_SESSION_ID_LENGTH 43

typedef struct {
    apr_interval_time_t idle; /* a session ends this long after its last request, */
    apr_interval_time_t life; /* and in any case this long after it was created */
} esign_session_limits_t;

/* A record as it was loaded. The store reads neither of the two texts: `content` is mod_session's,
 * `code` that of code.h. Both are wiped with the pool of the load. */
typedef struct {
    const char *content;
    const char *code; /* NULL: no code was sent */
    apr_time_t created;
    apr_time_t seen;  /* when its idle time last began */
    apr_uint64_t cas; /* the version of the record in memcached */
    int exchanged;    /* 1: the caller has ended it to put another session in its place */
} esign_session_record_t;

/* The key of a session id in memcached: "session:" and the id's hash. The functions below take it,
 * and a one-time code is bound to it. */
const char *esign_session_store_key(const char *id, apr_pool_t *p);

/* Whether a text has the length and the characters of a session id. */
int esign_session_store_well_formed(const char *id);

/* Stores a new record under a new random id. `created` is that of the session that it replaces, so
 * that the age counts on; 0: the age begins now. `*id` is wiped with `p`. */
esign_cache_answer_e esign_session_store_create(esign_cache_t *cache, const char *content,
                                                const esign_session_limits_t *limits,
                                                apr_time_t created, apr_time_t now, const char **id,
                                                apr_pool_t *p);

/* Loads a record. MISS: it does not exist (signed out, or never stored), it was exchanged, or its
 * idle time or its life is over. `limits` NULL: the times are not checked. */
esign_cache_answer_e esign_session_store_load(esign_cache_t *cache, const char *key,
                                              const esign_session_limits_t *limits, apr_time_t now,
                                              esign_session_record_t *record, apr_pool_t *p);

/* Stores content and code of `record` in place of the version that was loaded. The idle time begins
 * anew; id and age stay. MISS: the record is gone, or another request has changed it. */
esign_cache_answer_e esign_session_store_update(esign_cache_t *cache, const char *key,
                                                esign_session_record_t *record,
                                                const esign_session_limits_t *limits,
                                                apr_time_t now, apr_pool_t *p);

/* The same, but at most once a minute, or once in a tenth of the idle time if that is shorter. In
 * between it returns DONE and stores nothing: most requests do not write. */
esign_cache_answer_e esign_session_store_touch(esign_cache_t *cache, const char *key,
                                               esign_session_record_t *record,
                                               const esign_session_limits_t *limits, apr_time_t now,
                                               apr_pool_t *p);

/* Ends a session that another one replaces: of several requests one gets DONE. MISS: the record is
 * gone, or another request has changed it. */
esign_cache_answer_e esign_session_store_exchange(esign_cache_t *cache, const char *key,
                                                  esign_session_record_t *record,
                                                  const esign_session_limits_t *limits,
                                                  apr_pool_t *p);

/* Undoes an exchange that got DONE, because the new session could not be made. */
esign_cache_answer_e esign_session_store_restore(esign_cache_t *cache, const char *key,
                                                 esign_session_record_t *record,
                                                 const esign_session_limits_t *limits,
                                                 apr_pool_t *p);

esign_cache_answer_e esign_session_store_delete(esign_cache_t *cache, const char *key);

#endif
