/* SPDX-License-Identifier: Apache-2.0 */
/* route.h: finds the screen of each request to the portal. */
#ifndef ESIGN_WEB_ROUTE_H
#define ESIGN_WEB_ROUTE_H

#include "request.h"

/* Registers the hooks that route requests by `table`: ESIGN_PATHS rows, indexed by esign_path_e. It
 * must live as long as the process. */
void esign_route_register_hooks(apr_pool_t *p, const esign_route_t *table);

#endif
