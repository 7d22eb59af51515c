/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: stores records of sessions in memcached. */
#include "session.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/record.h"
#include "token.h"

#include <string.h>

/* How long esign_session_store_touch waits before it renews the idle time. */
#define RENEW_AFTER apr_time_from_sec(60)

const char *esign_session_store_key(const char *id, apr_pool_t *p)
{
    return esign_cache_key("session:", id, p);
}

int esign_session_store_well_formed(const char *id)
{
    return esign_token_well_formed(id);
}

static const char *encode_record(const esign_session_record_t *record, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 5);
    apr_table_setn(values, "content", record->content);
    if (record->code)
        apr_table_setn(values, "code", record->code);
    esign_record_set_number(values, "created", record->created);
    esign_record_set_number(values, "seen", record->seen);
    if (record->exchanged)
        esign_record_set_number(values, "exchanged", 1);
    return esign_record_encode(p, values);
}

/* When a session ends. */
static apr_time_t end_of_session(const esign_session_limits_t *limits,
                                 const esign_session_record_t *record)
{
    apr_time_t idle = record->seen + limits->idle, life = record->created + limits->life;
    return idle < life ? idle : life;
}

esign_cache_answer_e esign_session_store_create(esign_cache_t *cache, const char *content,
                                                const esign_session_limits_t *limits,
                                                apr_time_t created, apr_time_t now, const char **id,
                                                apr_pool_t *p)
{
    unsigned char bytes[32];
    const esign_session_record_t record = { .content = content,
                                            .created = created ? created : now,
                                            .seen = now };
    esign_digest_random(bytes, sizeof(bytes));
    *id = esign_base64_url_encode(p, bytes, sizeof(bytes));
    return esign_cache_add(cache, esign_session_store_key(*id, p), encode_record(&record, p),
                           end_of_session(limits, &record), p);
}

esign_cache_answer_e esign_session_store_load(esign_cache_t *cache, const char *key,
                                              const esign_session_limits_t *limits, apr_time_t now,
                                              esign_session_record_t *record, apr_pool_t *p)
{
    char *text;
    esign_cache_answer_e answer = esign_cache_get(cache, key, &text, &record->cas, p);
    if (answer != ESIGN_CACHE_DONE)
        return answer;
    const apr_table_t *values = esign_record_decode(p, text, strlen(text));
    if (!values || !apr_table_get(values, "content"))
        return ESIGN_CACHE_ERROR;
    record->content = apr_table_get(values, "content");
    record->code = apr_table_get(values, "code");
    record->created = esign_record_number(values, "created", 0);
    record->seen = esign_record_number(values, "seen", 0);
    record->exchanged = apr_table_get(values, "exchanged") != NULL;
    /* The age is not left to memcached. An attacker who can write to it could store an ended
     * session again, or make a session last forever. */
    return !record->exchanged && (!limits || now < end_of_session(limits, record))
               ? ESIGN_CACHE_DONE
               : ESIGN_CACHE_MISS;
}

static esign_cache_answer_e swap_record(esign_cache_t *cache, const char *key,
                                        const esign_session_record_t *record,
                                        const esign_session_limits_t *limits, apr_pool_t *p)
{
    return esign_cache_cas(cache, key, encode_record(record, p), end_of_session(limits, record),
                           record->cas, p);
}

esign_cache_answer_e esign_session_store_touch(esign_cache_t *cache, const char *key,
                                               esign_session_record_t *record,
                                               const esign_session_limits_t *limits, apr_time_t now,
                                               apr_pool_t *p)
{
    apr_interval_time_t renew = limits->idle / 10 < RENEW_AFTER ? limits->idle / 10 : RENEW_AFTER;
    return now - record->seen < renew
               ? ESIGN_CACHE_DONE
               : esign_session_store_update(cache, key, record, limits, now, p);
}

esign_cache_answer_e esign_session_store_update(esign_cache_t *cache, const char *key,
                                                esign_session_record_t *record,
                                                const esign_session_limits_t *limits,
                                                apr_time_t now, apr_pool_t *p)
{
    record->seen = now;
    return swap_record(cache, key, record, limits, p);
}

esign_cache_answer_e esign_session_store_exchange(esign_cache_t *cache, const char *key,
                                                  esign_session_record_t *record,
                                                  const esign_session_limits_t *limits,
                                                  apr_pool_t *p)
{
    record->exchanged = 1;
    esign_cache_answer_e answer = swap_record(cache, key, record, limits, p);
    record->exchanged = answer == ESIGN_CACHE_DONE;
    return answer;
}

esign_cache_answer_e esign_session_store_restore(esign_cache_t *cache, const char *key,
                                                 esign_session_record_t *record,
                                                 const esign_session_limits_t *limits,
                                                 apr_pool_t *p)
{
    record->exchanged = 0;
    return esign_cache_replace(cache, key, encode_record(record, p), end_of_session(limits, record),
                               p);
}

esign_cache_answer_e esign_session_store_delete(esign_cache_t *cache, const char *key)
{
    return esign_cache_delete(cache, key);
}
