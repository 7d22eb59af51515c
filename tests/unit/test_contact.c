/* SPDX-License-Identifier: Apache-2.0 */
/* test_contact.c: addresses and numbers that are accepted and refused, and their masks. */
#include "core/contact.h"
#include "suite.h"

static void test_mask_phone(void)
{
    static const struct {
        const char *phone, *masked;
    } known[] = {
        { "+905321234567", "+90 *** *** ** 67" },        { "+12025550123", "+1 *** *** ** 23" },
        { "+79161234567", "+7 *** *** ** 67" },          { "+491701234567", "+49 *** *** ** 67" },
        { "+994501234567", "+994 *** *** * 67" },        { "+2901234", "+290 ** 34" },
        { "+123456789012345", "+1 *** *** *** *** 45" }, { "+353851234567", "+353 *** *** * 67" }
    };
    for (apr_size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        CU_ASSERT_STRING_EQUAL(esign_contact_mask_phone(pool, known[i].phone), known[i].masked);
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_phone(pool, ""), "***");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_phone(pool, "+9"), "***");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_phone(pool, "05321234567"), "***");
}

static void test_mask_email(void)
{
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, "ayse@example.org"), "a***@example.org");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, "a@example.org"), "a***@example.org");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, "şule@example.org"), "ş***@example.org");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, ""), "***");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, "ayse"), "***");
    CU_ASSERT_STRING_EQUAL(esign_contact_mask_email(pool, "@example.org"), "***");
}

static void test_email_valid(void)
{
    static const char *const good[] = { "ayse@example.org",
                                        "a@b",
                                        "ayse.yilmaz+esign@mail.example.com.tr",
                                        "o'hara@example.org",
                                        "x@localhost",
                                        "1@2.3",
                                        "a_b-c@ex-ample.org",
                                        "u@xn--rnek-4qa.example" };
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT(esign_contact_email_valid(good[i]));
}

static void test_email_refused(void)
{
    static const char *const bad[] = { "",
                                       "@",
                                       "a@",
                                       "@b",
                                       "ayse",
                                       "a@b@c",
                                       "a b@c",
                                       "a@b c",
                                       "a@b\r\nRCPT TO:<x@y>",
                                       "a@b\n",
                                       "a\t@b",
                                       "<a@b>",
                                       "a@b>",
                                       "a,b@c",
                                       "a;b@c",
                                       "a:b@c",
                                       "\"a b\"@c",
                                       "a\\@b",
                                       "a(x)@b",
                                       "a@[127.0.0.1]",
                                       ".a@b",
                                       "a.@b",
                                       "a..b@c",
                                       "a@.b",
                                       "a@b.",
                                       "a@b..c",
                                       "a@-b",
                                       "a@b-",
                                       "a@b-.c",
                                       "a@b.-c",
                                       "a@b_c",
                                       "a\x7f@b",
                                       "a\x01@b",
                                       "a@b/c",
                                       "a@b?x" };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT(!esign_contact_email_valid(bad[i]));
}

static void test_email_beyond_ascii(void)
{
    static const char *const good[] = { "şule@example.org",      "a@örnek.org",
                                        "çağrı.öz@örnek.org.tr", "用户@例え.jp",
                                        "e\xCC\x81@example.org", "५@example.org" };
    static const char *const bad[] = {
        "\xFF@example.org",
        "\xC5@example.org",
        "\xED\xA0\x80@example.org", /* no UTF-8 */
        "a\xC2\xA0"
        "b@c",
        "a\xE2\x80\xA8"
        "b@c",
        "a\xE2\x80\xAE"
        "b@c",
        "\xEF\xBB\xBF"
        "a@c",
        "a\xC2\x85@c", /* spaces, lines, directions, marks of order, controls */
        "a\xEF\xBC\xA0"
        "b@c",
        "\xF0\x9F\x94\x91@example.org",
        "şule..a@example.org",
        ".ş@example.org",
        "ş.@example.org",
        "a@ör nek.org",
        "a@örnek..org",
        "a@-örnek.org",
        "a@örnek_.org",
        "a@\xF0\x9F\x94\x91.\xE2\x80\xAE.org",
        "ş@ö@c"
    };
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT(esign_contact_email_valid(good[i]));
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT(!esign_contact_email_valid(bad[i]));
}

static void test_wire(void)
{
    CU_ASSERT_STRING_EQUAL(esign_contact_email_wire(pool, "Ayse@Example.org"), "Ayse@Example.org");
    CU_ASSERT_STRING_EQUAL(esign_contact_email_wire(pool, "a@örnek.org"), "a@xn--rnek-4qa.org");
    CU_ASSERT_STRING_EQUAL(esign_contact_email_wire(pool, "Şule@ÖRNEK.org"),
                           "Şule@xn--rnek-4qa.org");
    CU_ASSERT(esign_contact_ascii("") && esign_contact_ascii("a~") && !esign_contact_ascii("aş"));
}

static char *repeat(char c, apr_size_t count)
{
    char *text = apr_palloc(pool, count + 1);
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static void test_email_lengths(void)
{
    CU_ASSERT(esign_contact_email_valid(apr_pstrcat(pool, repeat('a', 64), "@b", NULL)));
    CU_ASSERT(!esign_contact_email_valid(apr_pstrcat(pool, repeat('a', 65), "@b", NULL)));
    CU_ASSERT(!esign_contact_email_valid(
        apr_pstrcat(pool, repeat('a', 40), ".", repeat('a', 40), "@b", NULL)));
    CU_ASSERT(esign_contact_email_valid(apr_pstrcat(pool, "a@", repeat('b', 63), NULL)));
    CU_ASSERT(!esign_contact_email_valid(apr_pstrcat(pool, "a@", repeat('b', 64), NULL)));
    const char *labels = apr_pstrcat(pool, repeat('b', 63), ".", repeat('b', 63), ".",
                                     repeat('b', 63), ".", NULL); /* 192 bytes */
    CU_ASSERT(esign_contact_email_valid(apr_pstrcat(pool, "a@", labels, repeat('b', 60), NULL)));
    CU_ASSERT(!esign_contact_email_valid(apr_pstrcat(pool, "a@", labels, repeat('b', 61), NULL)));
    /* Lengths of the transmitted form: 32 letters of two bytes, and a label of 63 characters that
     * is shorter before it is encoded. */
    const char *letters = "şşşşşşşşşşşşşşşşşşşşşşşşşşşşşşşş";
    CU_ASSERT(esign_contact_email_valid(apr_pstrcat(pool, letters, "@b", NULL)));
    CU_ASSERT(!esign_contact_email_valid(apr_pstrcat(pool, letters, "a@b", NULL)));
    CU_ASSERT(!esign_contact_email_valid(apr_pstrcat(pool, "a@", repeat('b', 60), "ö", NULL)));
}

static void test_phone(void)
{
    static const char *const good[] = { "+905321234567", "+1234567", "+123456789012345" };
    static const char *const bad[] = { "",
                                       "+",
                                       "905321234567",
                                       "+123456",
                                       "+1234567890123456",
                                       "+90 532 123 45 67",
                                       "+90532123456x",
                                       "++905321234567",
                                       "+0905321234567",
                                       "+905321234567\n",
                                       "+90-5321234567" };
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT(esign_contact_phone_valid(good[i]));
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT(!esign_contact_phone_valid(bad[i]));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a phone number shows its country and two digits", test_mask_phone },
        { "an address shows its first character and its host", test_mask_email },
        { "ordinary addresses are accepted", test_email_valid },
        { "dangerous addresses are refused", test_email_refused },
        { "letters of all scripts are accepted, other characters beyond ASCII are not",
          test_email_beyond_ascii },
        { "a host is transmitted as its A-label", test_wire },
        { "addresses have RFC 5321's lengths", test_email_lengths },
        { "phone numbers are E.164", test_phone },
        CU_TEST_INFO_NULL
    };
    return suite_run("contact", tests);
}
