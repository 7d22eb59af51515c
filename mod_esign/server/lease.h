/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h: database connections of mod_dbd's pool, lent to one caller at a time. */
#ifndef ESIGN_SERVER_LEASE_H
#define ESIGN_SERVER_LEASE_H

#include "runtime.h"

#include "store/database.h"

/* Takes a connection of the server's pool, as store/ uses it; the record is in `p`. NULL, logged:
 * the database cannot be reached. Every connection goes back with esign_lease_release. */
esign_database_t *esign_lease_acquire(const esign_runtime_t *runtime, apr_pool_t *p);

/* Gives the connection back to the pool. It may end this process: see lease.c on files that were
 * write-protected when SQLite opened them. */
void esign_lease_release(const esign_runtime_t *runtime, esign_database_t *database);

/* Registers post_config, child_init and mod_dbd's post_connect. */
void esign_lease_register_hooks(apr_pool_t *p);

#endif
