/* SPDX-License-Identifier: Apache-2.0 */
/* route.h: the URL table. */
#ifndef ESIGN_WEB_ROUTE_H
#define ESIGN_WEB_ROUTE_H

#include "request.h"

/* A row: what stands below the prefix, what it asks for, who answers. */
struct esign_route_t {
    const char *path; /* "login"; a * stands for one path segment's challenge or token: "captcha/" …
                         ".png" */
    const char *behind;   /* what follows the *; NULL: no * */
    int session;          /* whether the page reads the session */
    esign_trust_e trust;  /* needed before a screen is called */
    esign_screen_fn *get; /* NULL: 405 */
    esign_screen_fn *post;
};

/* The table, ended by a NULL path. */
extern const esign_route_t esign_route_table[];

/* Whether the page of a route (NULL: none) reads the session. */
int esign_route_has_session(const esign_route_t *route);

void esign_route_register_hooks(apr_pool_t *p);

#endif
