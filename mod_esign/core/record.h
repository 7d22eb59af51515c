/* SPDX-License-Identifier: Apache-2.0 */
/* record.h: writes and reads a few named values as one text. Values in memcached, the outbox and
 * cookies are sealed in this form. */
#ifndef ESIGN_CORE_RECORD_H
#define ESIGN_CORE_RECORD_H

#include <apr_tables.h>

/* The table as `name=value&name=value`, percent-encoded, in the table's order. In `p`, wiped with
 * it. */
char *esign_record_encode(apr_pool_t *p, const apr_table_t *values);

/* The table of such a text, in `p`; its names and values are wiped with `p`. NULL when a name
 * repeats, an escape is broken or means NUL, or there are more than 64 values. */
apr_table_t *esign_record_decode(apr_pool_t *p, const char *text, apr_size_t length);

/* The same for the body of a form (application/x-www-form-urlencoded), in which + is a space. It
 * overwrites `body`. NULL also when a name or value is not UTF-8. */
apr_table_t *esign_record_decode_form(apr_pool_t *p, char *body, apr_size_t length);

/* The value of a name as a decimal number; `otherwise` when there is no such value, or it is not a
 * number. */
apr_int64_t esign_record_number(const apr_table_t *values, const char *name, apr_int64_t otherwise);

void esign_record_set_number(apr_table_t *values, const char *name, apr_int64_t number);

#endif
