/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: the settings file of esignctl, and the key file and database that it names. */
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

/* Reads the key file. */
esign_result_t esign_settings_keyring(const esign_settings_t *settings,
                                      const esign_keyring_t **keyring, apr_pool_t *p);

/* Reads the key file and opens the database, which is closed with `p`. `with_schema`: fails unless
 * this program can use the database's schema. */
esign_result_t esign_settings_database(const esign_settings_t *settings, int with_schema,
                                       esign_database_t **database, apr_pool_t *p);

#endif
