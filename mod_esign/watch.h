/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h: runs the courier in mod_watchdog. */
#ifndef ESIGN_WATCH_H
#define ESIGN_WATCH_H

#include <apr_pools.h>

void esign_watch_register_hooks(apr_pool_t *p);

#endif
