/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h: a temporary folder for the files of one suite, and keyrings made from lines of text.
 */
#ifndef ESIGN_TESTS_SCRATCH_H
#define ESIGN_TESTS_SCRATCH_H

#include "core/keyring.h"
#include "suite.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_KEY_1 "key 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
#define SCRATCH_KEY_2 "key 2 AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"

static char scratch_folder[] = "/tmp/esign-unit-XXXXXX";

static inline const char *scratch_path(const char *name)
{
    return apr_pstrcat(pool, scratch_folder, "/", name, NULL);
}

static inline const esign_keyring_t *scratch_keyring(const char *lines)
{
    esign_keyring_t *keyring = NULL;
    const char *path = scratch_path("keys");
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_FATAL(fputs(lines, file) >= 0 && fclose(file) == 0 && chmod(path, 0600) == 0);
    CU_ASSERT_FATAL(!esign_failed(esign_keyring_load(&keyring, path, pool)) && keyring != NULL);
    return keyring;
}

static inline int scratch_make(void)
{
    return mkdtemp(scratch_folder) != NULL;
}

static inline void scratch_remove(void)
{
    char path[sizeof(scratch_folder) + 256];
    DIR *folder = opendir(scratch_folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", scratch_folder, entry->d_name);
        unlink(path);
    }
    if (folder)
        closedir(folder);
    rmdir(scratch_folder);
}

#endif
