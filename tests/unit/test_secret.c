/* SPDX-License-Identifier: Apache-2.0 */
/* test_secret.c: secret memory is zeroed, and wiped with its pool. */
#include "core/secret.h"
#include "suite.h"

/* What a cleanup finds that runs after the wiping one, while the memory still belongs to the pool.
 */
typedef struct {
    const char *bytes;
    apr_size_t length;
    int looked, left;
} look_t;

static apr_status_t look(void *data)
{
    look_t *seen = data;
    seen->looked++;
    for (apr_size_t i = 0; i < seen->length; i++)
        seen->left += seen->bytes[i] != '\0';
    return APR_SUCCESS;
}

/* Makes a secret in a new pool below the test's. Cleanups run in reverse order. */
static apr_pool_t *keep(look_t *seen, int copied)
{
    apr_pool_t *inner;
    apr_pool_create(&inner, pool);
    *seen = (look_t){ .length = 300 };
    apr_pool_cleanup_register(inner, seen, look, apr_pool_cleanup_null);
    char *secret = esign_secret_alloc(inner, 300);
    memset(secret, 's', 300);
    seen->bytes = copied ? esign_secret_copy(inner, secret, 300) : secret;
    CU_ASSERT(seen->bytes[0] == 's' && seen->bytes[299] == 's');
    return inner;
}

static void test_wiped(void)
{
    look_t seen;
    for (int copied = 0; copied < 2; copied++) {
        apr_pool_clear(keep(&seen, copied));
        CU_ASSERT(seen.looked == 1 && seen.left == 0);
        apr_pool_destroy(keep(&seen, copied));
        CU_ASSERT(seen.looked == 1 && seen.left == 0);
    }
    /* Also when the parent pool is destroyed. */
    apr_pool_t *parent = pool;
    apr_pool_create(&pool, parent);
    keep(&seen, 0);
    apr_pool_destroy(pool);
    pool = parent;
    CU_ASSERT(seen.looked == 1 && seen.left == 0);
}

static void test_zeroed(void)
{
    apr_pool_t *inner;
    apr_pool_create(&inner, pool);
    memset(apr_palloc(inner, 4000), 'x', 4000);
    apr_pool_clear(inner);
    const char *fresh = esign_secret_alloc(inner, 3000);
    for (int i = 0; i < 3000; i++)
        CU_ASSERT_FATAL(fresh[i] == '\0');
}

static void test_copied(void)
{
    char *copy = esign_secret_copy(pool, "a\0b tail", 3);
    CU_ASSERT(memcmp(copy, "a\0b", 4) == 0);
    CU_ASSERT_STRING_EQUAL(esign_secret_copy(pool, NULL, 0), "");
}

static void test_wipe_now(void)
{
    char bytes[] = "a word and more";
    esign_secret_wipe(bytes, 6);
    CU_ASSERT(memcmp(bytes, "\0\0\0\0\0\0 and more", sizeof(bytes)) == 0);
}

static void test_equal(void)
{
    char a[33] = "01234567890123456789012345678901", b[33];
    for (apr_size_t i = 0; i < 32; i++) {
        memcpy(b, a, sizeof(a));
        b[i] ^= 1;
        CU_ASSERT(!esign_secret_equal(a, b, 32));
        CU_ASSERT(esign_secret_equal(a, b, i));
    }
    memcpy(b, a, sizeof(a));
    CU_ASSERT(esign_secret_equal(a, b, 32));
}

int main(void)
{
    CU_TestInfo tests[] = { { "secrets are wiped before their pool frees them", test_wiped },
                            { "secret memory is zeroed", test_zeroed },
                            { "a copy ends with NUL, whatever is in it", test_copied },
                            { "wiping overwrites exactly the given length", test_wipe_now },
                            { "equal means every byte", test_equal },
                            CU_TEST_INFO_NULL };
    return suite_run("secret", tests);
}
