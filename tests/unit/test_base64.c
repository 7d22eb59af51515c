/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c: base64 and base64url against RFC 4648's answers, and texts that are refused. */
#include "core/base64.h"
#include "core/digest.h"
#include "suite.h"

static void test_url(void)
{
    static const struct {
        const char *bytes, *text;
    } known[] = { /* RFC 4648 section 10, without padding */
                  { "", "" },
                  { "f", "Zg" },
                  { "fo", "Zm8" },
                  { "foo", "Zm9v" },
                  { "foob", "Zm9vYg" },
                  { "fooba", "Zm9vYmE" },
                  { "foobar", "Zm9vYmFy" },
                  { "\xfb\xff\xfe", "-__-" }
    };
    for (apr_size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        apr_size_t length = 99;
        CU_ASSERT_STRING_EQUAL(
            esign_base64_url_encode(pool, known[i].bytes, strlen(known[i].bytes)), known[i].text);
        unsigned char *bytes = esign_base64_url_decode(pool, known[i].text, &length);
        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        CU_ASSERT_EQUAL(length, strlen(known[i].bytes));
        CU_ASSERT(memcmp(bytes, known[i].bytes, length) == 0);
    }
}

static void test_url_refused(void)
{
    static const char *const bad[] = {
        "Z",    "Zg==",  "Zg=", "Zh",    "Zm9",  "Zm9v\n",     "Zm 9v",
        "+//+", "Zm9vY", "ş",   "Zm9v!", "ğüğü", "__\xC3\xBC", "Zm9v\xFF\xFF\xFF\xFF"
    };
    apr_size_t length;
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_PTR_NULL(esign_base64_url_decode(pool, bad[i], &length));
}

static void test_url_all_lengths(void)
{
    unsigned char bytes[200];
    for (apr_size_t size = 0; size <= sizeof(bytes); size++) {
        apr_size_t length;
        esign_digest_random(bytes, size);
        unsigned char *back =
            esign_base64_url_decode(pool, esign_base64_url_encode(pool, bytes, size), &length);
        CU_ASSERT_PTR_NOT_NULL_FATAL(back);
        CU_ASSERT(length == size && memcmp(back, bytes, size) == 0);
    }
}

static void test_url_in_place(void)
{
    char text[ESIGN_BASE64_URL_LENGTH(4) + 2] = "#######";
    unsigned char bytes[3];
    apr_size_t length;
    esign_base64_url_write(text, "foob", 4);
    CU_ASSERT_STRING_EQUAL(text, "Zm9vYg");
    CU_ASSERT(esign_base64_url_read(bytes, sizeof(bytes), text, 4, &length));
    CU_ASSERT(length == 3 && memcmp(bytes, "foo", 3) == 0);
    CU_ASSERT(!esign_base64_url_read(bytes, sizeof(bytes), text, 6, &length));
    CU_ASSERT(!esign_base64_url_read(bytes, sizeof(bytes), text, 5, &length));
}

static void test_padded(void)
{
    static const struct {
        const char *bytes, *text;
    } known[] = { { "", "" },
                  { "f", "Zg==" },
                  { "fo", "Zm8=" },
                  { "foo", "Zm9v" },
                  { "foob", "Zm9vYg==" },
                  { "fooba", "Zm9vYmE=" },
                  { "foobar", "Zm9vYmFy" },
                  { "\xfb\xff\xfe", "+//+" } };
    for (apr_size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        CU_ASSERT_STRING_EQUAL(esign_base64_encode(pool, known[i].bytes, strlen(known[i].bytes)),
                               known[i].text);
}

static void test_unpadded(void)
{
    static const char *const bad[] = { "Zg==", "Zh", "-__-", "Zm9vY", "\xC3\xBC", "Zm9v " };
    unsigned char bytes[8];
    apr_size_t length;
    CU_ASSERT(esign_base64_read_unpadded(bytes, sizeof(bytes), "Zm9vYg$", 6, &length));
    CU_ASSERT(length == 4 && memcmp(bytes, "foob", 4) == 0);
    CU_ASSERT(esign_base64_read_unpadded(bytes, sizeof(bytes), "+//+", 4, &length));
    CU_ASSERT(length == 3 && memcmp(bytes, "\xfb\xff\xfe", 3) == 0);
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT(
            !esign_base64_read_unpadded(bytes, sizeof(bytes), bad[i], strlen(bad[i]), &length));
}

int main(void)
{
    CU_TestInfo tests[] = { { "base64url follows RFC 4648", test_url },
                            { "base64url that is not canonical is refused", test_url_refused },
                            { "base64url comes back for every length", test_url_all_lengths },
                            { "base64url fits the caller's buffers", test_url_in_place },
                            { "base64 with padding follows RFC 4648", test_padded },
                            { "base64 without padding is read, and refused when not canonical",
                              test_unpadded },
                            CU_TEST_INFO_NULL };
    return suite_run("base64", tests);
}
