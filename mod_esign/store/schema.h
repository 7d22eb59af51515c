/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: makes the tables, and finds out which version of them a database has. */
#ifndef ESIGN_STORE_SCHEMA_H
#define ESIGN_STORE_SCHEMA_H

#include "database.h"

/* The version of the schema that this program makes and uses. */
#define ESIGN_SCHEMA_VERSION 1

/* Reads the version of the schema. Fails where the tables are not there, or cannot be read. */
esign_result_t esign_schema_version(esign_database_t *database, int *version, apr_pool_t *p);

/* Begins a transaction and makes the tables of conf/schema/schema.sql in it. The caller adds the
 * head of the audit chain (audit/chain.h) in the same transaction, then calls esign_database_end
 * with the result: it commits, or rolls back after a failure. APR_EEXIST: the tables are there
 * already. */
esign_result_t esign_schema_create(esign_database_t *database, apr_pool_t *p);

/* Checks that the schema is of ESIGN_SCHEMA_VERSION. It changes nothing: there is no earlier
 * version yet. `*from` gets the version found. APR_ENOENT: there are no tables. APR_EINVAL: the
 * schema is of a newer version. */
esign_result_t esign_schema_upgrade(esign_database_t *database, int *from, apr_pool_t *p);

#endif
