/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: the tables, as `esignctl db init` makes them. */
#ifndef ESIGN_STORE_SCHEMA_H
#define ESIGN_STORE_SCHEMA_H

/* Statements that make the schema of ESIGN_SCHEMA_VERSION, ended by NULL. conf/schema/schema.sql is the same for readers; a test compares them. */
extern const char *const esign_schema_statements[];

#endif
