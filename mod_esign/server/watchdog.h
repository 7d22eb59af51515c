/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.h: runs the couriers in a thread of mod_watchdog's, in one child of the node. */
#ifndef ESIGN_SERVER_WATCHDOG_H
#define ESIGN_SERVER_WATCHDOG_H

#include <apr_pools.h>

/* Registers post_config and child_init. */
void esign_watchdog_register_hooks(apr_pool_t *p);

#endif
