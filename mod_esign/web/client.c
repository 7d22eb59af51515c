/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: reads the headers that a browser sends. */
#include "client.h"

#include "core/catalogue.h"
#include "core/secret.h"

#include <http_core.h>

#include <apr_cstr.h>
#include <apr_optional.h>
#include <apr_strings.h>

#include <mod_ssl.h>

const char *esign_client_cookie(request_rec *r, const char *name)
{
    const char *header = apr_table_get(r->headers_in, "Cookie"), *found = NULL;
    size_t length = strlen(name);
    while (header && *header) {
        header += strspn(header, " \t;");
        size_t pair = strcspn(header, ";");
        if (pair > length && strncmp(header, name, length) == 0 && header[length] == '=') {
            if (found)
                return NULL;
            size_t value = pair - length - 1;
            while (value > 0 && (header[length + value] == ' ' || header[length + value] == '\t'))
                value--;
            found = esign_secret_copy(r->pool, header + length + 1, value);
        }
        header += pair;
    }
    return found;
}

void esign_client_set_cookie(request_rec *r, const char *name, const char *value, int seconds)
{
    const char *age = seconds == 0 ? "" : apr_psprintf(r->pool, "; Max-Age=%d", seconds < 0 ? 0 : seconds);
    apr_table_addn(r->err_headers_out, "Set-Cookie", apr_psprintf(r->pool, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, value, age));
}

/* The q-value of a language range, in thousandths (RFC 9110 section 12.4.2). */
static int quality(const char *parameters)
{
    const char *q = strstr(parameters, "q=");
    if (!q || q[2] == '1')
        return 1000;
    int thousandths = 0, place = 100;
    for (const char *c = q[2] != '\0' && q[3] == '.' ? q + 4 : ""; *c >= '0' && *c <= '9' && place > 0; c++, place /= 10)
        thousandths += (*c - '0') * place;
    return thousandths;
}

const char *esign_client_language(request_rec *r)
{
    const char *cookie = esign_client_cookie(r, ESIGN_COOKIE_LANGUAGE);
    const char *best = cookie ? esign_catalogue_language(cookie) : NULL;
    const char *header = apr_table_get(r->headers_in, "Accept-Language");
    if (best || !header)
        return best ? best : esign_catalogue_languages[0];
    int best_quality = 0;
    char *last, *ranges = apr_pstrdup(r->pool, header);
    for (char *range = apr_strtok(ranges, ",", &last); range; range = apr_strtok(NULL, ",", &last)) {
        range += strspn(range, " \t");
        size_t length = strcspn(range, " \t;");
        int q = quality(range + length);
        range[length] = '\0';
        const char *language = strcmp(range, "*") == 0 ? esign_catalogue_languages[0] : esign_catalogue_language(range);
        if (language && q > best_quality) {
            best = language;
            best_quality = q;
        }
    }
    return best ? best : esign_catalogue_languages[0];
}

int esign_client_same_origin(request_rec *r, const esign_config_t *config)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return 0;
    /* Our own pages say no-referrer, which makes browsers send "null" here; such browsers send Sec-Fetch-Site too. */
    if (origin && strcmp(origin, "null") == 0)
        return site && strcmp(site, "same-origin") == 0;
    return !origin || apr_cstr_casecmp(origin, config->public_url) == 0;
}

int esign_client_secure(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);
    return is_https && is_https(r->connection);
}

int esign_client_wants_xml(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    return accept && ap_strcasestr(accept, "application/xml") && !ap_strcasestr(accept, "text/html");
}
