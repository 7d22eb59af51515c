/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h: the functions that stylesheets call, in the namespace urn:mod_esign:text. */
#ifndef ESIGN_RENDER_FUNCTIONS_H
#define ESIGN_RENDER_FUNCTIONS_H

#include "catalogue.h"

#include <libxslt/xsltInternals.h>

/* The data of one transformation that the functions need: the _private of libxslt's context. */
typedef struct {
    const esign_catalogue_t *catalogue;
    const esign_theme_t *theme; /* NULL: none */
    const char *language;
    apr_pool_t *pool;
    const char *error; /* the first error, in `pool`; NULL: none */
    int messages;      /* how many messages libxslt has given */
} esign_functions_call_t;

/* Registers m:text, m:has, m:time, m:date, m:group, m:wrap and m:static for one transformation.
 * Their meaning is described at esign_render_transform. */
void esign_functions_register(xsltTransformContextPtr context);

#endif
