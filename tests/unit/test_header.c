/* SPDX-License-Identifier: Apache-2.0 */
/* test_header.c: mail headers that every reader decodes to the same text. */
#include "deliver/header.h"
#include "suite.h"

#include <apr_encode.h>
#include <unistr.h>

#define LONGEST_LINE 76
#define OPENING "=?UTF-8?B?"

/* What a reader sees of an unfolded field: encoded words decoded one by one, white space between
 * two of them dropped (RFC 2047 section 6.2). */
static const char *decode(const char *field)
{
    char *text = "";
    for (const char *word; (word = strstr(field, OPENING)) != NULL;) {
        const char *end = strstr(word + strlen(OPENING), "?=");
        CU_ASSERT_FATAL(end != NULL && end + 2 - word <= 75); /* section 2 */
        char *bytes = apr_pcalloc(pool, 64);
        apr_size_t length = 0;
        CU_ASSERT_EQUAL(apr_decode_base64(bytes, word + strlen(OPENING),
                                          end - word - (apr_ssize_t)strlen(OPENING),
                                          APR_ENCODE_NONE, &length),
                        APR_SUCCESS);
        CU_ASSERT_PTR_NULL(
            u8_check((const uint8_t *)bytes, strlen(bytes))); /* section 5: whole characters */
        int between = *text && strspn(field, " ") == (apr_size_t)(word - field);
        text = apr_pstrcat(pool, text,
                           between ? "" : apr_pstrmemdup(pool, field, (apr_size_t)(word - field)),
                           bytes, NULL);
        field = end + 2;
    }
    return apr_pstrcat(pool, text, field, NULL);
}

/* The field's body without folding, each line of it short; what follows the name in `field`. */
static const char *unfold(const char *field, const char *name)
{
    char *body = "";
    CU_ASSERT_FATAL(strncmp(field, name, strlen(name)) == 0 &&
                    strncmp(field + strlen(name), ": ", 2) == 0);
    for (const char *line = field, *end;; line = end + 2) {
        end = strstr(line, "\r\n");
        apr_size_t length = end ? (apr_size_t)(end - line) : strlen(line);
        CU_ASSERT(length <= LONGEST_LINE && memchr(line, '\r', length) == NULL &&
                  memchr(line, '\n', length) == NULL);
        CU_ASSERT(line == field || *line == ' ');
        body = apr_pstrcat(pool, body, apr_pstrmemdup(pool, line, length), NULL);
        if (!end)
            break;
    }
    body += strlen(name) + 1;
    return body + strspn(body, " ");
}

static void same_subject(const char *text)
{
    const char *field = esign_header_text(pool, "Subject", text);
    CU_ASSERT_EQUAL(
        strspn(field,
               "\r\n "
               "!\"#$%&'()*+,-./"
               "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"),
        strlen(field));
    CU_ASSERT_STRING_EQUAL(decode(unfold(field, "Subject")), text);
}

static void test_safe(void)
{
    static const char *const safe[] = { "", "Kod: 1", "Güvenlik Sözcüğü – 🔑", "\xC2\xA0" };
    static const char *const unsafe[] = { "a\r\nBcc: x@example.org",
                                          "a\nb",
                                          "a\rb",
                                          "\t",
                                          "\x1B[0m",
                                          "\x7F",
                                          "\xC2\x85",
                                          "\xE2\x80\xA8",
                                          "\xE2\x80\xA9",
                                          "\xFF",
                                          "\xC3",
                                          "\xED\xA0\x80",
                                          "\xC0\x8A" };
    for (apr_size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
        CU_ASSERT(esign_header_safe(safe[i]));
    for (apr_size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
        CU_ASSERT(!esign_header_safe(unsafe[i]));
}

static void test_plain(void)
{
    CU_ASSERT_STRING_EQUAL(esign_header_text(pool, "Subject", "Your new Security Word: \"a\" <b>"),
                           "Subject: Your new Security Word: \"a\" <b>");
    const char *longest =
        "012345678901234567890123456789012345678901234567890123456789 123456"; /* with "Subject: "
                                                                                  76 */
    CU_ASSERT_STRING_EQUAL(esign_header_text(pool, "Subject", longest),
                           apr_pstrcat(pool, "Subject: ", longest, NULL));
    same_subject(apr_pstrcat(pool, longest, "7", NULL));
    same_subject("=?UTF-8?B?YQ==?= was meant so");
}

static void test_encoded(void)
{
    char *text = "";
    for (int i = 0; i < 150;
         i++) { /* every place where a word can end, by characters of 1 to 4 bytes */
        static const char *const characters[] = { "a", "ş", "–", "🔑" };
        text = apr_pstrcat(pool, text, characters[i * 7 % 4], i % 11 == 10 ? " " : "", NULL);
        same_subject(apr_pstrcat(pool, text, "ğ", NULL));
        same_subject(apr_pstrcat(pool, "ü", text, NULL));
    }
}

static void test_long_ascii(void)
{
    char *text = "";
    for (int i = 0; i < 1000; i++) {
        text = apr_pstrcat(pool, text, i % 9 == 8 ? " " : "x", NULL);
        if (i % 10 == 9 || i < 140)
            same_subject(text);
    }
}

static void test_mailbox(void)
{
    CU_ASSERT_STRING_EQUAL(esign_header_mailbox(pool, "Reply-To", "", "a@example.org"),
                           "Reply-To: a@example.org");
    CU_ASSERT_STRING_EQUAL(
        unfold(esign_header_mailbox(pool, "To", "Ali \"Al\" V\\eli", "a@example.org"), "To"),
        "\"Ali \\\"Al\\\" V\\\\eli\" <a@example.org>");
    CU_ASSERT_STRING_EQUAL(
        decode(unfold(esign_header_mailbox(pool, "To", "Ayşe Yılmaz", "a@example.org"), "To")),
        "Ayşe Yılmaz <a@example.org>");
    CU_ASSERT_STRING_EQUAL(
        decode(
            unfold(esign_header_mailbox(
                       pool, "From",
                       "An organization with a name that takes more than one line of a mail header",
                       "a@example.org"),
                   "From")),
        "An organization with a name that takes more than one line of a mail header "
        "<a@example.org>");
    /* A name that would be two addresses, and a name of escaped characters alone. */
    CU_ASSERT_STRING_EQUAL(
        unfold(esign_header_mailbox(pool, "To", "x\" <b@example.org>, \"y", "a@example.org"), "To"),
        "\"x\\\" <b@example.org>, \\\"y\" <a@example.org>");
    unfold(esign_header_mailbox(
               pool, "To",
               "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
               "a@example.org"),
           "To");
}

static void test_date(void)
{
    CU_ASSERT_STRING_EQUAL(esign_header_date(pool, apr_time_from_sec(1795529225) + 999999),
                           "Date: Tue, 24 Nov 2026 14:07:05 +0000");
    CU_ASSERT_STRING_EQUAL(esign_header_date(pool, 0), "Date: Thu, 01 Jan 1970 00:00:00 +0000");
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "line breaks, control characters and invalid UTF-8 are not fit for a header", test_safe },
        { "short ASCII stays as it is", test_plain },
        { "UTF-8 is folded between characters", test_encoded },
        { "long ASCII is folded", test_long_ascii },
        { "a name cannot become an address", test_mailbox },
        { "dates are as in RFC 5322", test_date },
        CU_TEST_INFO_NULL
    };
    return suite_run("header", tests);
}
