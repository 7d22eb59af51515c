/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h: sealed columns: TABLE/ID/COLUMN is where a value belongs. */
#ifndef ESIGN_STORE_SEALED_H
#define ESIGN_STORE_SEALED_H

#include "database.h"

esign_result_t esign_sealed_make(const esign_database_t *database, const char *table, apr_int64_t id, const char *column, const char *clear,
                                 const char **sealed, apr_pool_t *p);

/* Fails with APR_EINVAL and a detail that names the place. */
esign_result_t esign_sealed_open(const esign_database_t *database, const char *table, apr_int64_t id, const char *column, const char *sealed,
                                 const char **clear, apr_pool_t *p);

#endif
