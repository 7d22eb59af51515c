/* SPDX-License-Identifier: Apache-2.0 */
/* test_exposition.c: lines of Prometheus' text format, with any text in help and labels. */
#include "operator/exposition.h"
#include "suite.h"

#define SECOND APR_USEC_PER_SEC

static void expect_sample(const char *first, const char *second, const char *expected)
{
    const char *const labels[] = { "a", first, "b", second, NULL };
    CU_ASSERT_STRING_EQUAL(esign_exposition_sample(pool, "name", labels, "7"), expected);
}

static void test_head(void)
{
    CU_ASSERT_STRING_EQUAL(esign_exposition_head(pool, "name_total", "counter", "What \"it\" is."),
                           "# HELP name_total What \"it\" is.\n# TYPE name_total counter\n");
    CU_ASSERT_STRING_EQUAL(esign_exposition_head(pool, "name", "gauge", "a\\b\nc"),
                           "# HELP name a\\\\b\\nc\n# TYPE name gauge\n");
}

static void test_sample(void)
{
    static const char *const none[] = { NULL };
    CU_ASSERT_STRING_EQUAL(esign_exposition_sample(pool, "name", none, "1"), "name 1\n");
    expect_sample("x", "y", "name{a=\"x\",b=\"y\"} 7\n");
    expect_sample("x", "", "name{a=\"x\"} 7\n");
    expect_sample(NULL, "y", "name{b=\"y\"} 7\n");
    expect_sample("", NULL, "name 7\n");
}

static void test_escaped(void)
{
    expect_sample("\"} 1\nother{a=\"", "\\", "name{a=\"\\\"} 1\\nother{a=\\\"\",b=\"\\\\\"} 7\n");
    expect_sample("\\n", "\xC3\xA7", "name{a=\"\\\\n\",b=\"\xC3\xA7\"} 7\n");
}

static void test_values(void)
{
    CU_ASSERT_STRING_EQUAL(esign_exposition_number(pool, 0), "0");
    CU_ASSERT_STRING_EQUAL(esign_exposition_number(pool, APR_INT64_MAX), "9223372036854775807");
    CU_ASSERT_STRING_EQUAL(esign_exposition_seconds(pool, 12 * SECOND + 345), "12.000345");
    CU_ASSERT_STRING_EQUAL(esign_exposition_age(pool, 100 * SECOND, 101 * SECOND + 500000),
                           "1.500000");
    CU_ASSERT_STRING_EQUAL(esign_exposition_age(pool, 0, 101 * SECOND), "0.000000");
    CU_ASSERT_STRING_EQUAL(esign_exposition_age(pool, 102 * SECOND, 101 * SECOND), "0.000000");
}

int main(void)
{
    CU_TestInfo tests[] = { { "a metric's head", test_head },
                            { "a sample with and without labels", test_sample },
                            { "nothing ends a label or a line too soon", test_escaped },
                            { "numbers, seconds and ages", test_values },
                            CU_TEST_INFO_NULL };
    return suite_run("exposition", tests);
}
