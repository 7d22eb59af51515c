/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c: reads the settings file, and opens the key file and the database that it names. */
#include "settings.h"

#include "core/defaults.h"
#include "store/schema.h"

#include <apr_file_io.h>
#include <apr_strings.h>

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

/* The settings. */
static const struct {
    const char *name;
    size_t offset;   /* of the member in esign_settings_t */
    int least, most; /* bounds of a number; `most` 0: a text */
} rows[] = {
    { "EsignKeyFile", offsetof(esign_settings_t, key_file), 0, 0 },
    { "DBDriver", offsetof(esign_settings_t, db_driver), 0, 0 },
    { "DBDParams", offsetof(esign_settings_t, db_params), 0, 0 },
    { "EsignHtdocs", offsetof(esign_settings_t, htdocs), 0, 0 },
    { "EsignTheme", offsetof(esign_settings_t, theme), 0, 0 },
    { "EsignOrganization", offsetof(esign_settings_t, organization), 0, 0 },
    { "EsignPublicURL", offsetof(esign_settings_t, public_url), 0, 0 },
    { "EsignPrefix", offsetof(esign_settings_t, prefix), 0, 0 },
    { "EsignIdentityNumber", offsetof(esign_settings_t, identity_number), 0, 0 },
    { "EsignWordBlocklist", offsetof(esign_settings_t, word_blocklist), 0, 0 },
    { "EsignHashMemory", offsetof(esign_settings_t, hash_memory), ESIGN_HASH_MEMORY_MIN,
      ESIGN_HASH_MEMORY_MAX },
    { "EsignHashPasses", offsetof(esign_settings_t, hash_passes), ESIGN_HASH_PASSES_MIN,
      ESIGN_HASH_PASSES_MAX },
};

static esign_result_t refuse(const esign_settings_t *settings, int line, apr_pool_t *p,
                             const char *what)
{
    return esign_result_make(p, APR_EINVAL, "settings", "%s:%d: %s", settings->path, line, what);
}

/* Removes the quotes around a value. NULL: the second one is missing. */
static char *unquote(char *value)
{
    size_t length = strlen(value);
    if (*value != '"')
        return value;
    if (length < 2 || value[length - 1] != '"')
        return NULL;
    value[length - 1] = '\0';
    return value + 1;
}

/* Stores the value of one line, which it may change. */
static esign_result_t take_setting(esign_settings_t *settings, char *name, char *value, int line,
                                   apr_pool_t *p)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        void *member = (char *)settings + rows[i].offset;
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (!(value = unquote(value)) || !*value)
            return refuse(
                settings, line, p,
                apr_psprintf(p, "%s: write a value, in double quotes if it has spaces at its ends",
                             name));
        if (!rows[i].most) {
            *(const char **)member = apr_pstrdup(p, value);
            return ESIGN_OK;
        }
        apr_int64_t number = apr_atoi64(value);
        if (strspn(value, "0123456789") != strlen(value) || number < rows[i].least ||
            number > rows[i].most)
            return refuse(settings, line, p,
                          apr_psprintf(p, "%s: write a number from %d to %d", name, rows[i].least,
                                       rows[i].most));
        *(int *)member = (int)number;
        return ESIGN_OK;
    }
    const char *known = rows[0].name;
    for (size_t i = 1; i < sizeof(rows) / sizeof(*rows); i++)
        known = apr_pstrcat(p, known, ", ", rows[i].name, NULL);
    return refuse(settings, line, p,
                  apr_psprintf(p, "%s is none of the settings: %s", name, known));
}

/* Refuses a file with a database password that others may read. */
static esign_result_t check_mode(const esign_settings_t *settings, apr_pool_t *p)
{
    struct stat info;
    if (settings->db_params && strstr(settings->db_params, "password=") &&
        stat(settings->path, &info) == 0 && (info.st_mode & 077))
        return esign_result_make(p, APR_EACCES, "settings",
                                 "%s holds a password and others may read it: chmod 600",
                                 settings->path);
    return ESIGN_OK;
}

esign_result_t esign_settings_read(esign_settings_t *settings, const char *path, apr_pool_t *p)
{
    *settings = (esign_settings_t){ .path = path,
                                    .db_driver = "sqlite3",
                                    .htdocs = ESIGN_DEFAULT_HTDOCS,
                                    .word_blocklist = ESIGN_DEFAULT_BLOCKLIST,
                                    .organization = "mod_esign",
                                    .prefix = ESIGN_DEFAULT_PREFIX,
                                    .identity_number = ESIGN_DEFAULT_IDENTITY_NUMBER,
                                    .hash_memory = ESIGN_HASH_MEMORY_MIN,
                                    .hash_passes = ESIGN_HASH_PASSES_MIN };
    apr_file_t *file;
    char text[4096], reason[120];
    esign_result_t result = ESIGN_OK;
    apr_status_t status = apr_file_open(&file, path, APR_READ | APR_BUFFERED, 0, p);
    if (status != APR_SUCCESS)
        return esign_result_make(p, status, "settings", "%s cannot be read: %s", path,
                                 apr_strerror(status, reason, sizeof(reason)));
    for (int line = 1;
         !esign_failed(result) && apr_file_gets(text, sizeof(text), file) == APR_SUCCESS; line++) {
        /* apr_file_gets would return the rest as the next line. */
        if (strlen(text) == sizeof(text) - 1 && text[sizeof(text) - 2] != '\n') {
            result = refuse(settings, line, p, "the line is longer than 4094 characters");
            break;
        }
        char *name = text + strspn(text, " \t"), *end = name + strlen(name);
        while (end > name && strchr(" \t\r\n", end[-1]))
            *--end = '\0';
        if (*name == '\0' || *name == '#')
            continue;
        char *value = name + strcspn(name, " \t");
        if (*value)
            *value++ = '\0';
        result = take_setting(settings, name, value + strspn(value, " \t"), line, p);
    }
    apr_file_close(file);
    return esign_failed(result) ? result : check_mode(settings, p);
}

esign_result_t esign_settings_keyring(const esign_settings_t *settings,
                                      const esign_keyring_t **keyring, apr_pool_t *p)
{
    esign_keyring_t *loaded = NULL;
    if (!settings->key_file)
        return esign_result_make(p, APR_EINVAL, "settings", "%s: EsignKeyFile is missing",
                                 settings->path);
    esign_result_t result = esign_keyring_load(&loaded, settings->key_file, p);
    *keyring = loaded;
    return result;
}

esign_result_t esign_settings_database(const esign_settings_t *settings, int with_schema,
                                       esign_database_t **database, apr_pool_t *p)
{
    const esign_keyring_t *keyring;
    int version;
    esign_result_t result = esign_settings_keyring(settings, &keyring, p);
    if (esign_failed(result))
        return result;
    if (!settings->db_params)
        return esign_result_make(p, APR_EINVAL, "settings", "%s: DBDParams is missing",
                                 settings->path);
    result = esign_database_open(database, settings->db_driver, settings->db_params, keyring, p);
    return esign_failed(result) || !with_schema ? result
                                                : esign_schema_version(*database, &version, p);
}
