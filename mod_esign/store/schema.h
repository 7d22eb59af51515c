/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: the tables, as `esignctl db init` makes them. */
#ifndef ESIGN_STORE_SCHEMA_H
#define ESIGN_STORE_SCHEMA_H

/* Statements that make the schema of ESIGN_SCHEMA_VERSION, ended by NULL. They are those of
 * conf/schema/schema.sql. */
extern const char *const esign_schema_statements[];

#endif
