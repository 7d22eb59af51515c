/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.h: runs the courier in mod_watchdog. */
#ifndef ESIGN_SERVER_WATCHDOG_H
#define ESIGN_SERVER_WATCHDOG_H

#include <apr_pools.h>

void esign_watchdog_register_hooks(apr_pool_t *p);

#endif
