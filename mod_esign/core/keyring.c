/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c: derives the keys by HKDF, and keeps them in guarded memory. */
#include "keyring.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>

#define PROBLEM "key file"

/* The keys derived from one master key. */
typedef unsigned char derived_t[ESIGN_KEY_PURPOSES][ESIGN_KEY_SIZE];

struct esign_keyring_t {
    int count;                 /* of master keys */
    int next;                  /* id; 0: none */
    int ids[ESIGN_KEY_MAX_ID]; /* the active key's first */
    /* By id: 1 + the index in `ids` and `keys`; 0: there is no such key. */
    unsigned char position[ESIGN_KEY_MAX_ID + 1];
    derived_t keys[];
};

/* The `info` of HKDF. A label never changes, because values sealed under its key would be lost. The
 * label of ESIGN_KEY_CAPTCHA_SEED has an older name. */
static const char *const labels[ESIGN_KEY_PURPOSES] = {
    [ESIGN_KEY_LOOKUP] = "mod_esign 1 lookup",
    [ESIGN_KEY_PEPPER] = "mod_esign 1 pepper",
    [ESIGN_KEY_DATABASE] = "mod_esign 1 database",
    [ESIGN_KEY_MEMCACHED] = "mod_esign 1 memcached",
    [ESIGN_KEY_CHALLENGE] = "mod_esign 1 challenge",
    [ESIGN_KEY_OTP] = "mod_esign 1 otp",
    [ESIGN_KEY_COOKIE] = "mod_esign 1 cookie",
    [ESIGN_KEY_AUDIT] = "mod_esign 1 audit",
    [ESIGN_KEY_WORK] = "mod_esign 1 work",
    [ESIGN_KEY_CAPTCHA_SEED] = "mod_esign 1 chance",
    [ESIGN_KEY_MARK] = "mod_esign 1 mark",
    [ESIGN_KEY_REPORT] = "mod_esign 1 report",
    [ESIGN_KEY_MESSAGE_ID] = "mod_esign 1 message-id"
};

/* Derives the keys of all purposes. The salt is empty, because the master keys are uniformly random
 * (RFC 5869 section 3.1). */
static int derive_keys(EVP_KDF_CTX *context, unsigned char *master, derived_t keys)
{
    char digest[] = "SHA256";
    for (int purpose = 0; purpose < ESIGN_KEY_PURPOSES; purpose++) {
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, master, ESIGN_KEY_SIZE),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)labels[purpose],
                                              strlen(labels[purpose])),
            OSSL_PARAM_construct_end()
        };
        EVP_KDF_CTX_reset(context);
        if (EVP_KDF_derive(context, keys[purpose], ESIGN_KEY_SIZE, parameters) <= 0)
            return 0;
    }
    return 1;
}

/* Derives from key number `line` of the file, as number `place` of the keyring. */
static int add_key(esign_keyring_t *keyring, int place, EVP_KDF_CTX *context,
                   esign_key_file_t *file, int line)
{
    keyring->ids[place] = file->ids[line];
    keyring->position[file->ids[line]] = (unsigned char)(place + 1);
    return derive_keys(context, file->keys[line], keyring->keys[place]);
}

static int fill_keyring(esign_keyring_t *keyring, esign_key_file_t *file)
{
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
    int place = 1, done = context != NULL && add_key(keyring, 0, context, file, file->active);
    keyring->count = file->count;
    keyring->next = file->next < 0 ? 0 : file->ids[file->next];
    for (int line = file->count - 1; done && line >= 0; line--)
        done = line == file->active || add_key(keyring, place++, context, file, line);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return done;
}

/* sodium_malloc aligns the end of a block to a page, so only a rounded size makes its start
 * aligned. */
static apr_size_t size_of(int count)
{
    return APR_ALIGN(sizeof(esign_keyring_t) + (apr_size_t)count * sizeof(derived_t), 64);
}

static apr_status_t free_keyring(void *keyring)
{
    sodium_free(keyring);
    return APR_SUCCESS;
}

static esign_result_t make_keyring(esign_keyring_t **keyring, esign_key_file_t *file, apr_pool_t *p)
{
    apr_size_t size = size_of(file->count);
    esign_keyring_t *made = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (!made)
        return esign_result_make(p, APR_ENOMEM, PROBLEM, "no guarded memory for %d keys",
                                 file->count);
    memset(made, 0, size);
    apr_pool_cleanup_register(p, made, free_keyring, apr_pool_cleanup_null);
    if (!fill_keyring(made, file))
        return esign_result_make(p, APR_EGENERAL, PROBLEM,
                                 "OpenSSL cannot derive keys with HKDF-SHA256");
    if (sodium_mprotect_readonly(made) != 0)
        return esign_result_make(p, errno, PROBLEM, "the keys' memory cannot be made read-only: %s",
                                 strerror(errno));
    *keyring = made;
    return ESIGN_OK;
}

esign_result_t esign_keyring_load(esign_keyring_t **keyring, const char *path, apr_pool_t *p)
{
    apr_pool_t *scratch;
    esign_key_file_t *file;
    apr_pool_create(&scratch, p);
    esign_result_t result = esign_key_file_read(&file, path, scratch);
    if (esign_failed(result))
        result = esign_result_make(p, result.status, result.problem, "%s", result.detail);
    else
        result = make_keyring(keyring, file, p);
    apr_pool_destroy(scratch);
    return result;
}

apr_status_t esign_keyring_lock(const esign_keyring_t *keyring)
{
    return mlock(keyring, size_of(keyring->count)) == 0 ? APR_SUCCESS : errno;
}

int esign_keyring_active(const esign_keyring_t *keyring)
{
    return keyring->ids[0];
}

int esign_keyring_next(const esign_keyring_t *keyring)
{
    return keyring->next;
}

int esign_keyring_ids(const esign_keyring_t *keyring, const int **ids)
{
    *ids = keyring->ids;
    return keyring->count;
}

const unsigned char *esign_keyring_key(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                                       int id)
{
    if (id < 1 || id > ESIGN_KEY_MAX_ID || keyring->position[id] == 0)
        return NULL;
    return keyring->keys[keyring->position[id] - 1][purpose];
}
