/* SPDX-License-Identifier: Apache-2.0 */
/* session_store.c: session records in memcached. */
#include "store/session_store.h"

#include "core/digest.h"
#include "core/record.h"
#include "store/token.h"

#include <string.h>

#define RENEW_AFTER apr_time_from_sec(60)

const char *esign_session_store_key(const char *id, apr_pool_t *p)
{
    return esign_cache_key("session:", id, p);
}

int esign_session_store_well_formed(const char *id)
{
    return esign_token_well_formed(id);
}

static const char *encode(const char *content, apr_time_t created, apr_time_t seen, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 3);
    apr_table_setn(values, "content", content);
    esign_record_set_number(values, "created", created);
    esign_record_set_number(values, "seen", seen);
    return esign_record_encode(p, values);
}

static apr_time_t end_of(const esign_session_limits_t *limits, apr_time_t created, apr_time_t seen)
{
    apr_time_t idle = seen + limits->idle, life = created + limits->life;
    return idle < life ? idle : life;
}

esign_cache_answer_e esign_session_store_create(esign_cache_t *cache, const char *content, const esign_session_limits_t *limits,
                                                apr_time_t created, apr_time_t now, const char **id, apr_pool_t *p)
{
    unsigned char bytes[32];
    esign_digest_random(bytes, sizeof(bytes));
    *id = esign_digest_encode(p, bytes, sizeof(bytes));
    created = created ? created : now;
    return esign_cache_add(cache, esign_session_store_key(*id, p), encode(content, created, now, p), end_of(limits, created, now), p);
}

esign_cache_answer_e esign_session_store_load(esign_cache_t *cache, const char *id, const esign_session_limits_t *limits, apr_time_t now,
                                              esign_session_record_t *record, apr_pool_t *p)
{
    char *text;
    esign_cache_answer_e answer = esign_cache_get(cache, esign_session_store_key(id, p), &text, &record->cas, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    const apr_table_t *values = esign_record_decode(p, text, strlen(text));
    if (!values || !apr_table_get(values, "content"))
        return ESIGN_CACHE_ERROR;
    record->content = apr_table_get(values, "content");
    record->created = esign_record_number(values, "created", 0);
    record->seen = esign_record_number(values, "seen", 0);
    /* Not left to memcached: who writes there could put back what has ended, or never let it end. */
    return now < end_of(limits, record->created, record->seen) ? ESIGN_CACHE_DONE : ESIGN_CACHE_MISS;
}

esign_cache_answer_e esign_session_store_touch(esign_cache_t *cache, const char *id, const esign_session_record_t *record,
                                               const esign_session_limits_t *limits, apr_time_t now, apr_pool_t *p)
{
    apr_interval_time_t renew = limits->idle / 10 < RENEW_AFTER ? limits->idle / 10 : RENEW_AFTER;
    if (now - record->seen < renew)
        return ESIGN_CACHE_DONE;
    return esign_session_store_update(cache, id, record, record->content, limits, now, p);
}

esign_cache_answer_e esign_session_store_update(esign_cache_t *cache, const char *id, const esign_session_record_t *record, const char *content,
                                                const esign_session_limits_t *limits, apr_time_t now, apr_pool_t *p)
{
    return esign_cache_cas(cache, esign_session_store_key(id, p), encode(content, record->created, now, p), end_of(limits, record->created, now),
                           record->cas, p);
}

esign_cache_answer_e esign_session_store_delete(esign_cache_t *cache, const char *id, apr_pool_t *p)
{
    return esign_cache_delete(cache, esign_session_store_key(id, p), p);
}
