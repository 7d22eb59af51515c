/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h: the functions that stylesheets call, in the namespace urn:mod_esign:text. */
#ifndef ESIGN_RENDER_FUNCTIONS_H
#define ESIGN_RENDER_FUNCTIONS_H

#include "catalogue.h"

#include <libxslt/xsltInternals.h>

/* What the functions need during one transformation; the context's _private. */
typedef struct {
    const esign_catalogue_t *catalogue;
    const esign_theme_t *theme; /* NULL: none */
    const char *language;
    apr_pool_t *pool;
    const char *error; /* the first thing that went wrong; NULL */
    int messages;      /* how many libxslt has said */
} esign_render_call_t;

/* Makes m:text, m:has, m:time, m:date, m:group, m:wrap and m:static known to one transformation. */
void esign_functions_register(xsltTransformContextPtr context);

#endif
