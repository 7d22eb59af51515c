/* SPDX-License-Identifier: Apache-2.0 */
/* value.c: judges the value of one directive at a time. */
#include "value.h"

#include "audit/copy.h"
#include "cache/cache.h"
#include "core/contact.h"
#include "core/national_id.h"
#include "core/pattern.h"
#include "core/url.h"

#include <httpd.h>
#include <http_config.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include <unistd.h>

const char *esign_value_check_path(apr_pool_t *p, const char **value)
{
    const char *path = *value;
    size_t length = strlen(path);
    if (*path != '/' || length < 2 || path[length - 1] == '/' || strstr(path, "//") ||
        strpbrk(path, "?#%\"'<> \\"))
        return apr_psprintf(
            p, "'%s' is not a path: write it with a slash before and none after it, as in /esign",
            path);
    return NULL;
}

const char *esign_value_check_origin(apr_pool_t *p, const char **value)
{
    if (!esign_url_valid(*value, ESIGN_URL_HTTP | ESIGN_URL_HTTPS | ESIGN_URL_QUOTABLE, p))
        return apr_psprintf(
            p, "'%s' is not scheme, host and port alone: write it as in https://portal.example.org",
            *value);
    *value = esign_url_origin(*value, p);
    return NULL;
}

const char *esign_value_check_line(apr_pool_t *p, const char **value)
{
    (void)p;
    for (const char *c = *value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "the value has control characters: write it on one line without them";
    return **value ? NULL : "the value is empty: write a text or leave the directive out";
}

const char *esign_value_check_header(apr_pool_t *p, const char **value)
{
    size_t name = strcspn(*value, ":");
    if (name == 0 || (*value)[name] == '\0' || strcspn(*value, " \t") < name)
        return apr_psprintf(p, "'%s' is not a header: write it as in \"Name: value\"", *value);
    return esign_value_check_line(p, value);
}

const char *esign_value_check_link(apr_pool_t *p, const char **value)
{
    const int accepted =
        ESIGN_URL_HTTPS | ESIGN_URL_PATH | ESIGN_URL_QUERY | ESIGN_URL_LOCAL | ESIGN_URL_QUOTABLE;
    return esign_url_valid(*value, accepted, p)
               ? NULL
               : apr_psprintf(p,
                              "'%s' is not a link: write a path with a slash before it, or an "
                              "address with https://",
                              *value);
}

const char *esign_value_check_file(apr_pool_t *p, const char **value)
{
    const char *path = ap_server_root_relative(p, *value);
    if (!path)
        return apr_psprintf(p, "'%s' is not a path", *value);
    *value = path;
    return NULL;
}

const char *esign_value_check_memcached(apr_pool_t *p, const char **value)
{
    esign_result_t result = esign_cache_check(*value, p);
    return esign_failed(result) ? result.detail : NULL;
}

const char *esign_value_check_identity_number(apr_pool_t *p, const char **value)
{
    const esign_national_id_scheme_t *scheme;
    esign_result_t result = esign_national_id_scheme(&scheme, *value, p);
    return esign_failed(result) ? result.detail : NULL;
}

const char *esign_value_check_email(apr_pool_t *p, const char **value)
{
    /* Mail servers without SMTPUTF8 would refuse every mail of a sender that is not ASCII. */
    if (esign_contact_email_valid(*value) && !esign_contact_ascii(*value))
        return apr_psprintf(p, "'%s' is not ASCII: write an address that is, with %s as its host",
                            *value, strchr(esign_contact_email_wire(p, *value), '@') + 1);
    return esign_contact_email_valid(*value)
               ? NULL
               : apr_psprintf(p, "'%s' is not an e-mail address", *value);
}

const char *esign_value_check_method(apr_pool_t *p, const char **value)
{
    return strcmp(*value, "GET") == 0 || strcmp(*value, "POST") == 0
               ? NULL
               : apr_psprintf(p, "'%s': write GET or POST", *value);
}

/* What is wrong with the part of EsignAuditLog after "|"; NULL: nothing. */
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

const char *esign_value_check_audit_log(apr_pool_t *p, const char **value)
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

const char *esign_value_check_http(apr_pool_t *p, const char **value)
{
    const int accepted = ESIGN_URL_HTTP | ESIGN_URL_HTTPS | ESIGN_URL_PATH | ESIGN_URL_QUOTABLE;
    size_t length = strlen(*value);
    if (!esign_url_valid(*value, accepted, p))
        return apr_psprintf(
            p, "'%s' is not an address: write it as in https://portal.example.org/esign/report",
            *value);
    if ((*value)[length - 1] == '/')
        *value = apr_pstrmemdup(p, *value, length - 1);
    return NULL;
}

const char *esign_value_check_pattern(apr_pool_t *p, const char **value)
{
    const esign_pattern_t *pattern;
    esign_result_t result = esign_pattern_compile(&pattern, *value, p);
    return esign_failed(result) ? result.detail : NULL;
}
