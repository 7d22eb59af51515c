/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: reads request headers of browsers. */
#include "client.h"

#include "address.h"
#include "render/catalogue.h"

#include <http_core.h>

#include <apr_cstr.h>
#include <apr_optional.h>
#include <apr_strings.h>

#include <mod_ssl.h>

const char *esign_client_cookie(request_rec *r, const char *name)
{
    return esign_address_cookie(apr_table_get(r->headers_in, "Cookie"), name, r->pool);
}

void esign_client_set_cookie(request_rec *r, const char *name, const char *value, int seconds)
{
    const char *age =
        seconds == 0 ? "" : apr_psprintf(r->pool, "; Max-Age=%d", seconds < 0 ? 0 : seconds);
    apr_table_addn(
        r->err_headers_out, "Set-Cookie",
        apr_psprintf(r->pool, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, value, age));
}

const char *esign_client_language(request_rec *r)
{
    const char *cookie = esign_client_cookie(r, ESIGN_COOKIE_LANGUAGE);
    const char *language = cookie ? esign_catalogue_language(cookie) : NULL;
    if (!language)
        language = esign_address_language(apr_table_get(r->headers_in, "Accept-Language"), r->pool);
    return language ? language : esign_catalogue_languages[0];
}

int esign_client_same_origin(request_rec *r, const esign_config_t *config)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return 0;
    /* The portal's own pages set Referrer-Policy: no-referrer, so browsers send "null" here. Such
     * browsers send Sec-Fetch-Site too. */
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
    return accept && ap_strcasestr(accept, "application/xml") &&
           !ap_strcasestr(accept, "text/html");
}
