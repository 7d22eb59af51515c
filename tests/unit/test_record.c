/* SPDX-License-Identifier: Apache-2.0 */
/* test_record.c: tables as text and back. */
#include "core/record.h"
#include "suite.h"

#include <stdint.h>

static apr_table_t *decode(const char *text)
{
    return esign_record_decode(pool, text, strlen(text));
}

static void test_encode(void)
{
    apr_table_t *values = apr_table_make(pool, 4);
    CU_ASSERT_STRING_EQUAL(esign_record_encode(pool, values), "");
    apr_table_set(values, "subscriber", "17");
    apr_table_set(values, "na me", "Ayşe & Ali = 100%");
    apr_table_set(values, "empty", "");
    CU_ASSERT_STRING_EQUAL(esign_record_encode(pool, values),
                           "subscriber=17&na%20me=Ay%C5%9Fe%20%26%20Ali%20%3D%20100%25&empty=");
}

static void test_round_trip(void)
{
    char every[256];
    for (int i = 0; i < 255; i++)
        every[i] = (char)(i + 1);
    every[255] = '\0';
    apr_table_t *values = apr_table_make(pool, 4);
    apr_table_set(values, every, every);
    apr_table_set(values, "b", "2");
    apr_table_set(values, "a", "1");
    const char *text = esign_record_encode(pool, values);
    apr_table_t *back = decode(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(apr_table_elts(back)->nelts, 3);
    CU_ASSERT_STRING_EQUAL(apr_table_get(back, every), every);
    CU_ASSERT_STRING_EQUAL(esign_record_encode(pool, back), text);
}

static void test_decode(void)
{
    apr_table_t *values = decode("");
    CU_ASSERT(values != NULL && apr_table_elts(values)->nelts == 0);
    values = decode("a=b=c&d=%2f%2F+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    CU_ASSERT_STRING_EQUAL(apr_table_get(values, "a"), "b=c");
    CU_ASSERT_STRING_EQUAL(apr_table_get(values, "d"), "//+");
    CU_ASSERT_PTR_NULL(apr_table_get(values, "c"));
    values = esign_record_decode(pool, "a=12345", 4); /* `length` decides, not a NUL */
    CU_ASSERT_STRING_EQUAL(apr_table_get(values, "a"), "12");
}

static void test_refused(void)
{
    static const char *const bad[] = { "a=1&a=2", "a=1&A=2",  "a=1&%61=2", "a=%",   "a=%4",
                                       "a=%4g",   "a=%g4",    "a=%00",     "%00=a", "a=1%",
                                       "a%=1",    "a=%4&b=1", "a",         "a&b=1", "a=1&",
                                       "&a=1",    "a=1&&b=2", "&" };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_PTR_NULL(decode(bad[i]));
    CU_ASSERT_PTR_NULL(esign_record_decode(pool,
                                           "a=1\0"
                                           "2",
                                           5));
    CU_ASSERT_PTR_NULL(
        esign_record_decode(pool, "a=%41", 4)); /* an escape that continues after the end */
}

static void test_limit(void)
{
    char *text = apr_pstrdup(pool, "n0=0");
    for (int i = 1; i < 64; i++)
        text = apr_psprintf(pool, "%s&n%d=%d", text, i, i);
    apr_table_t *values = decode(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    CU_ASSERT_EQUAL(apr_table_elts(values)->nelts, 64);
    CU_ASSERT_EQUAL(esign_record_number(values, "n63", -1), 63);
    CU_ASSERT_PTR_NULL(decode(apr_pstrcat(pool, text, "&n64=64", NULL)));
}

static void test_numbers(void)
{
    static const char *const bad[] = { "",
                                       "-",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1x",
                                       "0x10",
                                       "--1",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "1.0" };
    static const apr_int64_t good[] = { 0, 1, -1, 1790000000000000, INT64_MAX, INT64_MIN };
    apr_table_t *values = apr_table_make(pool, 2);
    CU_ASSERT_EQUAL(esign_record_number(values, "n", 42), 42);
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        apr_table_set(values, "n", bad[i]);
        CU_ASSERT_EQUAL(esign_record_number(values, "n", 42), 42);
    }
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        esign_record_set_number(values, "n", good[i]);
        CU_ASSERT_EQUAL(esign_record_number(values, "n", 42), good[i]);
    }
    CU_ASSERT_EQUAL(apr_table_elts(values)->nelts, 1);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a table is percent-encoded in its order", test_encode },
                            { "every byte comes back", test_round_trip },
                            { "texts are decoded", test_decode },
                            { "broken texts are refused", test_refused },
                            { "64 values and no more", test_limit },
                            { "numbers are whole or absent", test_numbers },
                            CU_TEST_INFO_NULL };
    return suite_run("record", tests);
}
