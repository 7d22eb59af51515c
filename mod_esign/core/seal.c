/* SPDX-License-Identifier: Apache-2.0 */
/* seal.c: AES-256-GCM of one value, in a frame that names its key. */
#include "seal.h"
#include "base64.h"
#include "digest.h"
#include "secret.h"

#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define PROBLEM "seal"
#define VERSION 1
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define HEAD_SIZE (2 + NONCE_SIZE)

/* Fetched once, because that costs more than sealing a short value. Threads only read it
 * afterwards. */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_CIPHER *aes_256_gcm;

static void fetch_cipher(void)
{
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static int encrypt_frame(EVP_CIPHER_CTX *context, const unsigned char *key, unsigned char *frame,
                         const char *place, const void *clear, int length)
{
    int written, rest;
    return EVP_EncryptInit_ex2(context, aes_256_gcm, key, frame + 2, NULL) &&
           EVP_EncryptUpdate(context, NULL, &written, (const unsigned char *)place,
                             (int)strlen(place)) &&
           EVP_EncryptUpdate(context, frame + HEAD_SIZE, &written, clear, length) &&
           EVP_EncryptFinal_ex(context, frame + HEAD_SIZE + written, &rest) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, frame + HEAD_SIZE + length);
}

static int decrypt_frame(EVP_CIPHER_CTX *context, const unsigned char *key, unsigned char *frame,
                         const char *place, char *clear, int length)
{
    int written, rest;
    return EVP_DecryptInit_ex2(context, aes_256_gcm, key, frame + 2, NULL) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
                               frame + HEAD_SIZE + length) &&
           EVP_DecryptUpdate(context, NULL, &written, (const unsigned char *)place,
                             (int)strlen(place)) &&
           EVP_DecryptUpdate(context, (unsigned char *)clear, &written, frame + HEAD_SIZE,
                             length) &&
           EVP_DecryptFinal_ex(context, (unsigned char *)clear + written, &rest);
}

esign_result_t esign_seal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                          const char *place, const void *clear, apr_size_t length,
                          const char **sealed, apr_pool_t *p)
{
    if (length > INT_MAX / 2 || strlen(place) > INT_MAX)
        return esign_result_make(p, APR_EINVAL, PROBLEM,
                                 "a value of %" APR_SIZE_T_FMT " bytes is too long to seal",
                                 length);
    pthread_once(&fetched, fetch_cipher);
    int id = esign_keyring_active(keyring);
    unsigned char *frame = apr_palloc(p, HEAD_SIZE + length + TAG_SIZE);
    frame[0] = VERSION;
    frame[1] = (unsigned char)id;
    esign_digest_random(frame + 2, NONCE_SIZE);

    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = context != NULL && aes_256_gcm != NULL &&
               encrypt_frame(context, esign_keyring_key(keyring, purpose, id), frame, place,
                             length > 0 ? clear : "", (int)length);
    EVP_CIPHER_CTX_free(context);
    if (!done)
        return esign_result_make(p, APR_EGENERAL, PROBLEM, "OpenSSL cannot seal with AES-256-GCM");
    *sealed = esign_base64_url_encode(p, frame, HEAD_SIZE + length + TAG_SIZE);
    return ESIGN_OK;
}

esign_result_t esign_unseal(const esign_keyring_t *keyring, esign_key_purpose_e purpose,
                            const char *place, const char *sealed, char **clear, apr_size_t *length,
                            apr_pool_t *p)
{
    apr_size_t size;
    unsigned char *frame = esign_base64_url_decode(p, sealed, &size);
    if (!frame || size < HEAD_SIZE + TAG_SIZE || size > INT_MAX || strlen(place) > INT_MAX ||
        frame[0] != VERSION)
        return esign_result_make(p, APR_EINVAL, PROBLEM, "the value of %s is not a sealed one",
                                 place);
    const unsigned char *key = esign_keyring_key(keyring, purpose, frame[1]);
    if (!key)
        return esign_result_make(
            p, APR_EINVAL, PROBLEM,
            "the value of %s is sealed under key %d, which the key file does not have", place,
            frame[1]);

    pthread_once(&fetched, fetch_cipher);
    apr_size_t inside = size - HEAD_SIZE - TAG_SIZE;
    char *opened = esign_secret_alloc(p, inside + 1);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = context != NULL && aes_256_gcm != NULL &&
               decrypt_frame(context, key, frame, place, opened, (int)inside);
    EVP_CIPHER_CTX_free(context);
    if (!done) {
        esign_secret_wipe(opened, inside); /* GCM decrypts before it checks the tag */
        return esign_result_make(
            p, APR_EINVAL, PROBLEM,
            "the value of %s was changed, or sealed for another place or under another key", place);
    }
    *clear = opened;
    *length = inside;
    return ESIGN_OK;
}

int esign_seal_key_id(const char *sealed)
{
    apr_size_t length = strlen(sealed), written;
    unsigned char head[3];
    if (length < ESIGN_BASE64_URL_LENGTH(HEAD_SIZE + TAG_SIZE) ||
        strspn(sealed, ESIGN_BASE64_URL_ALPHABET) != length ||
        !esign_base64_url_read(head, sizeof(head), sealed, 4, &written))
        return 0;
    return head[0] == VERSION ? head[1] : 0;
}
