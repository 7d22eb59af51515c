/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: the record of a request, its configuration, its transaction and its log lines. */
#include "request.h"

#include "ipc/wakeup.h"
#include "server/lease.h"
#include "server/retained.h"

#include <http_log.h>

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* The module's own data of any request_rec. */
typedef struct {
    const void *location; /* the location's record that `config` was merged with */
    const esign_config_t *config;
    esign_request_t *portal;
} record_t;

static record_t *record_of(request_rec *r)
{
    record_t *record = ap_get_module_config(r->request_config, &esign_module);
    if (!record) {
        record = apr_pcalloc(r->pool, sizeof(*record));
        ap_set_module_config(r->request_config, &esign_module, record);
    }
    return record;
}

esign_request_t *esign_request_of(request_rec *r)
{
    const record_t *record = ap_get_module_config(r->request_config, &esign_module);
    return record ? record->portal : NULL;
}

void esign_request_set(request_rec *r, esign_request_t *q)
{
    record_of(r)->portal = q;
}

const esign_config_t *esign_request_config(request_rec *r)
{
    record_t *record = record_of(r);
    const void *location = ap_get_module_config(r->per_dir_config, &esign_module);
    if (!record->config || record->location != location) {
        record->config = esign_config_of_request(r);
        record->location = location;
    }
    return record->config;
}

static apr_status_t return_connection(void *data)
{
    esign_request_t *q = data;
    esign_lease_release(q->runtime, q->database);
    q->database = NULL;
    return APR_SUCCESS;
}

void esign_request_release(esign_request_t *q)
{
    if (q->database)
        apr_pool_cleanup_run(q->r->pool, q, return_connection);
}

esign_database_t *esign_request_database(esign_request_t *q)
{
    if (!q->database && (q->database = esign_lease_acquire(q->runtime, q->r->pool)) != NULL) {
        apr_pool_cleanup_register(q->r->pool, q, return_connection, apr_pool_cleanup_null);
        q->write_gate = q->database->write_gate;
    }
    return q->database;
}

/* Waits for the write gate without a connection, so that a child needs few connections. If the wait
 * was too long, the connection is used without a gate: a second wait would keep the connection from
 * the request that has passed the gate. */
static void wait_to_write(esign_request_t *q)
{
    esign_request_release(q);
    int passed = esign_database_wait_to_write(q->write_gate);
    if (esign_request_database(q)) {
        q->database->holds_write_gate = passed;
        q->database->write_gate = passed ? q->write_gate : NULL;
    } else if (passed) {
        esign_gate_leave(q->write_gate);
    }
}

esign_result_t esign_request_begin(esign_request_t *q)
{
    if (q->write_gate || (esign_request_database(q) && q->write_gate))
        wait_to_write(q);
    return q->database ? esign_database_begin(q->database, q->r->pool)
                       : (esign_result_t){ APR_EGENERAL, "database", "no connection" };
}

esign_result_t esign_request_end(esign_request_t *q, esign_result_t result)
{
    result = q->database ? esign_database_end(q->database, result, q->r->pool) : result;
    if (q->wake_courier && !esign_failed(result))
        esign_wakeup_send(esign_retained_wakeup());
    q->wake_courier = 0;
    return result;
}

void esign_request_audit(esign_request_t *q, esign_audit_event_e event, apr_int64_t subscriber)
{
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = esign_audit_add(q->database, event, subscriber, q->address, q->now, q->r->pool);
    result = esign_request_end(q, result);
    if (esign_failed(result))
        esign_request_log(q, result);
}

esign_result_t esign_request_queue(esign_request_t *q, esign_outbox_kind_e kind,
                                   apr_table_t *values, apr_interval_time_t life)
{
    apr_table_setn(values, "url", q->runtime->messages.url);
    apr_table_setn(values, "organization", q->runtime->messages.organization);
    if (q->runtime->messages.sms_name)
        apr_table_setn(values, "sms-name", q->runtime->messages.sms_name);
    /* Nobody waits for a notice: the courier finds it when it next reads the outbox. */
    q->wake_courier |= kind != ESIGN_OUTBOX_NOTICE;
    return esign_outbox_add(q->database, kind, values, q->now, q->now + life, q->r->pool);
}

const char *esign_request_path(const esign_request_t *q, esign_path_e path)
{
    return apr_pstrcat(q->r->pool, q->config->prefix, "/", q->routes[path].path, NULL);
}

const char *esign_request_path_of(const esign_request_t *q, esign_path_e path, const char *segment)
{
    const esign_route_t *row = &q->routes[path];
    return apr_pstrcat(q->r->pool, q->config->prefix, "/", row->path, segment, row->suffix, NULL);
}

const char *esign_request_seconds(const esign_request_t *q, apr_time_t moment)
{
    apr_time_t left = moment - q->now;
    return apr_psprintf(q->r->pool, "%" APR_TIME_T_FMT,
                        left > APR_USEC_PER_SEC ? (left + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC
                                                : 1);
}

void esign_request_log(const esign_request_t *q, esign_result_t result)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, result.status, q->r, "mod_esign, %s: %s", result.problem,
                  result.detail);
}

void esign_request_log_refusal(const esign_request_t *q, const char *what)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, q->r, "mod_esign: refused: %s", what);
}

void esign_request_log_cache(const esign_request_t *q)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, q->r, "mod_esign: memcached: %s",
                  esign_cache_error(q->r->pool));
}
