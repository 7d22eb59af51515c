/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: finds the page of a request, keeps secrets of its address out of sight, and lets in who
 * may enter. */
#include "route.h"

#include "client.h"
#include "form.h"
#include "mark.h"
#include "page.h"
#include "session.h"
#include "wipe.h"

#include "address.h"
#include "core/secret.h"

#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <scoreboard.h>

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

#define HANDLER "esign"
#define MASK "***"

/* The table of all requests; set when the hooks are registered. */
static const esign_route_t *routes;

/* The row whose segment, a secret, ends this address: the token of a mailed link, or the reference
 * of a report. `*segment`: as it is written in `below`. NULL: there is none. */
static const esign_route_t *find_secret(const char *below, const char **segment)
{
    for (const esign_route_t *row = routes; row < routes + ESIGN_PATHS; row++) {
        if (!row->suffix && strcmp(row->path, below) == 0)
            return NULL;
        if ((row->properties & ESIGN_ROUTE_SECRET) &&
            (*segment = esign_address_after(below, row->path)) != NULL)
            return row;
    }
    return NULL;
}

/* The token of a mailed link, or the reference of a report, takes its leave of everything that a
 * log, a trace or a status page prints of the request, and waits in the request's own record. The
 * address is written anew, not searched through: what stands for the token may be any text. */
static void hide_token(esign_request_t *q, const char *below)
{
    request_rec *r = q->r;
    apr_pool_t *p = r->pool;
    const char *written;
    const esign_route_t *row = q->argument ? NULL : find_secret(below, &written);
    if (!row)
        return;
    char *token = esign_secret_copy(p, written, strlen(written)),
         *hidden = apr_pstrcat(p, q->config->prefix, "/", row->path, MASK, NULL);
    int report = r->args && (row->properties & ESIGN_ROUTE_SECRET_QUERY);
    ap_unescape_url(token);
    q->argument = token;
    q->report = report ? esign_secret_copy(p, r->args, strlen(r->args)) : NULL;
    char *const clear[] = { r->the_request, r->unparsed_uri, r->uri, report ? r->args : NULL };
    for (size_t i = 0; i < sizeof(clear) / sizeof(*clear); i++)
        esign_secret_wipe(clear[i], clear[i] ? strlen(clear[i]) : 0);
    r->uri = r->parsed_uri.path = hidden;
    /* A gateway may add the phone number to its report, or the text. */
    if (report)
        r->args = r->parsed_uri.query = apr_pstrdup(p, MASK);
    r->unparsed_uri = r->args ? apr_pstrcat(p, r->uri, "?", r->args, NULL) : r->uri;
    r->the_request = apr_pstrcat(p, r->method, " ", r->unparsed_uri, " ", r->protocol, NULL);
}

/* What trace levels would write of a request to a portal: its lines and headers carry words and
 * cookies, its answers set them. */
static struct ap_logconf *without_trace(apr_pool_t *p, const struct ap_logconf *now)
{
    struct ap_logconf *capped = apr_pcalloc(p, sizeof(*capped));
    capped->level = now->level > APLOG_DEBUG ? APLOG_DEBUG : now->level;
    return capped;
}

/* Where a request leads is seen only when httpd and mod_http2 have traced much of it: a server with
 * a portal traces no connection. */
static int quieten_connection(conn_rec *c, void *socket)
{
    (void)socket;
    if (esign_runtime_any())
        c->log = without_trace(c->pool, c->log ? c->log : &c->base_server->log);
    return OK;
}

/* The portal's record of a request whose path, as far as it is known by now, stands below the
 * prefix; made at the first call. NULL: it does not. */
static esign_request_t *recognise(request_rec *r)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    const char *below =
        runtime && r->uri ? esign_address_below(r->uri, runtime->config->prefix) : NULL;
    if (!below)
        return NULL;
    esign_request_t *q = esign_request_of(r);
    if (!q) {
        q = apr_pcalloc(r->pool, sizeof(*q));
        q->r = r;
        q->runtime = runtime;
        q->config = runtime->config;
        q->routes = routes;
        esign_request_set(r, q);
    }
    hide_token(q, below);
    return q;
}

/* Before anything else logs the request. */
static int hide_secrets(request_rec *r)
{
    recognise(r);
    esign_wipe_after(r);
    return DECLINED;
}

/* Masks the secrets of an address that was not taken apart, in place. */
static void hide_unread_secrets(request_rec *r, const char *prefix)
{
    const char *below = r->uri ? esign_address_below(r->uri, prefix) : NULL;
    char *const lines[] = { r->the_request, r->unparsed_uri, r->uri };
    for (const esign_route_t *row = routes; row < routes + ESIGN_PATHS; row++) {
        int query = (row->properties & ESIGN_ROUTE_SECRET_QUERY) != 0;
        if (!(row->properties & ESIGN_ROUTE_SECRET))
            continue;
        if (query && r->args && below && strncmp(below, row->path, strlen(row->path)) == 0)
            memset(r->args, '*', strlen(r->args));
        const char *start = apr_pstrcat(r->pool, prefix, "/", row->path, NULL);
        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
            if (lines[i])
                esign_address_mask(lines[i], start, query ? " " : " ?#");
    }
}

/* A request that was refused before anybody could look at it (a header too long) is logged all the
 * same. */
static int hide_unread(request_rec *r)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (esign_request_of(r))
        return DECLINED;
    esign_wipe_after(r);
    if (!runtime)
        return DECLINED;
    hide_unread_secrets(r, runtime->config->prefix);
    /* The status page has its line already. */
    ap_update_child_status(r->connection->sbh, SERVER_BUSY_LOG, r);
    return DECLINED;
}

/* The row of what stands below the prefix, and the segment that stands for its *. */
static void find_route(esign_request_t *q, const char *below)
{
    for (const esign_route_t *row = routes; row < routes + ESIGN_PATHS; row++) {
        const char *argument =
            row->suffix ? esign_address_segment(below, row->path, row->suffix, q->r->pool) : NULL;
        if (!argument && (row->suffix || strcmp(row->path, below) != 0))
            continue;
        q->route = row;
        if (!q->argument)
            q->argument = argument;
        return;
    }
}

/* Pages of the portal are no files; what stands below static/ is, and httpd serves it. */
static int translate(request_rec *r)
{
    /* Once more: an address shows only now, with its escapes and double slashes gone, where it
     * leads. */
    esign_request_t *q = r->main ? NULL : recognise(r);
    const char *below = q ? esign_address_below(r->uri, q->config->prefix) : NULL;
    if (!below || strncmp(below, ESIGN_STATIC "/", strlen(ESIGN_STATIC "/")) == 0 ||
        !esign_request_config(r)->enabled) {
        esign_request_set(r, NULL);
        return DECLINED;
    }
    q->config = esign_request_config(r);
    q->now = apr_time_now();
    q->address = r->useragent_ip;
    q->language = esign_client_language(r);
    find_route(q, below);
    r->handler = HANDLER;
    r->filename = apr_pstrdup(r->pool, "esign:");
    return OK;
}

static int map_to_storage(request_rec *r)
{
    return esign_request_of(r) ? OK : DECLINED;
}

/* The body comes before mod_session looks who is there: while it was on its way, a sign-out or the
 * end of a code may have passed it. */
static int read_form(request_rec *r)
{
    esign_request_t *q = esign_request_of(r);
    if (q && r->method_number == M_POST) {
        int plain = q->route && (q->route->properties & ESIGN_ROUTE_PLAIN_BODY);
        q->form_refusal = plain ? esign_form_read_plain(q) : esign_form_read(q);
        q->now = apr_time_now();
    }
    return DECLINED;
}

static int fixups(request_rec *r)
{
    if (!esign_runtime_of(r->server))
        return DECLINED;
    const esign_config_t *config = esign_request_config(r);
    if (!config->enabled)
        return DECLINED;
    esign_page_headers(r, config);
    if (esign_request_of(r)) {
        if (r->log)
            r->log = without_trace(r->pool, r->log);
        r->handler = HANDLER;
    }
    return DECLINED;
}

/* httpd's own words on a request that it refused before anybody looked at it (a broken line, two
 * hosts, an escaped slash) go into no frame and no cache either. An administrator's ErrorDocument
 * does not come by here. */
static void guard_refusal(request_rec *r)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (!runtime || apr_table_get(r->err_headers_out, "Content-Security-Policy"))
        return;
    esign_page_headers(r, runtime->config);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

/* Whether the request came over a connection that the configuration allows. */
static int may_answer(const esign_request_t *q)
{
    return !q->config->require_tls || esign_client_secure(q->r);
}

/* ?lang=xx on any page: remembered in a cookie, then the same page without it. What has no page of
 * its own to go back to is answered at once: a picture's sound, which leaves the cookie alone, a
 * mailed link, whose address is not known any more, an unknown address, and a request without TLS,
 * whose browser keeps no cookie of ours. */
static int switch_language(esign_request_t *q)
{
    request_rec *r = q->r;
    const char *language =
        r->args && strncmp(r->args, "lang=", 5) == 0 ? esign_catalogue_language(r->args + 5) : NULL;
    if (!language || r->method_number != M_GET)
        return DECLINED;
    q->language = language;
    if (q->route && q->route->suffix && *q->route->suffix)
        return DECLINED;
    esign_client_set_cookie(r, ESIGN_COOKIE_LANGUAGE, language, 365 * 24 * 3600);
    if (q->argument || !q->route || !may_answer(q))
        return DECLINED;
    return esign_page_redirect(q, (esign_path_e)(q->route - q->routes));
}

/* Lets in who has the trust that the row asks for; others are led to the step that is missing. OK:
 * come in; DONE: answered. */
static int admit(esign_request_t *q)
{
    if (q->route->trust == ESIGN_TRUST_NONE)
        return OK;
    int found = esign_session_identify(q);
    if (found == DECLINED)
        esign_page_expired(q);
    else if (found != OK)
        esign_page_unavailable(q);
    else if (q->trust < q->route->trust)
        esign_page_redirect(q, ESIGN_PATH_OTP);
    else if (q->r->method_number == M_POST && esign_mark_differs(q, q->subscriber))
        esign_page_other_tab(q, q->trust < ESIGN_TRUST_CODE ? ESIGN_PATH_OTP : ESIGN_PATH_MENU);
    else
        return OK;
    return DONE;
}

static int answer(esign_request_t *q)
{
    request_rec *r = q->r;
    int post = r->method_number == M_POST;
    if (switch_language(q) == OK)
        return OK;
    if (!q->runtime->cache)
        return esign_page_unavailable(q);
    if (!may_answer(q))
        return esign_page_insecure(q);
    if (!q->route)
        return esign_page_not_found(q);
    esign_screen_fn *screen = post                        ? q->route->post
                              : r->method_number == M_GET ? q->route->get
                                                          : NULL;
    if (!screen) {
        apr_table_setn(r->err_headers_out, "Allow",
                       !q->route->post ? "GET, HEAD"
                       : q->route->get ? "GET, HEAD, POST"
                                       : "POST");
        return esign_page_method(q);
    }
    if (post) {
        if (!esign_client_same_origin(r, q->config)) {
            esign_request_note(q, "a form of another site");
            return esign_page_cross_site(q);
        }
        if (q->form_refusal)
            return esign_page_invalid(q, q->form_refusal);
    }
    return admit(q) == OK ? screen(q) : OK;
}

static int handler(request_rec *r)
{
    esign_request_t *q = esign_request_of(r);
    if (!q || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    int status = answer(q);
    esign_request_release(q);
    return status;
}

void esign_route_register_hooks(apr_pool_t *p, const esign_route_t *table)
{
    (void)p;
    routes = table;
    ap_hook_pre_connection(quieten_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(hide_secrets, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(translate, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(read_form, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(guard_refusal, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(hide_unread, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
