/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c: the two files of lines that esignctl and httpd read: the key file and the settings.
 */
#include "fuzz.h"

#include "ctl/settings.h"

static void key_file(const char *path, apr_pool_t *p)
{
    esign_keyring_t *keyring;
    const int *ids;
    esign_result_t result = esign_keyring_load(&keyring, path, p);
    if (esign_failed(result)) {
        HOLDS(strncmp(result.detail, path, strlen(path)) == 0 && fuzz_clean(result.detail, ""));
        return;
    }
    int count = esign_keyring_ids(keyring, &ids);
    HOLDS(count >= 1 && count <= 255 && ids[0] == esign_keyring_active(keyring));
    for (int i = 0; i < count; i++) {
        HOLDS(ids[i] >= 1 && ids[i] <= 255);
        const unsigned char *seal = esign_keyring_key(keyring, ESIGN_KEY_DATABASE, ids[i]),
                            *pepper = esign_keyring_key(keyring, ESIGN_KEY_PEPPER, ids[i]);
        HOLDS(seal && pepper && memcmp(seal, pepper, ESIGN_KEY_SIZE) != 0);
        for (int j = 0; j < i; j++)
            HOLDS(ids[i] != ids[j]);
    }
    HOLDS(esign_keyring_key(keyring, ESIGN_KEY_DATABASE, 0) == NULL &&
          esign_keyring_key(keyring, ESIGN_KEY_DATABASE, 256) == NULL);
}

static int one_line(const char *text)
{
    return text == NULL || (*text && strchr(text, '\n') == NULL);
}

/* Whether every line is a comment, and none is too long. */
static int all_comments(fuzz_rest_t rest, apr_pool_t *p)
{
    while (rest.size > 0) {
        const char *start = rest.data, *line = fuzz_line(&rest, p);
        if (*line != '#' || rest.data - start > 4095)
            return 0;
    }
    return 1;
}

static void settings_file(const char *path, int comments, apr_pool_t *p)
{
    esign_settings_t settings;
    esign_result_t result = esign_settings_read(&settings, path, p);
    HOLDS(!comments || (!esign_failed(result) && !settings.key_file));
    if (esign_failed(result)) {
        HOLDS(strncmp(result.detail, path, strlen(path)) == 0);
        return;
    }
    HOLDS(settings.db_driver && settings.htdocs && settings.organization && settings.prefix &&
          settings.identity_number);
    HOLDS(settings.hash_memory >= 19456 && settings.hash_passes >= 2);
    HOLDS(one_line(settings.key_file) && one_line(settings.db_driver) &&
          one_line(settings.db_params) && one_line(settings.htdocs) && one_line(settings.theme) &&
          one_line(settings.organization) && one_line(settings.public_url) &&
          one_line(settings.prefix) && one_line(settings.identity_number) &&
          one_line(settings.word_blocklist));
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    const char *path = fuzz_file("lines", data ? data : "", size);
    key_file(path, p);
    settings_file(path, all_comments((fuzz_rest_t){ data, size }, p), p);
}
