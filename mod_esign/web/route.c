/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: finds the screen of a request, moves secrets out of its address before anything logs it,
 * and checks the trust that the screen needs. */
#include "route.h"

#include "address.h"
#include "client.h"
#include "form.h"
#include "mark.h"
#include "page.h"
#include "session.h"
#include "wipe.h"

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

/* The route table. */
static const esign_route_t *routes;

/* The row of an address that ends in a secret: the token of a mailed link, or the reference of a
 * delivery report. `*segment` is the secret, inside `below`, escapes included. NULL: the address
 * has none. */
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

/* Moves the secret of the address into the request record, so that no log, trace or status page
 * shows it. The address is written anew; a search for the secret could replace other text, because
 * a secret may be any text. */
static void hide_secret(esign_request_t *q, const char *below)
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
    /* A gateway may add the phone number to its report, or the message. */
    if (report)
        r->args = r->parsed_uri.query = apr_pstrdup(p, MASK);
    r->unparsed_uri = r->args ? apr_pstrcat(p, r->uri, "?", r->args, NULL) : r->uri;
    r->the_request = apr_pstrcat(p, r->method, " ", r->unparsed_uri, " ", r->protocol, NULL);
}

/* A copy of a log configuration without the trace levels, which write request lines, headers and
 * bodies: these carry words and cookies. */
static struct ap_logconf *cap_log(apr_pool_t *p, const struct ap_logconf *now)
{
    struct ap_logconf *capped = apr_pcalloc(p, sizeof(*capped));
    capped->level = now->level > APLOG_DEBUG ? APLOG_DEBUG : now->level;
    return capped;
}

/* Turns trace levels off for each connection of a server with a portal: httpd and mod_http2 trace
 * much of a request before its address is known. */
static int cap_connection_log(conn_rec *c, void *socket)
{
    (void)socket;
    if (esign_runtime_any())
        c->log = cap_log(c->pool, c->log ? c->log : &c->base_server->log);
    return OK;
}

/* The record of a request whose path is now below the prefix, made at the first call. NULL: the
 * path is not below the prefix. */
static esign_request_t *find_record(request_rec *r)
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
    hide_secret(q, below);
    return q;
}

/* Runs before any other module can log the request. */
static int post_read_request(request_rec *r)
{
    find_record(r);
    esign_wipe_after(r);
    return DECLINED;
}

/* Overwrites secrets in an address that was not parsed. */
static void mask_secrets(request_rec *r, const char *prefix)
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

/* Masks a request that httpd refused before post_read_request ran, because a header was too long
 * for example: httpd logs such a request too. */
static int log_transaction(request_rec *r)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (esign_request_of(r))
        return DECLINED;
    esign_wipe_after(r);
    if (!runtime)
        return DECLINED;
    mask_secrets(r, runtime->config->prefix);
    /* The status page already shows its line; this replaces it. */
    ap_update_child_status(r->connection->sbh, SERVER_BUSY_LOG, r);
    return DECLINED;
}

/* Sets the row of an address, and its segment unless hide_secret has. */
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

/* Keeps httpd from mapping pages of the portal to files, and finds their row. Files below static/
 * are left to httpd. */
static int translate_name(request_rec *r)
{
    /* A second time: httpd has decoded the address and merged its slashes since
     * post_read_request, so only now may it begin with the prefix. */
    esign_request_t *q = r->main ? NULL : find_record(r);
    const char *below = q ? esign_address_below(r->uri, q->config->prefix) : NULL;
    if (!below || strncmp(below, ESIGN_STATIC "/", strlen(ESIGN_STATIC "/")) == 0 ||
        !esign_request_config(r)->enabled) {
        if (esign_request_of(r))
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

/* Reads the body before mod_session loads the session. A body may arrive slowly; meanwhile another
 * request may sign out or use up the code. */
static int read_body(request_rec *r)
{
    esign_request_t *q = esign_request_of(r);
    if (q && r->method_number == M_POST) {
        int plain = q->route && (q->route->properties & ESIGN_ROUTE_PLAIN_BODY);
        q->form_refusal = plain ? esign_form_read_plain(q) : esign_form_read(q);
        q->now = apr_time_now();
    }
    return DECLINED;
}

/* Adds the security headers to all answers of the location, static files included. */
static int add_headers(request_rec *r)
{
    if (!esign_runtime_of(r->server))
        return DECLINED;
    const esign_config_t *config = esign_request_config(r);
    if (!config->enabled)
        return DECLINED;
    esign_page_headers(r, config);
    if (esign_request_of(r)) {
        if (r->log)
            r->log = cap_log(r->pool, r->log);
        r->handler = HANDLER;
    }
    return DECLINED;
}

/* Adds them to httpd's own error pages, of a request that it refused before fixups: a broken
 * request line, two Host fields, an escaped slash. An ErrorDocument has passed add_headers. */
static void add_headers_to_error(request_rec *r)
{
    const esign_runtime_t *runtime = esign_runtime_of(r->server);
    if (!runtime || apr_table_get(r->err_headers_out, "Content-Security-Policy"))
        return;
    esign_page_headers(r, runtime->config);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

/* Whether the connection has TLS, or needs none. */
static int is_connection_allowed(const esign_request_t *q)
{
    return !q->config->require_tls || esign_client_secure(q->r);
}

/* Handles ?lang=XX: sets the language cookie and redirects to the same page without the query. Some
 * addresses are answered at once in that language, without a redirect: an unknown one, that of a
 * mailed link, which has been overwritten, and any without TLS, where browsers refuse the cookie. A
 * spoken picture does not set the cookie either. DECLINED: nothing was answered. */
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
    if (q->argument || !q->route || !is_connection_allowed(q))
        return DECLINED;
    return esign_page_redirect(q, (esign_path_e)(q->route - q->routes));
}

/* Checks the trust that the row needs, and the mark of a form. A sender with too little trust is
 * redirected to the step that is missing. OK: the screen may answer; DONE: this has answered. */
static int check_trust(esign_request_t *q)
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

static int answer_request(esign_request_t *q)
{
    request_rec *r = q->r;
    int post = r->method_number == M_POST;
    if (switch_language(q) == OK)
        return OK;
    if (!q->runtime->cache)
        return esign_page_unavailable(q);
    if (!is_connection_allowed(q))
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
            esign_request_log_refusal(q, "a form of another site");
            return esign_page_cross_site(q);
        }
        if (q->form_refusal)
            return esign_page_invalid(q, q->form_refusal);
    }
    return check_trust(q) == OK ? screen(q) : OK;
}

static int handler(request_rec *r)
{
    esign_request_t *q = esign_request_of(r);
    if (!q || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    int status = answer_request(q);
    esign_request_release(q);
    return status;
}

void esign_route_register_hooks(apr_pool_t *p, const esign_route_t *table)
{
    (void)p;
    routes = table;
    ap_hook_pre_connection(cap_connection_log, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(read_body, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(add_headers, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(add_headers_to_error, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(log_transaction, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
