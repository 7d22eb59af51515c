/* SPDX-License-Identifier: Apache-2.0 */
/* test_redact.c: a redacted answer of a server holds nothing of the person and nothing of the
 * message. */
#include "deliver/redact.h"
#include "suite.h"

#define MAIL "ayse.yilmaz@example.org"
#define PHONE "+905551234567"
#define RUN_31 "0123456789abcdefghijABCDEFGHI-_"

static void expect(const char *text, const char *recipient, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(esign_redact(pool, text, recipient), expected);
}

static void test_harmless(void)
{
    expect("250 2.0.0 Ok: queued as 4XyZ12AbCdE", MAIL, "250 2.0.0 Ok: queued as 4XyZ12AbCdE");
    expect("", MAIL, "");
    expect("no user ayse, nor ayse.yilmazer", MAIL, "no user ayse, nor ayse.yilmazer");
    expect("id " RUN_31 ".1", MAIL, "id " RUN_31 ".1");
}

static void test_addresses(void)
{
    expect("550 5.1.1 <" MAIL ">: rejected", MAIL, "550 5.1.1 <a***@example.org>: rejected");
    expect("for mehmet@example.com too", MAIL, "for m***@example.com too");
    expect("to:(" MAIL ")", PHONE, "to:(a***@example.org)");
}

static void test_beyond_ascii(void)
{
    expect("550 <ay\xC5\x9F"
           "e.yilmaz@example.org>: unknown",
           "ay\xC5\x9F"
           "e.yilmaz@example.org",
           "550 <a***@example.org>: unknown");
    expect("no mailbox '\xC5\x9Fule'", "\xC5\x9Fule@example.org", "no mailbox '***'");
    expect("no mailbox \xC5\x9Fule.", "\xC5\x9Fule@example.org", "no mailbox ***.");
    expect("<\xC5\x9Fule@example.org>", "x@example.org", "<  ***@example.org>");
}

static void test_recipient(void)
{
    expect("unknown user \"ayse.yilmaz\".", MAIL, "unknown user \"***\".");
    expect("AYSE.Yilmaz: over quota", MAIL, "***: over quota");
    expect("mailbox 'ayse.yilmaz' full", MAIL, "mailbox '***' full");
    expect("{\"to\":\"+905551234567\"}", PHONE, "{\"to\":\"***\"}");
    expect("905551234567 is blocked, +905551234567.", PHONE, "*** is blocked, ***.");
    expect("05551234567 5551234567 00905551234567 +90-555-123-45-67 1234567", PHONE,
           "*** *** *** *** ***");
    expect("9055512345678 905551234566 234567 a5551234567 0 + 20261124", PHONE,
           "9055512345678 905551234566 234567 a5551234567 0 + 20261124");
}

static void test_links(void)
{
    expect("spam: https://h/esign/reset/" RUN_31 "0123456789ab found", MAIL,
           "spam: https:*** found");
    expect("x" RUN_31, MAIL, "***");
    expect("a." RUN_31 "x.b@example.org", MAIL, "***");
}

static void test_one_line(void)
{
    expect("a\r\nb\tc\x7F\x1B[0m", MAIL, "a  b c  [0m");
    expect("ş", MAIL, "  ");
}

static void test_cut(void)
{
    char *text = "";
    for (int i = 0; i < 49; i++)
        text = apr_pstrcat(pool, text, "abc ", NULL);
    const char *kept = esign_redact(pool, apr_pstrcat(pool, text, MAIL " and more", NULL), MAIL);
    CU_ASSERT_EQUAL(strlen(kept), 200);
    CU_ASSERT_STRING_EQUAL(kept + 196, "a***"); /* masked before it is cut */
    /* One word of 300 characters without a long run. */
    for (int i = 0; i < 26; i++)
        text = apr_pstrcat(pool, text, "abc.", NULL);
    CU_ASSERT_EQUAL(strlen(esign_redact(pool, text, MAIL)), 200);
}

int main(void)
{
    CU_TestInfo tests[] = { { "words about the server itself stay", test_harmless },
                            { "addresses are masked", test_addresses },
                            { "an address that is not ASCII is masked too", test_beyond_ascii },
                            { "the recipient's name and number are removed", test_recipient },
                            { "links are removed", test_links },
                            { "one line of ASCII", test_one_line },
                            { "at most 200 characters, cut after masking", test_cut },
                            CU_TEST_INFO_NULL };
    return suite_run("redact", tests);
}
