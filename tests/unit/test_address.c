/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c: addresses of the portal, secrets in them, cookies and languages. */
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

static void test_after(void)
{
    CU_ASSERT_STRING_EQUAL(esign_address_after("reset/abc", "reset/"), "abc");
    CU_ASSERT_STRING_EQUAL(esign_address_after("reset/word/x", "reset/"), "word/x");
    static const char *const none[] = { "reset", "reset/", "resets/a", "login", "" };
    for (apr_size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CU_ASSERT_PTR_NULL(esign_address_after(none[i], "reset/"));
}

static const char *mask(const char *line, const char *start, const char *ends)
{
    char *masked = apr_pstrdup(pool, line);
    esign_address_mask(masked, start, ends);
    return masked;
}

static void test_mask(void)
{
    CU_ASSERT_STRING_EQUAL(
        mask("GET /esign/report/ab?to=905551234567 HTTP/1.1", "/esign/report/", " "),
        "GET /esign/report/****************** HTTP/1.1");
    CU_ASSERT_STRING_EQUAL(mask("GET /esign/reset/abcdef HTTP/1.1", "/esign/reset/", " ?#"),
                           "GET /esign/reset/****** HTTP/1.1");
    CU_ASSERT_STRING_EQUAL(mask("GET /esign/reset/ab?x=/esign/reset/cd&y", "/esign/reset/", " ?#"),
                           "GET /esign/reset/**?x=/esign/reset/****");
    CU_ASSERT_STRING_EQUAL(mask("GET /esign/login HTTP/1.1", "/esign/reset/", " ?#"),
                           "GET /esign/login HTTP/1.1");
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
                            { "what follows the start of an address", test_after },
                            { "a secret of a request line is masked", test_mask },
                            { "a cookie that stands there once", test_cookie },
                            { "the best of the languages", test_language },
                            CU_TEST_INFO_NULL };
    return suite_run("address", tests);
}
