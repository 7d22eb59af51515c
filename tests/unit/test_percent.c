/* SPDX-License-Identifier: Apache-2.0 */
/* test_percent.c: percent-encoding of every byte and back, and escapes that are refused. */
#include "core/percent.h"
#include "suite.h"

static const char *encode(const char *text)
{
    char *encoded = apr_palloc(pool, ESIGN_PERCENT_LONGEST * strlen(text) + 1);
    *esign_percent_put(encoded, text) = '\0';
    return encoded;
}

static const char *decode(const char *text)
{
    return esign_percent_decode(pool, text, text + strlen(text));
}

static void test_encode(void)
{
    static const char unreserved[] = "abcxyzABCXYZ0189-._~";
    CU_ASSERT_STRING_EQUAL(encode(""), "");
    CU_ASSERT_STRING_EQUAL(encode(unreserved), unreserved);
    CU_ASSERT_STRING_EQUAL(encode("Ay\xC5\x9F"
                                  "e & 100%/+"),
                           "Ay%C5%9Fe%20%26%20100%25%2F%2B");
}

static void test_round_trip(void)
{
    char every[256];
    for (int i = 0; i < 255; i++)
        every[i] = (char)(i + 1);
    every[255] = '\0';
    CU_ASSERT_STRING_EQUAL(decode(encode(every)), every);
}

static void test_decode(void)
{
    const char *text = "%41%2fb";
    CU_ASSERT_STRING_EQUAL(decode("%2f%2F+ %c3%BC"), "//+ \xC3\xBC");
    CU_ASSERT_STRING_EQUAL(esign_percent_decode(pool, text, text + 6), "A/");
    CU_ASSERT_STRING_EQUAL(esign_percent_decode(pool, text, text), "");
}

static void test_refused(void)
{
    static const char *const bad[] = { "%", "%4", "%4g", "%g4", "a%", "%00", "a%-1", "% 1" };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_PTR_NULL(decode(bad[i]));
    CU_ASSERT_PTR_NULL(esign_percent_decode(pool, bad[0], bad[0] + 2));
    const char *text = "a%41";
    CU_ASSERT_PTR_NULL(esign_percent_decode(pool, text, text + 3)); /* cut by the end */
}

int main(void)
{
    CU_TestInfo tests[] = { { "reserved bytes are escaped", test_encode },
                            { "every byte but NUL comes back", test_round_trip },
                            { "escapes of either case are read up to the end", test_decode },
                            { "broken escapes and NUL are refused", test_refused },
                            CU_TEST_INFO_NULL };
    return suite_run("percent", tests);
}
