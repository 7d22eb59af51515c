/* SPDX-License-Identifier: Apache-2.0 */
/* table.h: the route table: each address of the portal, with its screens. */
#ifndef ESIGN_SCREENS_TABLE_H
#define ESIGN_SCREENS_TABLE_H

#include <apr_pools.h>

/* Registers the hooks that route requests by the table. */
void esign_table_register_hooks(apr_pool_t *p);

#endif
