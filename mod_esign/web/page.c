/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: writes page XML, and answers with it or with the HTML that XSLT makes of it. */
#include "page.h"

#include "client.h"
#include "mark.h"
#include "send.h"

#include <http_log.h>
#include <http_protocol.h>

#include <apr_strings.h>

#include <stdarg.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

#define RETRY_SECONDS 5

/* Whether the address answers POST alone, as the sign-out does. Links on such a page lead to the
 * menu instead. */
static int takes_no_get(const esign_request_t *q)
{
    return q->route && !q->route->get;
}

esign_page_t *esign_page_new(esign_request_t *q, const char *name, int status)
{
    apr_pool_t *p = q->r->pool;
    esign_page_t *page = apr_pcalloc(p, sizeof(*page));
    page->q = q;
    page->status = status;
    page->document = esign_document_new("page", p);
    const char *const attributes[][2] = {
        { "name", name },
        { "lang", q->language },
        { "status", apr_itoa(p, status) },
        { "prefix", q->config->prefix },
        { "static", apr_pstrcat(p, q->config->prefix, "/" ESIGN_STATIC, NULL) },
        { "home", q->config->home_url },
        { "organization", q->config->organization },
    };
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
        esign_document_attribute(page->document, attributes[i][0], attributes[i][1]);
    int languages = esign_page_element(page, 0, "languages", NULL);
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        const char *code = esign_catalogue_languages[i];
        esign_page_element(
            page, languages, "language", "code", code, "current",
            strcmp(code, q->language) == 0 ? "yes" : "no", "href",
            apr_pstrcat(p, takes_no_get(q) ? esign_request_path(q, ESIGN_PATH_MENU) : "",
                        "?lang=", code, NULL),
            NULL);
    }
    if (q->trust == ESIGN_TRUST_CODE)
        esign_page_element(page, 0, "signed-in", NULL);
    return page;
}

void esign_page_problem(esign_page_t *page, const char *field, const char *code,
                        const char *argument)
{
    int problem = esign_page_element(page, 0, "problem", "code", code, "field", field, NULL);
    if (argument) {
        esign_page_element(page, problem, "argument", NULL);
        esign_page_text(page, argument);
    }
}

int esign_page_element(esign_page_t *page, int parent, const char *name, ...)
{
    int element = esign_document_element(page->document, parent, name);
    va_list attributes;
    va_start(attributes, name);
    for (const char *attribute; (attribute = va_arg(attributes, const char *)) != NULL;) {
        const char *value = va_arg(attributes, const char *);
        if (value)
            esign_document_attribute(page->document, attribute, value);
    }
    va_end(attributes);
    return element;
}

int esign_page_form(esign_page_t *page, const char *name, esign_path_e path,
                    const esign_subscriber_t *subscriber)
{
    return esign_page_element(page, 0, name, "action", esign_request_path(page->q, path), "~mark",
                              subscriber ? esign_mark_make(page->q, subscriber) : NULL, NULL);
}

void esign_page_text(esign_page_t *page, const char *text)
{
    esign_document_text(page->document, text);
}

void esign_page_copied_text(esign_page_t *page, const char *text)
{
    esign_document_copied_text(page->document, text);
}

const char *esign_page_time(const esign_page_t *page, apr_time_t time, int date_only)
{
    const esign_request_t *q = page->q;
    return esign_catalogue_time(esign_render_catalogue(q->runtime->render), q->language, time,
                                date_only, q->r->pool);
}

void esign_page_headers(request_rec *r, const esign_config_t *config)
{
    static const char *const headers[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src "
          "'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
          "frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        apr_table_setn(r->err_headers_out, headers[i][0], headers[i][1]);
    if (config->require_tls)
        apr_table_setn(r->err_headers_out, "Strict-Transport-Security",
                       "max-age=31536000; includeSubDomains");
    if (esign_request_of(r))
        apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    else if (config->theme_reload)
        apr_table_setn(r->err_headers_out, "Cache-Control", "no-cache");
}

static esign_result_t render_html(esign_page_t *page, char **output, apr_size_t *length)
{
    const esign_runtime_t *runtime = page->q->runtime;
    apr_pool_t *p = page->q->r->pool;
    const esign_render_t *render;
    esign_page_cache_t *cache;
    esign_result_t result = esign_runtime_render(runtime, &render, &cache, p);
    if (esign_failed(result))
        return result;
    return esign_page_cache_render(cache, render, "page", page->document, output, length, p);
}

/* With EsignThemeReload the failure itself is the answer: a theme's author would take the last good
 * page for a page without the latest changes. */
static void show_failure(esign_page_t *page, esign_result_t result, char **output,
                         apr_size_t *length)
{
    request_rec *r = page->q->r;
    *output = apr_psprintf(r->pool, "EsignThemeReload\n\n%s: %s\n", result.problem, result.detail);
    *length = strlen(*output);
    r->status = HTTP_INTERNAL_SERVER_ERROR;
    ap_set_content_type(r, "text/plain; charset=utf-8");
}

int esign_page_send(esign_page_t *page)
{
    esign_request_t *q = page->q;
    request_rec *r = q->r;
    char *output;
    apr_size_t length;
    apr_table_mergen(r->err_headers_out, "Vary", "Accept, Accept-Language, Cookie");
    r->status = page->status;
    esign_document_finish(page->document);
    if (esign_client_wants_xml(r)) {
        output = page->document->bytes;
        length = page->document->length;
        ap_set_content_type(r, "application/xml; charset=utf-8");
    } else {
        esign_result_t result = render_html(page, &output, &length);
        if (esign_failed(result)) {
            esign_request_log(q, result);
            if (!q->runtime->config->theme_reload)
                return HTTP_INTERNAL_SERVER_ERROR;
            show_failure(page, result, &output, &length);
        } else
            ap_set_content_type(r, "text/html; charset=utf-8");
    }
    apr_table_setn(r->err_headers_out, "Content-Language", q->language);
    ap_set_content_length(r, (apr_off_t)length);
    esign_request_release(q);
    if (!r->header_only)
        esign_send_bytes(r, output, length, page->secret);
    return OK;
}

int esign_page_redirect(esign_request_t *q, esign_path_e path)
{
    apr_table_setn(q->r->err_headers_out, "Location", esign_request_path(q, path));
    q->r->status = HTTP_SEE_OTHER;
    ap_set_content_length(q->r, 0);
    return OK;
}

/* Sends a page whose only content is one link. */
static int send_plain(esign_request_t *q, const char *name, int status, const char *link,
                      const char *href)
{
    esign_page_t *page = esign_page_new(q, name, status);
    esign_page_element(page, 0, link, "href", href, NULL);
    return esign_page_send(page);
}

/* Sends a page that links to the start page. */
static int send_start(esign_request_t *q, const char *name, int status)
{
    return send_plain(q, name, status, "start", esign_request_path(q, ESIGN_PATH_START));
}

int esign_page_link_dead(esign_request_t *q)
{
    esign_page_t *page = esign_page_new(q, "link-dead", HTTP_GONE);
    esign_page_element(page, 0, "again", "href", esign_request_path(q, ESIGN_PATH_RESET), NULL);
    esign_page_element(page, 0, "sign-in", "href", esign_request_path(q, ESIGN_PATH_LOGIN), NULL);
    return esign_page_send(page);
}

int esign_page_expired(esign_request_t *q)
{
    return send_plain(q, "expired", HTTP_FORBIDDEN, "sign-in",
                      esign_request_path(q, ESIGN_PATH_LOGIN));
}

int esign_page_other_tab(esign_request_t *q, esign_path_e path)
{
    return send_plain(q, "other-tab", HTTP_CONFLICT, "go-on", esign_request_path(q, path));
}

int esign_page_not_found(esign_request_t *q)
{
    return send_start(q, "not-found", HTTP_NOT_FOUND);
}

int esign_page_method(esign_request_t *q)
{
    return send_start(q, "method", HTTP_METHOD_NOT_ALLOWED);
}

int esign_page_cross_site(esign_request_t *q)
{
    return send_start(q, "cross-site", HTTP_FORBIDDEN);
}

int esign_page_insecure(esign_request_t *q)
{
    return send_plain(q, "insecure", HTTP_FORBIDDEN, "start",
                      apr_pstrcat(q->r->pool, q->runtime->portal_url, "/", NULL));
}

int esign_page_invalid(esign_request_t *q, int status)
{
    return send_start(q, "invalid", status);
}

/* The link for another try: the same address. The address of a mailed link has been overwritten;
 * the empty reference makes the browser use the address that it has (RFC 3986 section 4.4). */
static const char *retry_link(const esign_request_t *q)
{
    if (q->argument)
        return "";
    return takes_no_get(q) ? esign_request_path(q, ESIGN_PATH_MENU) : q->r->uri;
}

int esign_page_busy(esign_request_t *q)
{
    const char *seconds = apr_itoa(q->r->pool, RETRY_SECONDS);
    apr_table_setn(q->r->err_headers_out, "Retry-After", seconds);
    esign_page_t *page = esign_page_new(q, "busy", HTTP_SERVICE_UNAVAILABLE);
    esign_page_element(page, 0, "again", "href", retry_link(q), NULL);
    esign_page_element(page, 0, "wait", "seconds", seconds, NULL);
    return esign_page_send(page);
}

int esign_page_unavailable(esign_request_t *q)
{
    apr_table_setn(q->r->err_headers_out, "Retry-After", apr_itoa(q->r->pool, RETRY_SECONDS));
    return send_plain(q, "unavailable", HTTP_SERVICE_UNAVAILABLE, "again", retry_link(q));
}

int esign_page_failed(esign_request_t *q, esign_result_t result)
{
    esign_request_log(q, result);
    return esign_page_unavailable(q);
}
