/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: random bytes, hashes and MACs by OpenSSL, which abort the process when it fails. */
#include "digest.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* Fetching an algorithm costs more than hashing a short text, so it is done once. Threads only read
 * both afterwards. */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC_CTX *hmac_sha256; /* without a key; every call works on a copy */

/* OpenSSL fails here only without memory or without its algorithms. Callers could do nothing about
 * it but use weak bytes. */
static void require(int done)
{
    if (!done)
        abort();
}

static void fetch_algorithms(void)
{
    char name[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    require((sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL);
    require(hmac != NULL && (hmac_sha256 = EVP_MAC_CTX_new(hmac)) != NULL);
    require(EVP_MAC_CTX_set_params(hmac_sha256, parameters));
    EVP_MAC_free(hmac);
}

void esign_digest_random(void *bytes, apr_size_t length)
{
    require(length <= INT_MAX && RAND_bytes(bytes, (int)length) == 1);
}

apr_int64_t esign_digest_random_id(void)
{
    apr_uint64_t id;
    do {
        esign_digest_random(&id, sizeof(id));
        id &= INT64_MAX;
    } while (id == 0);
    return (apr_int64_t)id;
}

void esign_digest_sha256(const void *data, apr_size_t length,
                         unsigned char digest[ESIGN_DIGEST_SIZE])
{
    pthread_once(&fetched, fetch_algorithms);
    require(EVP_Digest(data, length, digest, NULL, sha256, NULL));
}

void esign_digest_hmac(const unsigned char key[ESIGN_DIGEST_SIZE], const void *data,
                       apr_size_t length, unsigned char mac[ESIGN_DIGEST_SIZE])
{
    pthread_once(&fetched, fetch_algorithms);
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(hmac_sha256);
    size_t written;
    require(context != NULL && EVP_MAC_init(context, key, ESIGN_DIGEST_SIZE, NULL) &&
            EVP_MAC_update(context, data, length) &&
            EVP_MAC_final(context, mac, &written, ESIGN_DIGEST_SIZE));
    EVP_MAC_CTX_free(context);
}
