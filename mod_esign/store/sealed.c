/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.c: seals and opens columns. */
#include "store/sealed.h"

#include "core/seal.h"

#include <apr_strings.h>

#include <string.h>

static const char *place(const char *table, apr_int64_t id, const char *column, apr_pool_t *p)
{
    return apr_psprintf(p, "%s/%" APR_INT64_T_FMT "/%s", table, id, column);
}

esign_result_t esign_sealed_make(const esign_database_t *database, const char *table, apr_int64_t id, const char *column, const char *clear,
                                 const char **sealed, apr_pool_t *p)
{
    return esign_seal(database->keyring, ESIGN_KEY_DATABASE, place(table, id, column, p), clear, strlen(clear), sealed, p);
}

esign_result_t esign_sealed_open(const esign_database_t *database, const char *table, apr_int64_t id, const char *column, const char *sealed,
                                 const char **clear, apr_pool_t *p)
{
    char *opened;
    apr_size_t length;
    esign_result_t result = esign_unseal(database->keyring, ESIGN_KEY_DATABASE, place(table, id, column, p), sealed ? sealed : "", &opened, &length, p);
    if (esign_failed(result))
        return esign_result_make(p, result.status, "database", "%s cannot be unsealed: it was changed or moved, or its key is not in the key file",
                                 place(table, id, column, p));
    *clear = opened;
    return ESIGN_OK;
}
