/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h: keyrings for the suites, loaded from a key file as the module loads them. */
#ifndef ESIGN_TESTS_KEYS_H
#define ESIGN_TESTS_KEYS_H

#include "core/keyring.h"
#include "suite.h"

#include <unistd.h>

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define KEY_B "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* The keyring of a key file with these lines, in the running test's pool. */
static const esign_keyring_t *keys_load(const char *lines)
{
    char path[] = "/tmp/esign-keys-XXXXXX";
    int file = mkstemp(path);
    esign_keyring_t *keyring = NULL;
    CU_ASSERT_FATAL(file >= 0 && write(file, lines, strlen(lines)) == (ssize_t)strlen(lines));
    close(file);
    CU_ASSERT(!esign_failed(esign_keyring_load(&keyring, path, pool)));
    unlink(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(keyring);
    return keyring;
}

#endif
