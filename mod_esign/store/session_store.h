/* SPDX-License-Identifier: Apache-2.0 */
/* session_store.h: session records in memcached, found by the hash of a random id. */
#ifndef ESIGN_STORE_SESSION_STORE_H
#define ESIGN_STORE_SESSION_STORE_H

#include "cache.h"

/* Length of a session id's text: 256 random bits as base64url. */
#define ESIGN_SESSION_ID_LENGTH 43

typedef struct {
    apr_interval_time_t idle;   /* ends this long after the last request */
    apr_interval_time_t life;   /* ends this long after it was created, whatever happens */
} esign_session_limits_t;

/* The record's content is mod_session's encoded text: the store does not look into it. */
typedef struct {
    const char *content;        /* wiped with the pool */
    apr_time_t created;
    apr_time_t seen;            /* when its idle time was last renewed */
    apr_uint64_t cas;
} esign_session_record_t;

/* "session:" + hash of the id: what one-time codes are bound to. */
const char *esign_session_store_key(const char *id, apr_pool_t *p);

int esign_session_store_well_formed(const char *id);

/* A new record under a new random id (wiped with `p`); `created` of an earlier record carries the age over a change of id, 0 starts now. */
esign_cache_answer_e esign_session_store_create(esign_cache_t *cache, const char *content, const esign_session_limits_t *limits,
                                                apr_time_t created, apr_time_t now, const char **id, apr_pool_t *p);

/* Finds a record. MISS: signed out, idle or alive for too long, or never was. */
esign_cache_answer_e esign_session_store_load(esign_cache_t *cache, const char *id, const esign_session_limits_t *limits, apr_time_t now,
                                              esign_session_record_t *record, apr_pool_t *p);

/* Renews the idle time, at most once a minute (or a tenth of the idle time, if that is less), so most requests write nothing; never brings back a record that was deleted. */
esign_cache_answer_e esign_session_store_touch(esign_cache_t *cache, const char *id, const esign_session_record_t *record,
                                               const esign_session_limits_t *limits, apr_time_t now, apr_pool_t *p);

/* Replaces the content of a living record, its age and id kept: for other modules' entries. MISS: it is gone. */
esign_cache_answer_e esign_session_store_update(esign_cache_t *cache, const char *id, const esign_session_record_t *record, const char *content,
                                                const esign_session_limits_t *limits, apr_time_t now, apr_pool_t *p);

esign_cache_answer_e esign_session_store_delete(esign_cache_t *cache, const char *id, apr_pool_t *p);

#endif
