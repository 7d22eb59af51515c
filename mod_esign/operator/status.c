/* SPDX-License-Identifier: Apache-2.0 */
/* status.c: mod_esign's part of mod_status's page: a table, or lines for programs (?auto). */
#include "status.h"

#include "exposition.h"
#include "levels.h"

#include "audit/trail.h"
#include "core/clock.h"
#include "deliver/mail.h"
#include "deliver/sms.h"
#include "server/lease.h"
#include "store/outbox.h"

#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>

#include <apr_optional_hooks.h>
#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* Reads the levels of a portal if they are due. */
static void refresh_levels(request_rec *r, const esign_runtime_t *portal)
{
    apr_pool_t *p;
    if (!esign_levels_claim(portal->meter, apr_time_now()))
        return;
    apr_pool_create(&p, r->pool);
    esign_database_t *database = esign_lease_acquire(portal, p);
    esign_result_t result = esign_levels_read(portal->meter, database, p);
    if (esign_failed(result) && database)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, result.status, r, "mod_esign, %s: %s", result.problem,
                      result.detail);
    if (database)
        esign_lease_release(portal, database);
    apr_pool_destroy(p);
}

const apr_array_header_t *esign_status_portals(request_rec *r)
{
    const apr_array_header_t *portals = esign_runtime_portals(r->pool);
    for (int i = 0; i < portals->nelts; i++)
        refresh_levels(r, APR_ARRAY_IDX(portals, i, const esign_runtime_t *));
    return portals;
}

int esign_status_servers(const esign_runtime_t *portal)
{
    return 1 + portal->gateways->nelts;
}

static const esign_sms_gateway_t *gateway_of(const esign_runtime_t *portal, int server)
{
    return server > 0 ? &APR_ARRAY_IDX(portal->gateways, server - 1, esign_sms_gateway_t) : NULL;
}

const char *esign_status_server(const esign_runtime_t *portal, int server, apr_pool_t *p)
{
    return server > 0 ? esign_sms_gateway_host(gateway_of(portal, server), p)
                      : esign_mail_server_host(&portal->smtp, p);
}

const char *esign_status_gateway(const esign_runtime_t *portal, int server)
{
    return server > 0 && portal->config->sms_gateways ? gateway_of(portal, server)->name : NULL;
}

/* Writes a portal's lines, in the form of mod_proxy's for its balancers. */
static void write_lines(request_rec *r, int number, const esign_runtime_t *portal, apr_time_t now)
{
    esign_meter_t *m = portal->meter;
    const char *name = apr_psprintf(r->pool, "Esign[%d]", number);
    ap_rprintf(r, "%sPortal: %s\n%sDatabaseUp: %d\n%sCourierRoundAge: %s\n", name,
               portal->portal_url, name, m->known, name,
               esign_exposition_age(r->pool, m->round, now));
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++) {
        const char *of = apr_psprintf(r->pool, "%sMessage[%s]", name,
                                      esign_outbox_kind_name((esign_outbox_kind_e)kind));
        if (m->known)
            ap_rprintf(r,
                       "%sWaiting: %" APR_INT64_T_FMT
                       "\n%sOldestAge: %s\n%sAwaitingReport: %" APR_INT64_T_FMT
                       "\n%sDead: %" APR_INT64_T_FMT "\n",
                       of, m->messages[kind].waiting, of,
                       esign_exposition_age(r->pool, m->messages[kind].oldest, now), of,
                       m->messages[kind].reports, of, m->messages[kind].dead);
        ap_rprintf(r,
                   "%sSent: %" APR_UINT64_T_FMT "\n%sRetried: %" APR_UINT64_T_FMT
                   "\n%sFailed: %" APR_UINT64_T_FMT "\n",
                   of, m->messages[kind].sent, of, m->messages[kind].retried, of,
                   m->messages[kind].failed);
    }
    for (int i = 0; i < esign_status_servers(portal); i++)
        ap_rprintf(r, "%sServer[%d]Host: %s\n%sServer[%d]BreakerOpen: %d\n", name, i,
                   esign_status_server(portal, i, r->pool), name, i, m->left_until[i] != 0);
    if (m->known)
        ap_rprintf(r, "%sAuditUnchained: %" APR_INT64_T_FMT "\n%sAuditUnchainedAge: %s\n", name,
                   m->unchained, name, esign_exposition_age(r->pool, m->unchained_oldest, now));
}

static const char *seconds(apr_pool_t *p, apr_time_t since, apr_time_t now)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT " s",
                        since > 0 && since < now ? apr_time_sec(now - since) : 0);
}

static void write_servers(request_rec *r, const esign_runtime_t *portal)
{
    apr_time_t now = esign_clock();
    for (int i = 0; i < esign_status_servers(portal); i++) {
        const char *gateway = esign_status_gateway(portal, i);
        apr_time_t until = portal->meter->left_until[i];
        ap_rprintf(r, "%s%s %s%s%s", i > 0 ? "<br />" : "", i > 0 ? "SMS" : "mail",
                   gateway ? ap_escape_html(r->pool, gateway) : "", gateway ? " " : "",
                   ap_escape_html(r->pool, esign_status_server(portal, i, r->pool)));
        if (until > now)
            ap_rprintf(r, ": <b>left alone for %s</b>", seconds(r->pool, now, until));
        else
            ap_rputs(until != 0 ? ": <b>being tried</b>" : ": in use", r);
    }
}

/* Writes a portal's row: a cell for each kind of messages, one for the servers, one for the
 * courier.
 */
static void write_row(request_rec *r, const esign_runtime_t *portal, apr_time_t now)
{
    esign_meter_t *m = portal->meter;
    ap_rprintf(r, "<tr><td>%s</td>", ap_escape_html(r->pool, portal->portal_url));
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++) {
        ap_rputs("<td>", r);
        if (m->known)
            ap_rprintf(r,
                       "%" APR_INT64_T_FMT " waiting, oldest %s<br />%" APR_INT64_T_FMT
                       " await a report<br />%" APR_INT64_T_FMT " dead<br />",
                       m->messages[kind].waiting, seconds(r->pool, m->messages[kind].oldest, now),
                       m->messages[kind].reports, m->messages[kind].dead);
        ap_rprintf(r,
                   "%" APR_UINT64_T_FMT " sent<br />%" APR_UINT64_T_FMT
                   " retried<br />%" APR_UINT64_T_FMT " failed</td>",
                   m->messages[kind].sent, m->messages[kind].retried, m->messages[kind].failed);
    }
    ap_rputs("<td>", r);
    write_servers(r, portal);
    ap_rprintf(r, "</td><td>last round: %s<br />",
               m->round ? apr_pstrcat(r->pool, seconds(r->pool, m->round, now), " ago", NULL)
                        : "never");
    if (m->known)
        ap_rprintf(r, "%" APR_INT64_T_FMT " audit rows to be chained, oldest %s", m->unchained,
                   seconds(r->pool, m->unchained_oldest, now));
    else
        ap_rputs("<b>the database cannot be read</b>", r);
    ap_rputs("</td></tr>\n", r);
}

static void write_table(request_rec *r, const apr_array_header_t *portals, apr_time_t now)
{
    ap_rputs("<table border=\"1\"><tr><th>Portal</th>", r);
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
        ap_rprintf(r, "<th>%s</th>", esign_outbox_kind_name((esign_outbox_kind_e)kind));
    ap_rputs("<th>Servers</th><th>Courier</th></tr>\n", r);
    for (int i = 0; i < portals->nelts; i++)
        write_row(r, APR_ARRAY_IDX(portals, i, const esign_runtime_t *), now);
    ap_rputs("</table>\n", r);
}

/* Writes the state of the hash gate, which all portals share; `any` is one of them. */
static void write_gate(request_rec *r, const esign_runtime_t *any, int lines)
{
    esign_gate_state_t gate;
    if (esign_gate_read(any->gate, &gate) != APR_SUCCESS)
        return;
    if (lines)
        ap_rprintf(r, "EsignHashSlots: %d\nEsignHashSlotsInUse: %d\nEsignHashWaiting: %d\n",
                   gate.slots, gate.inside, gate.waiting);
    else
        ap_rprintf(r, "<p>Argon2id: %d of %d slots in use, %d requests wait for one</p>\n",
                   gate.inside, gate.slots, gate.waiting);
}

/* mod_status's hook. With ?notable people, too, get the lines instead of the table. */
static int write_status(request_rec *r, int flags)
{
    int lines = (flags & (AP_STATUS_SHORT | AP_STATUS_NOTABLE)) != 0,
        page = !(flags & AP_STATUS_SHORT);
    if (!esign_runtime_any())
        return DECLINED;
    const apr_array_header_t *portals = esign_status_portals(r);
    apr_time_t now = apr_time_now();
    if (page)
        ap_rputs("<hr />\n<h2>mod_esign</h2>\n", r);
    if (page && lines)
        ap_rputs("<pre>\n", r);
    write_gate(r, APR_ARRAY_IDX(portals, 0, const esign_runtime_t *), lines);
    for (int i = 0; lines && i < portals->nelts; i++)
        write_lines(r, i, APR_ARRAY_IDX(portals, i, const esign_runtime_t *), now);
    if (!lines)
        write_table(r, portals, now);
    if (page && lines)
        ap_rputs("</pre>\n", r);
    return OK;
}

void esign_status_register_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ap, status_hook, write_status, NULL, NULL, APR_HOOK_MIDDLE);
}
