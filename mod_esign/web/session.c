/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: mod_session's load and save hooks over cache/session, and the portal's own entries in
 * a session. */
#include "session.h"

#include "cache/session.h"
#include "client.h"
#include "server/lease.h"

#include <http_log.h>
#include <mod_session.h>

#include <apr_optional.h>
#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* Names of the portal's entries. Sessions of the previous release have them: they do not change. */
#define ENTRY_SUBSCRIBER "esign-subscriber"
#define ENTRY_EPOCH "esign-epoch"
#define ENTRY_TRUST "esign-trust"
#define ENTRY_WORD_TIME "esign-worded"
#define ENTRY_CODE_TIME "esign-proved"

/* The session of a request. Internal redirects and subrequests share it. */
typedef struct {
    session_rec *z;
    const char *key; /* of its record in memcached; NULL: no cookie, or no valid session */
    esign_session_record_t record;
    int failed;    /* memcached or the database failed; nothing is saved */
    int change_id; /* the next save makes a new record */
    int removed;   /* the next save deletes the record and removes the cookie */
} session_t;

/* NULL if mod_session is not loaded, which the configuration check reports. */
#pragma weak ap_hook_session_load
#pragma weak ap_hook_session_save

#define STATE_KEY "mod_esign session"

/* The session_t of a request, made at the first call. */
static session_t *state_of(request_rec *r)
{
    while (r->main)
        r = r->main;
    while (r->prev)
        r = r->prev;
    void *state = NULL;
    apr_pool_userdata_get(&state, STATE_KEY, r->pool);
    if (!state) {
        state = apr_pcalloc(r->pool, sizeof(session_t));
        apr_pool_userdata_setn(state, STATE_KEY, NULL, r->pool);
    }
    return state;
}

static esign_session_limits_t limits_of(request_rec *r)
{
    const esign_config_t *config = esign_request_config(r);
    return (esign_session_limits_t){ .idle = config->session_idle, .life = config->session_life };
}

/* Whether this module keeps the sessions of the location; a portal's location needs no
 * EsignSession. */
static int provides_session(request_rec *r)
{
    const esign_config_t *config = esign_request_config(r);
    return config->session || config->enabled;
}

static void log_cache(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "mod_esign: memcached: %s",
                  esign_cache_error(r->pool));
}

static session_rec *empty_session(apr_pool_t *p)
{
    session_rec *z = apr_pcalloc(p, sizeof(*z));
    z->pool = p;
    z->entries = apr_table_make(p, 4);
    z->uuid = apr_pcalloc(p, sizeof(*z->uuid));
    return z;
}

/* A number among mod_session's `name=value&…`, or 0. */
static apr_int64_t number_in(const char *content, const char *name)
{
    size_t length = strlen(name);
    for (const char *pair = content; *pair; pair += strcspn(pair, "&"), pair += *pair == '&')
        if (strncmp(pair, name, length) == 0 && pair[length] == '=')
            return apr_atoi64(pair + length + 1);
    return 0;
}

/* Whether the session is of an epoch that a new word or the end of all sessions has passed. Pages
 * of the portal check that in esign_session_identify. Elsewhere each request with a session costs
 * one SELECT by primary key; without it a session that was ended would be valid there until it is
 * idle for too long. */
static int is_epoch_past(request_rec *r, const esign_runtime_t *runtime, session_t *session)
{
    apr_int64_t id = number_in(session->record.content, ENTRY_SUBSCRIBER), epoch = -1;
    if (esign_request_of(r) || id == ESIGN_SUBSCRIBER_NONE)
        return 0;
    esign_database_t *database = esign_lease_acquire(runtime, r->pool);
    esign_result_t result =
        database ? esign_subscriber_epoch(database, id, &epoch, r->pool) : ESIGN_OK;
    if (database)
        esign_lease_release(runtime, database);
    if (esign_failed(result))
        ap_log_rerror(APLOG_MARK, APLOG_ERR, result.status, r, "mod_esign, %s: %s", result.problem,
                      result.detail);
    session->failed = !database || esign_failed(result);
    return session->failed || epoch != number_in(session->record.content, ENTRY_EPOCH);
}

/* Loads the record that the cookie names. Static files, and pages of the portal without
 * ESIGN_ROUTE_SESSION, load none. */
static void find_record(request_rec *r, const esign_runtime_t *runtime, session_t *session)
{
    const esign_request_t *q = esign_request_of(r);
    int wanted = q ? q->route && (q->route->properties & ESIGN_ROUTE_SESSION)
                   : !esign_request_config(r)->enabled;
    const char *id = wanted ? esign_client_cookie(r, ESIGN_COOKIE_SESSION) : NULL;
    esign_session_limits_t limits = limits_of(r);
    if (!id || !esign_session_store_well_formed(id))
        return;
    const char *key = esign_session_store_key(id, r->pool);
    switch (esign_session_store_load(runtime->cache, key, &limits, apr_time_now(), &session->record,
                                     r->pool)) {
    case ESIGN_CACHE_DONE:
        if (is_epoch_past(r, runtime, session))
            break;
        session->key = key;
        session->z->encoded = session->record.content;
        break;
    case ESIGN_CACHE_MISS:
        break;
    default:
        session->failed = 1;
        log_cache(r);
    }
}

static apr_status_t load_session(request_rec *r, session_rec **z)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (!runtime || !runtime->cache || !provides_session(r))
        return DECLINED;
    session_t *session = state_of(r);
    if (!session->z) {
        request_rec *first = r;
        while (first->main)
            first = first->main;
        session->z = empty_session(first->pool);
        find_record(r, runtime, session);
    }
    *z = session->z;
    return OK;
}

/* Deletes the record that the cookie names. A session that another request is exchanging at this
 * moment is deleted too: that request then fails, and restores nothing. MISS: there is none. */
static esign_cache_answer_e end_record(request_rec *r, const esign_runtime_t *runtime,
                                       const session_t *session)
{
    const char *id = session->key ? NULL : esign_client_cookie(r, ESIGN_COOKIE_SESSION);
    const char *key = id && esign_session_store_well_formed(id)
                          ? esign_session_store_key(id, r->pool)
                          : session->key;
    return key ? esign_session_store_delete(runtime->cache, key) : ESIGN_CACHE_MISS;
}

/* Writes the session into a new record under a new id, and deletes the old one. */
static esign_cache_answer_e replace_record(request_rec *r, const esign_runtime_t *runtime,
                                           session_t *session, const char *content)
{
    esign_session_limits_t limits = limits_of(r);
    apr_time_t now = apr_time_now(), created = session->key ? session->record.created : now;
    const char *id;
    esign_cache_answer_e answer =
        esign_session_store_create(runtime->cache, content, &limits, created, now, &id, r->pool);
    if (answer != ESIGN_CACHE_DONE)
        return ESIGN_CACHE_ERROR;
    const char *key = esign_session_store_key(id, r->pool);
    /* The new record is deleted again unless the old one is certainly gone, and also if another
     * request has signed the old one out. */
    answer = end_record(r, runtime, session);
    if (answer == ESIGN_CACHE_ERROR || (answer == ESIGN_CACHE_MISS && session->key)) {
        esign_session_store_delete(runtime->cache, key);
        return answer;
    }
    session->key = key;
    session->record =
        (esign_session_record_t){ .content = content, .created = created, .seen = now };
    session->change_id = 0;
    esign_client_set_cookie(r, ESIGN_COOKIE_SESSION, id, 0);
    return ESIGN_CACHE_DONE;
}

static esign_cache_answer_e remove_record(request_rec *r, const esign_runtime_t *runtime,
                                          session_t *session)
{
    esign_cache_answer_e answer = end_record(r, runtime, session);
    session->key = NULL;
    session->removed = 0;
    esign_client_set_cookie(r, ESIGN_COOKIE_SESSION, "", -1);
    return answer;
}

static esign_cache_answer_e update_record(request_rec *r, const esign_runtime_t *runtime,
                                          session_t *session, const char *content)
{
    esign_session_limits_t limits = limits_of(r);
    session->record.content = content;
    return esign_session_store_update(runtime->cache, session->key, &session->record, &limits,
                                      apr_time_now(), r->pool);
}

static apr_status_t save_session(request_rec *r, session_rec *z)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (!runtime || !runtime->cache || !provides_session(r))
        return DECLINED;
    session_t *session = state_of(r);
    esign_session_limits_t limits = limits_of(r);
    const char *content = z->encoded ? z->encoded : "";
    esign_cache_answer_e answer = ESIGN_CACHE_DONE;
    z->encoded = NULL;
    if (session->failed)
        return OK;
    if (session->removed)
        answer = remove_record(r, runtime, session);
    else if (z->dirty && (session->change_id || !session->key))
        answer = replace_record(r, runtime, session, content);
    else if (z->dirty)
        answer = update_record(r, runtime, session, content);
    else if (session->key)
        answer = esign_session_store_touch(runtime->cache, session->key, &session->record, &limits,
                                           apr_time_now(), r->pool);
    if (answer == ESIGN_CACHE_ERROR)
        log_cache(r);
    session->failed =
        answer == ESIGN_CACHE_ERROR || (answer == ESIGN_CACHE_MISS && session->change_id);
    return session->failed ? HTTP_SERVICE_UNAVAILABLE : OK;
}

/* The session of a page of the portal, through mod_session. NULL, logged: mod_session is off here.
 */
static session_rec *session_of(esign_request_t *q)
{
    APR_OPTIONAL_FN_TYPE(ap_session_load) *session_load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_rec *z = NULL;
    if (!session_load || session_load(q->r, &z) != APR_SUCCESS || !z)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, q->r,
                      "mod_esign: no session here: the portal's location needs Session On");
    return z;
}

/* The number in an entry; 0: it is absent. */
static apr_int64_t get_entry(session_rec *z, const char *name)
{
    const char *value = apr_table_get(z->entries, name);
    return value ? apr_atoi64(value) : 0;
}

static void set_entry(session_rec *z, const char *name, apr_int64_t value)
{
    apr_table_setn(z->entries, name, apr_psprintf(z->pool, "%" APR_INT64_T_FMT, value));
    z->dirty = 1;
}

/* Saves now. mod_session would save in its output filter, too late for a page about a failure. */
static int save_now(esign_request_t *q, session_rec *z)
{
    APR_OPTIONAL_FN_TYPE(ap_session_save) *session_save = APR_RETRIEVE_OPTIONAL_FN(ap_session_save);
    return session_save && session_save(q->r, z) == APR_SUCCESS && !state_of(q->r)->failed;
}

int esign_session_identify(esign_request_t *q)
{
    session_rec *z = session_of(q);
    session_t *session = state_of(q->r);
    if (!z || session->failed)
        return HTTP_SERVICE_UNAVAILABLE;
    apr_int64_t id = get_entry(z, ENTRY_SUBSCRIBER);
    if (!session->key || id == ESIGN_SUBSCRIBER_NONE)
        return DECLINED;
    esign_database_t *database = esign_request_database(q);
    if (!database)
        return HTTP_SERVICE_UNAVAILABLE;
    esign_result_t result = esign_subscriber_get(database, id, &q->subscriber, q->r->pool);
    esign_request_release(q);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    if (!q->subscriber || q->subscriber->epoch != get_entry(z, ENTRY_EPOCH)) {
        q->subscriber = NULL;
        return DECLINED;
    }
    q->trust = (esign_trust_e)get_entry(z, ENTRY_TRUST);
    q->word_time = get_entry(z, ENTRY_WORD_TIME);
    q->code_time = get_entry(z, ENTRY_CODE_TIME);
    return OK;
}

esign_code_session_t esign_session_codes(esign_request_t *q)
{
    session_t *session = state_of(q->r);
    return (esign_code_session_t){ .cache = q->runtime->cache,
                                   .key = session->key,
                                   .record = &session->record,
                                   .limits = limits_of(q->r) };
}

void esign_session_restore(esign_request_t *q)
{
    const esign_code_session_t session = esign_session_codes(q);
    if (session.record->exchanged &&
        esign_session_store_restore(session.cache, session.key, session.record, &session.limits,
                                    q->r->pool) == ESIGN_CACHE_ERROR)
        esign_request_log_cache(q);
}

/* Writes the entries, and saves them under a new id. */
static int write_entries(esign_request_t *q, const esign_subscriber_t *subscriber,
                         esign_trust_e trust, apr_time_t proved)
{
    session_rec *z = session_of(q);
    if (!z)
        return 0;
    set_entry(z, ENTRY_SUBSCRIBER, subscriber->id);
    set_entry(z, ENTRY_EPOCH, subscriber->epoch);
    set_entry(z, ENTRY_TRUST, trust);
    set_entry(z, ENTRY_WORD_TIME, trust == ESIGN_TRUST_WORD ? q->now : q->word_time);
    set_entry(z, ENTRY_CODE_TIME, proved);
    state_of(q->r)->change_id = 1;
    return save_now(q, z);
}

int esign_session_raise(esign_request_t *q, const esign_subscriber_t *subscriber,
                        esign_trust_e trust)
{
    return write_entries(q, subscriber, trust, trust == ESIGN_TRUST_CODE ? q->now : 0);
}

int esign_session_renew(esign_request_t *q)
{
    return write_entries(q, q->subscriber, q->trust, q->code_time);
}

int esign_session_end(esign_request_t *q)
{
    session_rec *z = session_of(q);
    if (!z)
        return 0;
    apr_table_clear(z->entries);
    z->dirty = 1;
    state_of(q->r)->removed = 1;
    return save_now(q, z);
}

void esign_session_register_hooks(apr_pool_t *p)
{
    (void)p;
    if (!&ap_hook_session_load || !&ap_hook_session_save)
        return;
    ap_hook_session_load(load_session, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_session_save(save_session, NULL, NULL, APR_HOOK_MIDDLE);
}
