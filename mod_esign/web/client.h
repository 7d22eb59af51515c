/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: reads what a browser sends about itself: cookies, language, origin; sets cookies. */
#ifndef ESIGN_WEB_CLIENT_H
#define ESIGN_WEB_CLIENT_H

#include <httpd.h>

#include "server/config.h"

#define ESIGN_COOKIE_SESSION "__Host-esign"
#define ESIGN_COOKIE_RESET "__Host-esign-reset"
#define ESIGN_COOKIE_LANGUAGE "__Host-esign-language"
#define ESIGN_COOKIE_DEVICE "__Host-esign-device"

/* The value of a cookie, in r->pool, wiped with it. NULL: absent, or sent twice. */
const char *esign_client_cookie(request_rec *r, const char *name);

/* Sets a host-only cookie for the whole site: Secure, HttpOnly, SameSite=Lax (RFC 6265 section
 * 4.1.2). `seconds` is its life; 0: until the browser ends; negative: the browser removes it. */
void esign_client_set_cookie(request_rec *r, const char *name, const char *value, int seconds);

/* The language of the pages: that of the language cookie, else of Accept-Language, else Turkish. */
const char *esign_client_language(request_rec *r);

/* Whether a POST comes from a page of this portal. Each of Sec-Fetch-Site and Origin that the
 * browser sends must name it. */
int esign_client_same_origin(request_rec *r, const esign_config_t *config);

/* Whether the request came over TLS. */
int esign_client_secure(request_rec *r);

/* Whether the client asks for page XML rather than HTML. */
int esign_client_wants_xml(request_rec *r);

#endif
