/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: esignctl's settings file. */
#ifndef ESIGN_CTL_SETTINGS_H
#define ESIGN_CTL_SETTINGS_H

#include "core/national_id.h"
#include "core/word.h"
#include "core/word_hash.h"
#include "store/database.h"

/* The values of the file, by the names of the directives, or their defaults. Texts are in the pool;
 * NULL: neither is there. */
typedef struct {
    const char *path;
    const char *key_file;
    const char *db_driver, *db_params;
    const char *htdocs, *theme, *organization, *public_url, *prefix;
    const char *identity_number, *word_blocklist;
    int hash_memory, hash_passes;
} esign_settings_t;

/* Reads lines of the form `Name value`. A failure names the file, the line and the cure. */
esign_result_t esign_settings_read(esign_settings_t *settings, const char *path, apr_pool_t *p);

/* What the commands open, each when they first need it. */
esign_result_t esign_settings_keyring(const esign_settings_t *settings,
                                      const esign_keyring_t **keyring, apr_pool_t *p);
esign_result_t esign_settings_database(const esign_settings_t *settings, int with_schema,
                                       esign_database_t **database, apr_pool_t *p);

#endif
