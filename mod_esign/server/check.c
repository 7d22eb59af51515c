/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: checks the whole configuration when httpd has read it: missing directives and modules,
 * unreadable files, and values that exclude each other. */
#include "check.h"

#include "config.h"
#include "gateways.h"

#include "core/keyring.h"
#include "core/url.h"
#include "core/word.h"
#include "deliver/libcurl.h"
#include "deliver/mail.h"
#include "render/render.h"

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_session.h>

#include <apr_cstr.h>
#include <apr_file_io.h>
#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* A weak symbol, so that httpd loads mod_esign even without mod_session. check_modules then reports
 * the missing module. */
#pragma weak ap_hook_session_load

static const char *check_readable(apr_pool_t *p, const char *directive, const char *path)
{
    apr_file_t *file;
    apr_status_t status = path ? apr_file_open(&file, path, APR_READ, 0, p) : APR_SUCCESS;
    char text[120];
    return status == APR_SUCCESS ? NULL
                                 : apr_psprintf(p, "%s: %s cannot be read: %s", directive, path,
                                                apr_strerror(status, text, sizeof(text)));
}

/* Directives without a default that the portal needs. */
static const char *check_required(apr_pool_t *p, const esign_config_t *config)
{
    const struct {
        const char *directive, *value, *example;
    } rows[] = {
        { "EsignKeyFile", config->key_file, "the file that `esignctl key new` made" },
        { "EsignMemcached", config->memcached, "for example \"--SERVER=127.0.0.1:11211\"" },
        { "EsignOrganization", config->organization, "the authority's name" },
        { "EsignMail", config->mail_url, "for example smtp://127.0.0.1:25" },
        { "EsignMailFrom", config->mail_from, "the sender's address" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!rows[i].value)
            return apr_psprintf(p, "%s is missing: write %s", rows[i].directive, rows[i].example);
    return NULL;
}

/* Modules of httpd that the portal needs. */
static const char *check_modules(apr_pool_t *p, const esign_config_t *config)
{
    const struct {
        const char *name, *why;
        int there;
    } rows[] = {
        { "session", "keeps sessions", &ap_hook_session_load != NULL },
        { "dbd", "reaches the database", ap_find_linked_module("mod_dbd.c") != NULL },
        { "watchdog", "sends mail and SMS", ap_find_linked_module("mod_watchdog.c") != NULL },
        { "ssl", "EsignRequireTLS asks for",
          !config->require_tls || ap_find_linked_module("mod_ssl.c") != NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!rows[i].there)
            return apr_psprintf(p,
                                "mod_%s, which %s, is not loaded before mod_esign: write its "
                                "LoadModule line above mod_esign's (Debian: a2enmod %s; "
                                "load mod_esign by a file whose name comes later, z_esign.load)",
                                rows[i].name, rows[i].why, rows[i].name);
    return NULL;
}

static const char *check_keys(apr_pool_t *p, const esign_config_t *config)
{
    esign_keyring_t *keyring;
    esign_result_t result = esign_keyring_load(&keyring, config->key_file, p);
    return esign_failed(result) ? apr_psprintf(p, "EsignKeyFile: %s", result.detail) : NULL;
}

/* Reads, at `httpd -t` alone, what a start reads anyway: stylesheets, texts and the blocklist. It
 * also checks libcurl. */
static const char *check_contents(apr_pool_t *p, const esign_config_t *config)
{
    const esign_render_t *render;
    esign_blocklist_t *blocklist;
    esign_result_t result = ESIGN_OK;
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST)
        return NULL;
    if (esign_failed(result = esign_render_init(p)))
        return apr_psprintf(p, "%s: %s", result.problem, result.detail);
    if (esign_failed(result = esign_render_load(&render, config->htdocs, NULL, p)))
        return apr_psprintf(p, "EsignHtdocs: %s: %s", result.problem, result.detail);
    if (config->theme &&
        esign_failed(result = esign_render_load(&render, config->htdocs, config->theme, p)))
        return apr_psprintf(p, "EsignTheme: %s: %s", result.problem, result.detail);
    esign_message_context_t messages = { .render = render,
                                         .organization = config->organization,
                                         .sms_name = config->sms_name,
                                         .url = config->public_url };
    if (esign_failed(result = esign_message_check(&messages, config->code_digits, p)))
        return apr_psprintf(p, "%s: %s", result.problem, result.detail);
    if (esign_failed(result = esign_blocklist_load(&blocklist, config->word_blocklist, p)))
        return apr_psprintf(p, "EsignWordBlocklist: %s", result.detail);
    if (esign_failed(result = esign_libcurl_init(p)))
        return apr_psprintf(p, "%s: %s", result.problem, result.detail);
    return NULL;
}

/* Values that exclude each other, and the parts of mail and SMS, which are several directives. */
static const char *check_together(apr_pool_t *p, const esign_config_t *config)
{
    if (config->require_tls && !esign_url_valid(config->public_url, ESIGN_URL_HTTPS, p))
        return "EsignPublicURL: write it with https://; EsignRequireTLS asks for it";
    if (config->session_idle > config->session_life)
        return "EsignSessionIdle is longer than EsignSessionLife: write a shorter one";
    if (config->mail_user && !config->mail_password_file)
        return "EsignMailPasswordFile is missing: EsignMailUser asks for it";
    if (config->mail_user && !config->mail_tls &&
        apr_cstr_casecmpn(config->mail_url, "smtp:", 5) == 0)
        return "EsignMailTLS Off would send EsignMailUser's password in clear: write On";
    apr_array_header_t *gateways;
    esign_result_t result = esign_gateways_make(&gateways, config, p);
    if (esign_failed(result))
        return result.detail;
    esign_smtp_t smtp = { .url = config->mail_url,
                          .user = config->mail_user,
                          .ca_file = config->mail_ca_file };
    result = esign_mail_check_server(&smtp, p);
    return esign_failed(result) ? apr_psprintf(p, "EsignMail: %s", result.detail) : NULL;
}

/* Everything about one portal. Returns the first mistake and its cure, or NULL. */
static const char *check_portal(apr_pool_t *p, const esign_config_t *config)
{
    const struct {
        const char *directive, *path;
    } files[] = {
        { "EsignKeyFile", config->key_file },
        { "EsignHtdocs", apr_pstrcat(p, config->htdocs, "/xsl/page.xsl", NULL) },
        { "EsignWordBlocklist", config->word_blocklist },
        { "EsignMailPasswordFile", config->mail_password_file },
        { "EsignMailCAFile", config->mail_ca_file },
    };
    const char *refusal = check_modules(p, config);
    if (!refusal)
        refusal = check_required(p, config);
    for (size_t i = 0; !refusal && i < sizeof(files) / sizeof(*files); i++)
        refusal = check_readable(p, files[i].directive, files[i].path);
    if (!refusal)
        refusal = check_keys(p, config);
    if (!refusal)
        refusal = check_contents(p, config);
    return refusal ? refusal : check_together(p, config);
}

static const char *name_of(apr_pool_t *p, const server_rec *s)
{
    if (!s->is_virtual)
        return "main server";
    return apr_pstrcat(p, "virtual host ",
                       s->server_hostname ? s->server_hostname : "without a name", NULL);
}

/* Checks every portal. Directives without any portal are a mistake, too: httpd would ignore them.
 */
static int check_servers(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    int portals = 0;
    (void)p, (void)log;
    for (server_rec *s = first; s; s = s->next) {
        const esign_config_t *config = esign_config_of_server(s);
        const char *refusal = NULL;
        if (esign_config_is_portal(config)) {
            portals++;
            refusal = check_portal(temporary, config);
        } else if (!s->next && portals == 0 && esign_config_directive_seen()) {
            refusal = "EsignPublicURL is missing: write the address as people reach the portal, "
                      "for example https://portal.example.org";
        }
        if (refusal) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "mod_esign, %s: %s",
                         name_of(temporary, s), refusal);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

void esign_check_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_config(check_servers, NULL, NULL, APR_HOOK_MIDDLE);
}
