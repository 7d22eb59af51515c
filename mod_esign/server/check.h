/* SPDX-License-Identifier: Apache-2.0 */
/* check.h: checks the whole configuration, after its directives one by one (value.h). */
#ifndef ESIGN_SERVER_CHECK_H
#define ESIGN_SERVER_CHECK_H

#include <apr_pools.h>

/* Registers check_config, which httpd runs at `httpd -t` and at each start and reload. It logs the
 * first mistake, with the server, the directive and the cure, and refuses the configuration. */
void esign_check_register_hooks(apr_pool_t *p);

#endif
