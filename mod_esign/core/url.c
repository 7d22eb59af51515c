/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: parses by apr_uri_parse, and checks the parts that apr_uri_parse does not. */
#include "url.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* An IPv6 address in brackets, or a name of letters, digits and bytes above ASCII; no escapes. */
static int is_host(const apr_uri_t *parts)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    struct in6_addr address;
    if (parts->hostinfo[0] == '[')
        return inet_pton(AF_INET6, parts->hostname, &address) == 1;
    for (const char *c = parts->hostname; *c; c++)
        if ((unsigned char)*c < 0x80 && !strchr(allowed, *c))
            return 0;
    return parts->hostname[0] != '\0';
}

static int is_port(const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");
    return digits <= 5 && text[digits] == '\0' && atoi(text) > 0 && atoi(text) <= 65535;
}

/* Whether a text has no blanks and no control characters. */
static int is_visible(const char *text)
{
    while ((unsigned char)*text > ' ' && *text != 0x7f)
        text++;
    return *text == '\0';
}

static int parse_url(apr_uri_t *parts, const char *url, apr_pool_t *p)
{
    return is_visible(url) && apr_uri_parse(p, url, parts) == APR_SUCCESS && parts->scheme &&
           parts->hostname && !parts->user && is_host(parts) &&
           (!parts->port_str || is_port(parts->port_str));
}

/* The flag of a scheme; 0: it is unknown. */
static int flag_of(const char *scheme)
{
    static const struct {
        const char *name;
        int flag;
    } schemes[] = { { "http", ESIGN_URL_HTTP },
                    { "https", ESIGN_URL_HTTPS },
                    { "smtp", ESIGN_URL_SMTP },
                    { "smtps", ESIGN_URL_SMTPS } };
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (apr_cstr_casecmp(scheme, schemes[i].name) == 0)
            return schemes[i].flag;
    return 0;
}

int esign_url_valid(const char *url, int accepted, apr_pool_t *p)
{
    apr_uri_t parts;
    if ((accepted & ESIGN_URL_QUOTABLE) && strpbrk(url, "\"'<>\\"))
        return 0;
    if ((accepted & ESIGN_URL_LOCAL) && url[0] == '/')
        return url[1] != '/' && url[1] != '\\' && is_visible(url);
    if (!parse_url(&parts, url, p) || !(flag_of(parts.scheme) & accepted))
        return 0;
    return ((accepted & ESIGN_URL_PATH) || !parts.path || strcmp(parts.path, "/") == 0) &&
           ((accepted & ESIGN_URL_QUERY) || (!parts.query && !parts.fragment));
}

const char *esign_url_host(const char *url, apr_pool_t *p)
{
    apr_uri_t parts;
    return parse_url(&parts, url, p) ? parts.hostinfo : "unknown";
}

const char *esign_url_hostname(const char *url, apr_pool_t *p)
{
    apr_uri_t parts;
    return parse_url(&parts, url, p) ? parts.hostname : NULL;
}

const char *esign_url_origin(const char *url, apr_pool_t *p)
{
    apr_uri_t parts;
    if (!parse_url(&parts, url, p))
        return url;
    apr_size_t length = strlen(parts.hostinfo);
    if (parts.port_str && parts.port == apr_uri_port_of_scheme(parts.scheme))
        length -= strlen(parts.port_str) + 1;
    const char *scheme = flag_of(parts.scheme) == ESIGN_URL_HTTPS ? "https" : "http";
    return apr_psprintf(p, "%s://%.*s", scheme, (int)length, parts.hostinfo);
}

int esign_url_private(const char *url, apr_pool_t *p)
{
    static const char *const local[] = { "127.0.0.1", "::1", "localhost" };
    apr_uri_t parts;
    if (!parse_url(&parts, url, p))
        return 0;
    int is_private = apr_cstr_casecmp(parts.scheme, "https") == 0;
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
        is_private |= apr_cstr_casecmp(parts.hostname, local[i]) == 0;
    return is_private;
}
