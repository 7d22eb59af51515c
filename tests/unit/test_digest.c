/* SPDX-License-Identifier: Apache-2.0 */
/* test_digest.c: digests and MACs against known answers; results; secrets that are wiped with their
 * pool. */
#include "core/digest.h"
#include "core/result.h"
#include "core/secret.h"
#include "suite.h"

static const char *hex(const unsigned char *bytes, apr_size_t length)
{
    char *text = apr_palloc(pool, 2 * length + 1);
    for (apr_size_t i = 0; i < length; i++)
        apr_snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static void test_sha256(void)
{
    unsigned char digest[ESIGN_DIGEST_SIZE];
    esign_digest_sha256("abc", 3, digest); /* FIPS 180-2, appendix B.1 */
    CU_ASSERT_STRING_EQUAL(hex(digest, sizeof(digest)),
                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    esign_digest_sha256("", 0, digest);
    CU_ASSERT_STRING_EQUAL(hex(digest, sizeof(digest)),
                           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_hmac(void)
{
    unsigned char key[ESIGN_DIGEST_SIZE], mac[ESIGN_DIGEST_SIZE], again[ESIGN_DIGEST_SIZE];
    for (int i = 0; i < ESIGN_DIGEST_SIZE; i++)
        key[i] = (unsigned char)i;
    esign_digest_hmac(key, "Hi There", 8, mac); /* computed with Python's hmac */
    CU_ASSERT_STRING_EQUAL(hex(mac, sizeof(mac)),
                           "278639ec02309d3afded1b273f1349ba63b9089c12476d716bee3ecc94673e9e");
    key[31] ^= 1;
    esign_digest_hmac(key, "Hi There", 8, again);
    CU_ASSERT(memcmp(mac, again, sizeof(mac)) != 0);
    key[31] ^= 1;
    esign_digest_hmac(key, "Hi There", 8, again); /* an earlier call has no effect */
    CU_ASSERT(memcmp(mac, again, sizeof(mac)) == 0);
}

static void test_random(void)
{
    unsigned char a[32] = { 0 }, b[32] = { 0 };
    esign_digest_random(a, sizeof(a));
    esign_digest_random(b, sizeof(b));
    CU_ASSERT(memcmp(a, b, sizeof(a)) != 0);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_FATAL(esign_digest_random_id() > 0);
    CU_ASSERT(esign_digest_random_id() != esign_digest_random_id());
}

static int is_zero(const char *bytes, apr_size_t length)
{
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length == 0;
}

typedef struct {
    const char *secret;
    int wiped;
} watch_t;

static apr_status_t look(void *data)
{
    watch_t *watch = data;
    watch->wiped = is_zero(watch->secret, 16);
    return APR_SUCCESS;
}

/* Cleanups run in reverse order. One registered before the secret is made runs after the wipe,
 * while the memory still belongs to the pool. */
static void test_secret_wiped_with_pool(void)
{
    watch_t watch = { NULL, 0 };
    apr_pool_t *inner;
    apr_pool_create(&inner, pool);
    for (int destroy = 0; destroy < 2; destroy++) {
        apr_pool_cleanup_register(inner, &watch, look, apr_pool_cleanup_null);
        watch.secret = esign_secret_copy(inner, "sixteen letters!", 16);
        watch.wiped = 0;
        CU_ASSERT_STRING_EQUAL(watch.secret, "sixteen letters!");
        if (destroy)
            apr_pool_destroy(inner);
        else
            apr_pool_clear(inner);
        CU_ASSERT(watch.wiped);
    }
}

static void test_secret(void)
{
    unsigned char *bytes = esign_secret_alloc(pool, 100);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(bytes[i] == 0);
    CU_ASSERT_STRING_EQUAL(esign_secret_copy(pool, "abcdef", 3), "abc");
    CU_ASSERT_STRING_EQUAL(esign_secret_copy(pool, NULL, 0), "");
    CU_ASSERT(esign_secret_equal("same", "same", 4));
    CU_ASSERT(!esign_secret_equal("same", "samE", 4));
    CU_ASSERT(!esign_secret_equal("same", "Same", 4));
    CU_ASSERT(esign_secret_equal("samE", "same", 3));
    char text[16] = "sixteen letters";
    esign_secret_wipe(text, sizeof(text));
    CU_ASSERT(is_zero(text, sizeof(text)));
}

static void test_result(void)
{
    esign_result_t result = esign_result_make(pool, APR_EINVAL, "part", "%s line %d", "file", 7);
    CU_ASSERT(esign_failed(result));
    CU_ASSERT_EQUAL(result.status, APR_EINVAL);
    CU_ASSERT_STRING_EQUAL(result.problem, "part");
    CU_ASSERT_STRING_EQUAL(result.detail, "file line 7");
    CU_ASSERT(!esign_failed(ESIGN_OK));
    CU_ASSERT_STRING_EQUAL(
        esign_result_make(pool, APR_EINVAL, "part", "a\nb\x1B[0m \xFFş\xC2\x85\xE2\x80\xA8\xC3")
            .detail,
        "a b [0m ?ş     ?");
}

int main(void)
{
    CU_TestInfo tests[] = { { "SHA-256 gives the known answers", test_sha256 },
                            { "HMAC-SHA256 gives the known answer and keeps nothing", test_hmac },
                            { "random bytes and ids differ", test_random },
                            { "a secret is wiped with its pool", test_secret_wiped_with_pool },
                            { "secrets are copied, compared and wiped", test_secret },
                            { "a result carries its detail", test_result },
                            CU_TEST_INFO_NULL };
    return suite_run("digest", tests);
}
