/* SPDX-License-Identifier: Apache-2.0 */
/* test_seal.c: sealed values open only where, and as, they were sealed. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/seal.h"
#include "keys.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE "subscriber/17/email"

static const char *seal(const esign_keyring_t *keyring, const char *place, const char *clear,
                        apr_size_t length)
{
    const char *sealed = NULL;
    CU_ASSERT_FATAL(!esign_failed(
        esign_seal(keyring, ESIGN_KEY_DATABASE, place, clear, length, &sealed, pool)));
    return sealed;
}

/* The opened value; NULL when it is refused. */
static const char *unseal(const esign_keyring_t *keyring, const char *place, const char *sealed)
{
    char *clear = NULL;
    apr_size_t length;
    esign_result_t result =
        esign_unseal(keyring, ESIGN_KEY_DATABASE, place, sealed, &clear, &length, pool);
    CU_ASSERT_EQUAL(result.status, clear == NULL ? APR_EINVAL : APR_SUCCESS);
    CU_ASSERT_EQUAL(ERR_peek_error(),
                    0); /* mod_ssl would log errors left in the thread's queue as its own */
    return clear;
}

static void test_round_trip(void)
{
    const esign_keyring_t *keyring = keys_load("key 7 " KEY_A "\n");
    for (apr_size_t size = 0; size < 300; size++) {
        char clear[300], *opened;
        apr_size_t length;
        esign_digest_random(clear, size);
        const char *sealed = seal(keyring, PLACE, clear, size);
        CU_ASSERT_FATAL(!esign_failed(
            esign_unseal(keyring, ESIGN_KEY_DATABASE, PLACE, sealed, &opened, &length, pool)));
        CU_ASSERT(length == size && memcmp(opened, clear, size) == 0 && opened[size] == '\0');
        CU_ASSERT_EQUAL(esign_seal_key_id(sealed), 7);
    }
    const char *sealed = seal(keyring, PLACE, NULL, 0);
    CU_ASSERT_STRING_EQUAL(unseal(keyring, PLACE, sealed), "");
}

static void test_frame(void)
{
    const esign_keyring_t *keyring = keys_load("key 7 " KEY_A "\n");
    apr_size_t size;
    const unsigned char *frame =
        esign_base64_url_decode(pool, seal(keyring, PLACE, "clear text", 10), &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
    CU_ASSERT_EQUAL_FATAL(size, 1 + 1 + 12 + 10 + 16);
    CU_ASSERT(frame[0] == 1 && frame[1] == 7);

    /* Opened by OpenSSL alone, by the description in seal.h. */
    unsigned char clear[10];
    int length;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    CU_ASSERT(EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL,
                                 esign_keyring_key(keyring, ESIGN_KEY_DATABASE, 7), frame + 2));
    CU_ASSERT(EVP_DecryptUpdate(context, NULL, &length, (const unsigned char *)PLACE,
                                (int)strlen(PLACE)));
    CU_ASSERT(EVP_DecryptUpdate(context, clear, &length, frame + 14, 10));
    CU_ASSERT(
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, (void *)(uintptr_t)(frame + 24)));
    CU_ASSERT(EVP_DecryptFinal_ex(context, clear + length, &length));
    CU_ASSERT(memcmp(clear, "clear text", 10) == 0);
    EVP_CIPHER_CTX_free(context);
}

static void test_nonce(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    CU_ASSERT_STRING_NOT_EQUAL(seal(keyring, PLACE, "same", 4), seal(keyring, PLACE, "same", 4));
}

static void test_moved(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *sealed = seal(keyring, PLACE, "ayse@example.org", 16);
    char *clear;
    apr_size_t length;
    CU_ASSERT_STRING_EQUAL(unseal(keyring, PLACE, sealed), "ayse@example.org");
    CU_ASSERT_PTR_NULL(unseal(keyring, "subscriber/18/email", sealed));
    CU_ASSERT_PTR_NULL(unseal(keyring, "subscriber/17/phone", sealed));
    CU_ASSERT_PTR_NULL(unseal(keyring, "", sealed));
    CU_ASSERT_EQUAL(
        esign_unseal(keyring, ESIGN_KEY_MEMCACHED, PLACE, sealed, &clear, &length, pool).status,
        APR_EINVAL);
}

static void test_every_bit(void)
{
    const esign_keyring_t *keyring =
        keys_load("key 1 " KEY_A "\nkey 3 " KEY_B "\nkey 2 " KEY_A "\n");
    apr_size_t size;
    unsigned char *frame =
        esign_base64_url_decode(pool, seal(keyring, PLACE, "pin 1234", 8), &size);
    for (apr_size_t bit = 0; bit < size * 8; bit++) {
        frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
        /* There is no key 0. Every other change is tried; one makes key 2 the equal key 3. */
        if (frame[1] != 0)
            CU_ASSERT_PTR_NULL(unseal(keyring, PLACE, esign_base64_url_encode(pool, frame, size)));
        frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    CU_ASSERT_STRING_EQUAL(unseal(keyring, PLACE, esign_base64_url_encode(pool, frame, size)),
                           "pin 1234");
}

static void test_cut(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *sealed = seal(keyring, PLACE, "a value", 7);
    for (apr_size_t length = 0; length < strlen(sealed); length++)
        CU_ASSERT_PTR_NULL(unseal(keyring, PLACE, apr_pstrmemdup(pool, sealed, length)));
    CU_ASSERT_PTR_NULL(unseal(keyring, PLACE, apr_pstrcat(pool, sealed, "A", NULL)));
    CU_ASSERT_PTR_NULL(unseal(keyring, PLACE, apr_pstrcat(pool, sealed, "AAAA", NULL)));
    CU_ASSERT_PTR_NULL(unseal(keyring, PLACE, "no base64url!"));
}

static void test_rotation(void)
{
    const esign_keyring_t *before = keys_load("key 1 " KEY_A "\n");
    const esign_keyring_t *both = keys_load("key 1 " KEY_A "\nkey 2 " KEY_B "\n");
    const esign_keyring_t *after = keys_load("key 2 " KEY_B "\n");
    const char *old = seal(before, PLACE, "value", 5), *new = seal(both, PLACE, "value", 5);
    CU_ASSERT_EQUAL(esign_seal_key_id(old), 1);
    CU_ASSERT_EQUAL(esign_seal_key_id(new), 2);
    CU_ASSERT_STRING_EQUAL(unseal(both, PLACE, old), "value");
    CU_ASSERT_STRING_EQUAL(unseal(after, PLACE, new), "value");
    CU_ASSERT_PTR_NULL(unseal(before, PLACE, new));

    char *clear;
    apr_size_t length;
    esign_result_t result =
        esign_unseal(after, ESIGN_KEY_DATABASE, PLACE, old, &clear, &length, pool);
    CU_ASSERT(result.status == APR_EINVAL && strstr(result.detail, "key 1") != NULL);
}

static void test_key_id_of_others(void)
{
    CU_ASSERT_EQUAL(esign_seal_key_id(""), 0);
    CU_ASSERT_EQUAL(esign_seal_key_id("AQc"), 0);
    CU_ASSERT_EQUAL(esign_seal_key_id("an ordinary text that nobody ever sealed at all"), 0);
    CU_ASSERT_EQUAL(esign_seal_key_id("AgcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                    0); /* version 2 */
    CU_ASSERT_EQUAL(esign_seal_key_id("AQcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 7);
    CU_ASSERT_EQUAL(esign_seal_key_id("AQcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                    0); /* a byte short */
    CU_ASSERT_EQUAL(esign_seal_key_id("AQcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+"), 0);
}

int main(void)
{
    CU_TestInfo tests[] = { { "values of every length come back", test_round_trip },
                            { "the frame is as seal.h describes it", test_frame },
                            { "no two seals are alike", test_nonce },
                            { "a moved value does not open", test_moved },
                            { "a value with any bit changed does not open", test_every_bit },
                            { "a cut or longer value does not open", test_cut },
                            { "keys rotate", test_rotation },
                            { "a text that is not sealed names no key", test_key_id_of_others },
                            CU_TEST_INFO_NULL };
    return suite_run("seal", tests);
}
