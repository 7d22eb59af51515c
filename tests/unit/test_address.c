/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c: addresses of the portal, tokens in them, cookies and languages. */
#include "suite.h"
#include "web/address.h"

#define PREFIX "/esign"

static void test_below(void)
{
    CU_ASSERT_STRING_EQUAL(esign_address_below("/esign", PREFIX), "");
    CU_ASSERT_STRING_EQUAL(esign_address_below("/esign/", PREFIX), "");
    CU_ASSERT_STRING_EQUAL(esign_address_below("/esign/otp/code", PREFIX), "otp/code");
    CU_ASSERT_STRING_EQUAL(esign_address_below("/login", ""), "login");
    CU_ASSERT(!esign_address_below("/esigned", PREFIX) && !esign_address_below("/", PREFIX) &&
              !esign_address_below("esign/", PREFIX));
}

static void test_segment(void)
{
    CU_ASSERT_STRING_EQUAL(esign_address_segment("captcha/a.png", "captcha/", ".png", pool), "a");
    CU_ASSERT_STRING_EQUAL(esign_address_segment("captcha/.png.png", "captcha/", ".png", pool),
                           ".png");
    CU_ASSERT_STRING_EQUAL(esign_address_segment("reset/abc", "reset/", "", pool), "abc");
    static const char *const none[] = { "captcha/.png", "captcha/",     "captcha/a/b.png",
                                        "captcha/a.pn", "captch/a.png", "" };
    for (apr_size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CU_ASSERT_PTR_NULL(esign_address_segment(none[i], "captcha/", ".png", pool));
}

static const char *hide(const char *line)
{
    char *hidden = apr_pstrdup(pool, line);
    esign_address_hide(hidden, PREFIX, pool);
    return hidden;
}

static void test_token(void)
{
    CU_ASSERT_STRING_EQUAL(esign_address_token("reset/abc"), "abc");
    CU_ASSERT_STRING_EQUAL(esign_address_token("reset/word/x"), "word/x");
    static const char *const none[] = { "reset", "reset/", "reset/word", "reset/sent", "reset/done",
                                        "login", "" };
    for (apr_size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CU_ASSERT_PTR_NULL(esign_address_token(none[i]));
    CU_ASSERT_STRING_EQUAL(esign_address_hidden("reset/abc", PREFIX, pool), "/esign/reset/***");
    CU_ASSERT_STRING_EQUAL(esign_address_token("report/abc"), "abc");
    CU_ASSERT(!esign_address_token("report/") && !esign_address_token("report") &&
              !esign_address_token("reports/a"));
    CU_ASSERT(esign_address_is_report("report/abc") && !esign_address_is_report("reset/report/"));
    CU_ASSERT_STRING_EQUAL(esign_address_hidden("report/abc", PREFIX, pool), "/esign/report/***");
    CU_ASSERT_STRING_EQUAL(hide("GET /esign/report/ab?to=905551234567 HTTP/1.1"),
                           "GET /esign/report/****************** HTTP/1.1");
    CU_ASSERT_STRING_EQUAL(hide("GET /esign/reset/abcdef HTTP/1.1"),
                           "GET /esign/reset/****** HTTP/1.1");
    CU_ASSERT_STRING_EQUAL(hide("GET /esign/reset/ab?x=/esign/reset/cd&y"),
                           "GET /esign/reset/**?x=/esign/reset/****");
    CU_ASSERT_STRING_EQUAL(hide("GET /esign/login HTTP/1.1"), "GET /esign/login HTTP/1.1");
}

static void test_cookie(void)
{
    static const char field[] = "a=1; aa=2;b=x=y ; c=;  d = 4; e=5; e=5";
    CU_ASSERT_STRING_EQUAL(esign_address_cookie(field, "a", pool), "1");
    CU_ASSERT_STRING_EQUAL(esign_address_cookie(field, "aa", pool), "2");
    CU_ASSERT_STRING_EQUAL(esign_address_cookie(field, "b", pool), "x=y");
    CU_ASSERT_STRING_EQUAL(esign_address_cookie(field, "c", pool), "");
    CU_ASSERT(!esign_address_cookie(field, "d", pool) && !esign_address_cookie(field, "e", pool) &&
              !esign_address_cookie(field, "f", pool));
    CU_ASSERT(!esign_address_cookie(NULL, "a", pool) && !esign_address_cookie("", "a", pool) &&
              !esign_address_cookie("a", "a", pool));
}

static void test_language(void)
{
    static const struct {
        const char *field, *language;
    } fields[] = {
        { "en", "en" },
        { "tr-TR,tr;q=0.9,en;q=0.8", "tr" },
        { "de, en;q=0.3, tr;q=0.25", "en" },
        { "en;q=0.5, tr;q=0.501", "tr" },
        { "EN-gb;q=1.0", "en" },
        { "*", "tr" },
        { "*;q=0.1, en;q=0.2", "en" },
    };
    static const char *const none[] = { NULL, "", "de", "tr;q=0", ",;, ", "trx" };
    for (apr_size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        CU_ASSERT_STRING_EQUAL(esign_address_language(fields[i].field, pool), fields[i].language);
    for (apr_size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CU_ASSERT_PTR_NULL(esign_address_language(none[i], pool));
}

int main(void)
{
    CU_TestInfo tests[] = { { "what stands below the prefix", test_below },
                            { "the segment of a row", test_segment },
                            { "the token of a link, and its mask", test_token },
                            { "a cookie that stands there once", test_cookie },
                            { "the best of the languages", test_language },
                            CU_TEST_INFO_NULL };
    return suite_run("http", tests);
}
