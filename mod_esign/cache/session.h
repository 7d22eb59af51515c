/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: session records in memcached, found by the hash of a random id. */
#ifndef ESIGN_CACHE_SESSION_H
#define ESIGN_CACHE_SESSION_H

#include "cache.h"

/* Length of a session id's text: 256 random bits as base64url. */
#define ESIGN_SESSION_ID_LENGTH 43

typedef struct {
    apr_interval_time_t idle; /* ends this long after the last request */
    apr_interval_time_t life; /* ends this long after it was created, whatever happens */
} esign_session_limits_t;

/* The record's content is mod_session's encoded text, its code otp_store's: the store looks into
 * neither. */
typedef struct {
    const char *content; /* wiped with the pool, as is `code` */
    const char *code;    /* NULL: none was asked for */
    apr_time_t created;
    apr_time_t seen; /* when its idle time was last renewed */
    apr_uint64_t cas;
    int exchanged; /* ended by who holds this: another is to take its place */
} esign_session_record_t;

/* "session:" + hash of the id: what the functions below find a record by, and what one-time codes
 * are bound to. */
const char *esign_session_store_key(const char *id, apr_pool_t *p);

int esign_session_store_well_formed(const char *id);

/* A new record under a new random id (wiped with `p`); `created` of an earlier record carries the
 * age over a change of id, 0 starts now. */
esign_cache_answer_e esign_session_store_create(esign_cache_t *cache, const char *content,
                                                const esign_session_limits_t *limits,
                                                apr_time_t created, apr_time_t now, const char **id,
                                                apr_pool_t *p);

/* Finds a record. MISS: signed out, exchanged, idle or alive for too long, or never was. `limits`
 * NULL: however long. */
esign_cache_answer_e esign_session_store_load(esign_cache_t *cache, const char *key,
                                              const esign_session_limits_t *limits, apr_time_t now,
                                              esign_session_record_t *record, apr_pool_t *p);

/* Writes content and code of `record` into the record it was loaded from, whose idle time begins
 * anew; age and id are kept. MISS: it is gone, or another was faster. */
esign_cache_answer_e esign_session_store_update(esign_cache_t *cache, const char *key,
                                                esign_session_record_t *record,
                                                const esign_session_limits_t *limits,
                                                apr_time_t now, apr_pool_t *p);

/* The same at most once a minute (or a tenth of the idle time, if that is less), so most requests
 * write nothing. */
esign_cache_answer_e esign_session_store_touch(esign_cache_t *cache, const char *key,
                                               esign_session_record_t *record,
                                               const esign_session_limits_t *limits, apr_time_t now,
                                               apr_pool_t *p);

/* Ends a record that makes way for another. MISS: it is gone, or another was faster. Who did it,
 * and nobody else, can bring it back. */
esign_cache_answer_e esign_session_store_exchange(esign_cache_t *cache, const char *key,
                                                  esign_session_record_t *record,
                                                  const esign_session_limits_t *limits,
                                                  apr_pool_t *p);
esign_cache_answer_e esign_session_store_restore(esign_cache_t *cache, const char *key,
                                                 esign_session_record_t *record,
                                                 const esign_session_limits_t *limits,
                                                 apr_pool_t *p);

esign_cache_answer_e esign_session_store_delete(esign_cache_t *cache, const char *key,
                                                apr_pool_t *p);

#endif
