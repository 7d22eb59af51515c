/* SPDX-License-Identifier: Apache-2.0 */
/* value.c: the judgements on directive values. */
#include "value.h"

#include "gateways.h"

#include "audit/copy.h"
#include "cache/cache.h"
#include "core/contact.h"
#include "core/national_id.h"
#include "core/word.h"
#include "deliver/libcurl.h"
#include "deliver/transport.h"
#include "render/render.h"

#include <http_core.h>
#include <mod_session.h>

#include <apr_cstr.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include <unistd.h>

/* Where mod_session is not loaded, httpd still loads us, so that we can say what is missing. */
#pragma weak ap_hook_session_load

const char *esign_config_check_path(apr_pool_t *p, const char **value)
{
    const char *path = *value;
    size_t length = strlen(path);
    if (*path != '/' || length < 2 || path[length - 1] == '/' || strstr(path, "//") ||
        strpbrk(path, "?#%\"'<> \\"))
        return apr_psprintf(
            p, "'%s' is not a path: write it with a slash before and none behind, as in /esign",
            path);
    return NULL;
}

const char *esign_config_check_origin(apr_pool_t *p, const char **value)
{
    apr_uri_t uri;
    if (apr_uri_parse(p, *value, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || uri.user ||
        (uri.path && strcmp(uri.path, "/") != 0) || uri.query || uri.fragment ||
        (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0) ||
        strpbrk(*value, "\"'<> \\"))
        return apr_psprintf(
            p, "'%s' is not scheme, host and port alone: write it as in https://portal.example.org",
            *value);
    /* Browsers leave a scheme's own port out of Origin, with which this is compared. */
    if (uri.port_str && uri.port == apr_uri_port_of_scheme(uri.scheme))
        uri.port_str = NULL;
    *value = uri.port_str ? apr_psprintf(p, "%s://%s:%s", uri.scheme, uri.hostname, uri.port_str)
                          : apr_psprintf(p, "%s://%s", uri.scheme, uri.hostname);
    return NULL;
}

const char *esign_config_check_line(apr_pool_t *p, const char **value)
{
    for (const char *c = *value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "the value has control characters: write it on one line without them";
    return **value ? NULL
                   : apr_pstrdup(p, "the value is empty: write a text or leave the directive out");
}

const char *esign_config_check_header(apr_pool_t *p, const char **value)
{
    size_t name = strcspn(*value, ":");
    if (name == 0 || (*value)[name] == '\0' || strcspn(*value, " \t") < name)
        return apr_psprintf(p, "'%s' is not a header: write it as in \"Name: value\"", *value);
    return esign_config_check_line(p, value);
}

const char *esign_config_check_link(apr_pool_t *p, const char **value)
{
    const char *link = *value;
    int local = link[0] == '/' && link[1] != '/' && link[1] != '\\';
    if ((!local && strncmp(link, "https://", 8) != 0) || strpbrk(link, "\"'<> \\"))
        return apr_psprintf(
            p,
            "'%s' is not a link: write a path with a slash before it, or an address with https://",
            link);
    return NULL;
}

const char *esign_config_check_file(apr_pool_t *p, const char **value)
{
    const char *path = ap_server_root_relative(p, *value);
    if (!path)
        return apr_psprintf(p, "'%s' is not a path", *value);
    *value = path;
    return NULL;
}

const char *esign_config_check_memcached(apr_pool_t *p, const char **value)
{
    esign_result_t result = esign_cache_check(*value, p);
    return esign_failed(result) ? result.detail : NULL;
}

const char *esign_config_check_identity_number(apr_pool_t *p, const char **value)
{
    const esign_national_id_scheme_t *scheme;
    esign_result_t result = esign_national_id_scheme(&scheme, *value, p);
    return esign_failed(result) ? result.detail : NULL;
}

const char *esign_config_check_email(apr_pool_t *p, const char **value)
{
    /* A sender that is not ASCII would shut out every reader whose server lacks SMTPUTF8. */
    if (esign_contact_email_valid(*value) && !esign_contact_ascii(*value))
        return apr_psprintf(p, "'%s' is not ASCII: write an address that is, with %s as its host",
                            *value, strchr(esign_contact_email_wire(p, *value), '@') + 1);
    return esign_contact_email_valid(*value)
               ? NULL
               : apr_psprintf(p, "'%s' is not an e-mail address", *value);
}

const char *esign_config_check_method(apr_pool_t *p, const char **value)
{
    return strcmp(*value, "GET") == 0 || strcmp(*value, "POST") == 0
               ? NULL
               : apr_psprintf(p, "'%s': write GET or POST", *value);
}

static const char *check_program(apr_pool_t *p, const char *program)
{
    char **words;
    if (*program == '$')
        return program[strspn(program, "$ ")]
                   ? NULL
                   : "'|$' runs nothing: write \"|$command\" for the shell";
    if (apr_tokenize_to_argv(program, &words, p) != APR_SUCCESS || !words[0])
        return "'|' runs nothing: write \"|/path/of/program arguments\"";
    if (*words[0] != '/' || access(words[0], X_OK) != 0)
        return apr_psprintf(p,
                            "'%s' is no program that can be run: write its whole path, as in "
                            "\"|/usr/bin/logger -t esign\"",
                            words[0]);
    return NULL;
}

const char *esign_config_check_audit_log(apr_pool_t *p, const char **value)
{
    const char *known, *facility = strncmp(*value, "syslog:", 7) == 0 ? *value + 7 : "authpriv";
    if (apr_cstr_casecmp(*value, "off") == 0) {
        *value = "off";
        return NULL;
    }
    if (**value == '|')
        return check_program(p, *value + 1);
    if (strcmp(*value, "syslog") != 0 && strncmp(*value, "syslog:", 7) != 0)
        return apr_psprintf(p,
                            "'%s' is no place for a copy: write off, syslog, syslog:FACILITY or "
                            "\"|/path/of/program arguments\"",
                            *value);
    if (esign_audit_copy_facility(facility, &known) < 0)
        return apr_psprintf(p, "'%s' is no facility: write one of %s", facility, known);
    *value = apr_pstrcat(p, "syslog:", facility, NULL);
    return NULL;
}

const char *esign_config_check_http(apr_pool_t *p, const char **value)
{
    apr_uri_t uri;
    if (apr_uri_parse(p, *value, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || uri.user ||
        uri.query || uri.fragment ||
        (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0) ||
        strpbrk(*value, "\"'<> \\"))
        return apr_psprintf(
            p, "'%s' is not an address: write it as in https://portal.example.org/esign/report",
            *value);
    size_t length = strlen(*value);
    if ((*value)[length - 1] == '/')
        *value = apr_pstrmemdup(p, *value, length - 1);
    return NULL;
}

const char *esign_config_check_pattern(apr_pool_t *p, const char **value)
{
    const esign_pattern_t *pattern;
    esign_result_t result = esign_pattern_compile(&pattern, *value, p);
    return esign_failed(result) ? result.detail : NULL;
}

static const char *check_readable(apr_pool_t *p, const char *directive, const char *path)
{
    apr_file_t *file;
    apr_status_t status = path ? apr_file_open(&file, path, APR_READ, 0, p) : APR_SUCCESS;
    char text[120];
    return status == APR_SUCCESS ? NULL
                                 : apr_psprintf(p, "%s: %s cannot be read: %s", directive, path,
                                                apr_strerror(status, text, sizeof(text)));
}

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

/* The modules of httpd that the portal stands on. */
static const char *check_modules(apr_pool_t *p, const esign_config_t *config)
{
    const struct {
        const char *name, *why;
        int there;
    } rows[] = {
        { "session", "keeps who is signed in", &ap_hook_session_load != NULL },
        { "dbd", "reaches the database", ap_find_linked_module("mod_dbd.c") != NULL },
        { "watchdog", "lets mail and SMS be sent",
          ap_find_linked_module("mod_watchdog.c") != NULL },
        { "ssl", "is asked for by EsignRequireTLS",
          !config->require_tls || ap_find_linked_module("mod_ssl.c") != NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!rows[i].there)
            return apr_psprintf(p,
                                "mod_%s, which %s, is not loaded before mod_esign: write its "
                                "LoadModule line above mod_esign's (Debian: a2enmod %s)",
                                rows[i].name, rows[i].why, rows[i].name);
    return NULL;
}

/* What httpd's start, or its courier, would stumble over, found by its configuration test too. */
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

static const char *check_together(apr_pool_t *p, const esign_config_t *config)
{
    if (config->require_tls && strncmp(config->public_url, "https://", 8) != 0)
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
    result = esign_transport_check_smtp(&smtp, p);
    return esign_failed(result) ? apr_psprintf(p, "EsignMail: %s", result.detail) : NULL;
}

const char *esign_config_check_all(apr_pool_t *p, const esign_config_t *config)
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
    if (!refusal) {
        esign_keyring_t *keyring;
        esign_result_t result = esign_keyring_load(&keyring, config->key_file, p);
        refusal = esign_failed(result) ? apr_psprintf(p, "EsignKeyFile: %s", result.detail) : NULL;
    }
    if (!refusal)
        refusal = check_contents(p, config);
    return refusal ? refusal : check_together(p, config);
}
