/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: the handler esign-metrics: a table of metrics, each with the function that reads its
 * value from a portal's meter. */
#include "status.h"

#include "exposition.h"

#include "audit/trail.h"
#include "store/outbox.h"

#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>

#define HANDLER "esign-metrics"

/* One answer to a request. */
typedef struct {
    request_rec *r;
    const apr_array_header_t *portals;
    apr_time_t now;
} report_t;

/* Returns the value of a portal, or of its kind of messages, kind of events or server with the
 * index `which`; NULL: it is not known. */
typedef const char *value_fn(const report_t *report, const esign_meter_t *meter, int which);

/* Whether a metric has one sample a portal, or one for each kind, event or server of the portal. */
typedef enum { PORTAL, KIND, EVENT, SERVER } each_e;

/* A level is known only if the last reading of the database succeeded; so is an age. */
static const char *level(const report_t *report, const esign_meter_t *meter, apr_int64_t number)
{
    return meter->known ? esign_exposition_number(report->r->pool, number) : NULL;
}

static const char *count(const report_t *report, apr_uint64_t number)
{
    return esign_exposition_number(report->r->pool, (apr_int64_t)number);
}

static const char *age(const report_t *report, const esign_meter_t *meter, apr_time_t since)
{
    return meter->known ? esign_exposition_age(report->r->pool, since, report->now) : NULL;
}

/* Defines a value_fn. */
#define VALUE(name, expression)                                                    \
    static const char *name(const report_t *report, const esign_meter_t *m, int i) \
    {                                                                              \
        (void)i;                                                                   \
        return expression;                                                         \
    }
VALUE(up, count(report, m->known != 0))
VALUE(courier_round, esign_exposition_seconds(report->r->pool, m->round))
VALUE(waiting, level(report, m, m->messages[i].waiting))
VALUE(oldest, age(report, m, m->messages[i].oldest))
VALUE(reports, level(report, m, m->messages[i].reports))
VALUE(dead, level(report, m, m->messages[i].dead))
VALUE(sent, count(report, m->messages[i].sent))
VALUE(retried, count(report, m->messages[i].retried))
VALUE(failed, count(report, m->messages[i].failed))
VALUE(breaker, count(report, m->left_until[i] != 0))
VALUE(unchained, level(report, m, m->unchained))
VALUE(unchained_oldest, age(report, m, m->unchained_oldest))
VALUE(events, count(report, m->events[i]))
VALUE(hashes_refused, count(report, m->hashes_refused))
VALUE(hashes_accepted, count(report, m->hashes_accepted))
VALUE(hash_time, esign_exposition_seconds(report->r->pool, (apr_time_t)m->hash_time))

static const struct {
    const char *name, *type, *help;
    each_e each;
    value_fn *value;
} metrics[] = {
    { "esign_database_up", "gauge", "Whether the database could be read at the last look.", PORTAL,
      up },
    { "esign_courier_last_round_timestamp_seconds", "gauge",
      "When the courier of this node last reached the database.", PORTAL, courier_round },
    { "esign_messages_waiting", "gauge",
      "Messages in the outbox that are to be sent, those on their way among them.", KIND, waiting },
    { "esign_messages_oldest_age_seconds", "gauge",
      "How long the first of these has been in the outbox; 0: none waits.", KIND, oldest },
    { "esign_messages_awaiting_report", "gauge",
      "Messages that a gateway took and has not reported.", KIND, reports },
    { "esign_messages_dead", "gauge",
      "Messages that were given up or expired, until EsignOutboxKeep.", KIND, dead },
    { "esign_messages_sent_total", "counter", "Messages that a server took from this node.", KIND,
      sent },
    { "esign_messages_retried_total", "counter",
      "Tries of this node that failed and were not the last.", KIND, retried },
    { "esign_messages_failed_total", "counter", "Messages that this node gave up or saw expire.",
      KIND, failed },
    { "esign_breaker_open", "gauge",
      "Whether this node leaves a server alone because it cannot be used.", SERVER, breaker },
    { "esign_audit_unchained", "gauge",
      "Audit rows that wait to be chained; no more than 10000 are counted.", PORTAL, unchained },
    { "esign_audit_unchained_oldest_age_seconds", "gauge",
      "How long the first of these has waited; 0: none waits.", PORTAL, unchained_oldest },
    { "esign_audit_events_total", "counter", "Rows that this node wrote into the audit trail.",
      EVENT, events },
    { "esign_hash_accepted_total", "counter", "Slots for Argon2id that requests got.", PORTAL,
      hashes_accepted },
    { "esign_hash_cpu_seconds_total", "counter", "Processor time that these took in their slots.",
      PORTAL, hash_time },
    { "esign_hash_refused_total", "counter", "Requests that got no slot for Argon2id in time.",
      PORTAL, hashes_refused },
};

/* How many samples a metric has for a portal. */
static int samples_of(each_e each, const esign_runtime_t *portal)
{
    switch (each) {
    case KIND:
        return ESIGN_OUTBOX_KINDS;
    case EVENT:
        return ESIGN_AUDIT_EVENTS;
    case SERVER:
        return esign_status_servers(portal);
    default:
        return 1;
    }
}

static void write_sample(const report_t *report, size_t metric, const esign_runtime_t *portal,
                         int which)
{
    apr_pool_t *p = report->r->pool;
    each_e each = metrics[metric].each;
    const char *labels[] = {
        "portal",  portal->portal_url,
        "kind",    each == KIND ? esign_outbox_kind_name((esign_outbox_kind_e)which) : NULL,
        "event",   each == EVENT ? esign_event_name((esign_audit_event_e)which) : NULL,
        "service", each != SERVER ? NULL : which > 0 ? "sms" : "mail",
        "server",  each == SERVER ? esign_status_server(portal, which, p) : NULL,
        "gateway", each == SERVER ? esign_status_gateway(portal, which) : NULL,
        NULL
    };
    const char *value = metrics[metric].value(report, portal->meter, which);
    if (value)
        ap_rputs(esign_exposition_sample(p, metrics[metric].name, labels, value), report->r);
}

static void write_metric(const report_t *report, size_t metric)
{
    ap_rputs(esign_exposition_head(report->r->pool, metrics[metric].name, metrics[metric].type,
                                   metrics[metric].help),
             report->r);
    for (int i = 0; i < report->portals->nelts; i++) {
        const esign_runtime_t *portal = APR_ARRAY_IDX(report->portals, i, const esign_runtime_t *);
        for (int which = 0; which < samples_of(metrics[metric].each, portal); which++)
            write_sample(report, metric, portal, which);
    }
}

static void write_gauge(request_rec *r, const char *name, const char *help, const char *label,
                        const char *value, int number)
{
    const char *const labels[] = { label, value, NULL };
    ap_rputs(esign_exposition_head(r->pool, name, "gauge", help), r);
    ap_rputs(
        esign_exposition_sample(r->pool, name, labels, esign_exposition_number(r->pool, number)),
        r);
}

/* Writes the metrics of the node, which all portals share. */
static void write_node(const report_t *report)
{
    request_rec *r = report->r;
    esign_gate_state_t gate;
    write_gauge(r, "esign_build_info", "The version of mod_esign.", "version", ESIGN_VERSION, 1);
    if (report->portals->nelts == 0 ||
        esign_gate_read(APR_ARRAY_IDX(report->portals, 0, const esign_runtime_t *)->gate, &gate) !=
            APR_SUCCESS)
        return;
    write_gauge(r, "esign_hash_slots", "Argon2id hashes that may run at once on this node.", NULL,
                NULL, gate.slots);
    write_gauge(r, "esign_hash_slots_in_use", "Hashes that run.", NULL, NULL, gate.inside);
    write_gauge(r, "esign_hash_waiting", "Requests that wait for a slot.", NULL, NULL,
                gate.waiting);
}

static int handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET)
        return HTTP_METHOD_NOT_ALLOWED;
    int status = ap_discard_request_body(r);
    if (status != OK)
        return status;
    ap_set_content_type(r, ESIGN_EXPOSITION_TYPE);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    if (r->header_only)
        return OK;
    const report_t report = { .r = r, .portals = esign_status_portals(r), .now = apr_time_now() };
    write_node(&report);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
        write_metric(&report, i);
    return OK;
}

void esign_metrics_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
