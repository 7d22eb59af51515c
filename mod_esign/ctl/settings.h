/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: esignctl's settings file. */
#ifndef ESIGN_CTL_SETTINGS_H
#define ESIGN_CTL_SETTINGS_H

#include "core/national_id.h"
#include "core/word.h"
#include "core/word_hash.h"
#include "store/database.h"

/* What the file says, by the names of the directives. Texts are in the pool, NULL where the file is
 * silent and there is no default. */
typedef struct {
    const char *path;
    const char *key_file;
    const char *db_driver, *db_params;
    const char *htdocs, *theme, *organization, *public_url, *prefix;
    const char *identity_number, *word_blocklist;
    int hash_memory, hash_passes;
} esign_settings_t;

/* Reads `Name value` lines; an unknown name or a bad value is refused with the file and the line.
 */
esign_result_t esign_settings_read(esign_settings_t *settings, const char *path, apr_pool_t *p);

/* What the commands open, each when they first need it. */
esign_result_t esign_settings_keyring(const esign_settings_t *settings,
                                      const esign_keyring_t **keyring, apr_pool_t *p);
esign_result_t esign_settings_database(const esign_settings_t *settings, int with_schema,
                                       esign_database_t **database, apr_pool_t *p);

#endif
