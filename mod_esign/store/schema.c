/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: runs the statements of conf/schema/schema.sql, which the build turns into strings. */
#include "schema.h"

#include <apr_strings.h>

#include <stddef.h>
#include <stdlib.h>

static const char *const statements[] = {
#include "store/schema.inc"
    NULL
};

esign_result_t esign_schema_version(esign_database_t *database, int *version, apr_pool_t *p)
{
    const char *text;
    esign_result_t result =
        esign_database_look(database, "SELECT version FROM schema_version", &text, p);
    *version = 0;
    if (esign_failed(result))
        return esign_result_make(p, result.status, "database",
                                 "the schema cannot be read (is it there? esignctl db init): %s",
                                 result.detail);
    if (text)
        *version = atoi(text);
    return ESIGN_OK;
}

esign_result_t esign_schema_create(esign_database_t *database, apr_pool_t *p)
{
    int version;
    esign_result_t result = esign_schema_version(database, &version, p);
    if (!esign_failed(result) && version != 0)
        return esign_result_make(p, APR_EEXIST, "database",
                                 "the schema is there already, in version %d", version);
    result = esign_database_begin(database, p);
    for (const char *const *s = statements; *s && !esign_failed(result); s++) {
        result = esign_database_run(database, *s, p);
        if (esign_failed(result))
            result = esign_result_make(p, result.status, "database",
                                       "the schema cannot be made: %s", result.detail);
    }
    return result;
}

esign_result_t esign_schema_upgrade(esign_database_t *database, int *from, apr_pool_t *p)
{
    esign_result_t result = esign_schema_version(database, from, p);
    if (esign_failed(result) || *from == 0)
        return esign_result_make(p, APR_ENOENT, "database",
                                 "there is no schema yet: esignctl db init");
    if (*from > ESIGN_SCHEMA_VERSION)
        return esign_result_make(p, APR_EINVAL, "database",
                                 "the schema is of version %d, newer than this program's %d", *from,
                                 ESIGN_SCHEMA_VERSION);
    return ESIGN_OK;
}
