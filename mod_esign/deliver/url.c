/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: APR's parser, which finds parts, and what it does not look at. */
#include "url.h"

#include <apr_cstr.h>
#include <apr_uri.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* An address in brackets, or a name: letters, digits, bytes of an international one; no escapes. */
static int is_host(const apr_uri_t *parts)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    struct in6_addr address;
    if (parts->hostinfo[0] == '[')
        return inet_pton(AF_INET6, parts->hostname, &address) == 1;
    for (const char *c = parts->hostname; *c != '\0'; c++)
        if ((unsigned char)*c < 0x80 && !strchr(allowed, *c))
            return 0;
    return parts->hostname[0] != '\0';
}

static int is_port(const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");
    return text[digits] == '\0' && digits <= 5 && atoi(text) > 0 && atoi(text) <= 65535;
}

/* Without blanks and control characters. */
static int is_written(const char *url)
{
    while ((unsigned char)*url > ' ' && *url != 0x7f)
        url++;
    return *url == '\0';
}

static int parse(apr_uri_t *parts, const char *url, apr_pool_t *p)
{
    return is_written(url) && apr_uri_parse(p, url, parts) == APR_SUCCESS && parts->scheme &&
           parts->hostname && !parts->user && is_host(parts) &&
           (!parts->port_str || is_port(parts->port_str));
}

int esign_url_valid(const char *url, const char *scheme, const char *other, int bare, apr_pool_t *p)
{
    apr_uri_t parts;
    if (!parse(&parts, url, p) ||
        (apr_cstr_casecmp(parts.scheme, scheme) != 0 && apr_cstr_casecmp(parts.scheme, other) != 0))
        return 0;
    return !bare ||
           ((!parts.path || strcmp(parts.path, "/") == 0) && !parts.query && !parts.fragment);
}

const char *esign_url_host(const char *url, apr_pool_t *p)
{
    apr_uri_t parts;
    return parse(&parts, url, p) ? parts.hostinfo : "unknown";
}

int esign_url_private(const char *url, apr_pool_t *p)
{
    static const char *const own[] = { "127.0.0.1", "::1", "localhost" };
    apr_uri_t parts;
    if (!parse(&parts, url, p))
        return 0;
    int private = apr_cstr_casecmp(parts.scheme, "https") == 0;
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
    private |= apr_cstr_casecmp(parts.hostname, own[i]) == 0;
    return private;
}
