/* SPDX-License-Identifier: Apache-2.0 */
/* record.h: a few named values as one text: what is sealed into memcached, the outbox and cookies.
 */
#ifndef ESIGN_CORE_RECORD_H
#define ESIGN_CORE_RECORD_H

#include <apr_tables.h>

/* `name=value&name=value`, percent-encoded, in the table's order; wiped with `p`. */
char *esign_record_encode(apr_pool_t *p, const apr_table_t *values);

/* The table back, its texts wiped with `p`; NULL when a name repeats, an escape is broken or gives
 * NUL, or more than 64 values stand there. */
apr_table_t *esign_record_decode(apr_pool_t *p, const char *text, apr_size_t length);

/* The fields of a form's body (application/x-www-form-urlencoded), which it changes: + is a space
 * there, and names and values are UTF-8. NULL as above, or when they are not. */
apr_table_t *esign_record_decode_form(apr_pool_t *p, char *body, apr_size_t length);

/* A decimal number of the record, or `otherwise` when it is absent or not wholly a number. */
apr_int64_t esign_record_number(const apr_table_t *values, const char *name, apr_int64_t otherwise);

void esign_record_set_number(apr_table_t *values, const char *name, apr_int64_t number);

#endif
