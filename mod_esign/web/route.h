/* SPDX-License-Identifier: Apache-2.0 */
/* route.h: leads each request of the portal to its screen. */
#ifndef ESIGN_WEB_ROUTE_H
#define ESIGN_WEB_ROUTE_H

#include "request.h"

/* Registers the hooks that route requests by `table`, whose ESIGN_PATHS rows stand in the order of
 * esign_path_e and are compared in that order. */
void esign_route_register_hooks(apr_pool_t *p, const esign_route_t *table);

#endif
