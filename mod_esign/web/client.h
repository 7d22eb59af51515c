/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: what the browser says of itself: address, language, origin, cookies. */
#ifndef ESIGN_WEB_CLIENT_H
#define ESIGN_WEB_CLIENT_H

#include <httpd.h>

#include "server/config.h"

#define ESIGN_COOKIE_SESSION "__Host-esign"
#define ESIGN_COOKIE_RESET "__Host-esign-reset"
#define ESIGN_COOKIE_LANGUAGE "__Host-esign-language"
#define ESIGN_COOKIE_DEVICE "__Host-esign-device"

/* A cookie's value; NULL when it is absent or stands there twice. Wiped with r->pool. */
const char *esign_client_cookie(request_rec *r, const char *name);

/* Sets a host-only cookie for the whole site: Secure, HttpOnly, SameSite=Lax. `seconds` 0: it goes
 * with the browser; negative: it is removed. */
void esign_client_set_cookie(request_rec *r, const char *name, const char *value, int seconds);

/* The language of the pages: the language cookie's, else the best of Accept-Language, else Turkish.
 */
const char *esign_client_language(request_rec *r);

/* Whether a POST comes from a page of ours: Sec-Fetch-Site and Origin, where the browser sends
 * them, must say so. */
int esign_client_same_origin(request_rec *r, const esign_config_t *config);

/* Whether the request came over TLS. */
int esign_client_secure(request_rec *r);

/* Whether the client asks for page XML rather than HTML. */
int esign_client_wants_xml(request_rec *r);

#endif
