/* SPDX-License-Identifier: Apache-2.0 */
/* test_compose.c: a mail's bytes: the header fields of a transactional mail and no other, and
 * bodies that decode to their texts. */
#include "deliver/compose.h"
#include "suite.h"

#include <time.h>

#define WHEN apr_time_from_sec(1795529225) /* 2026-11-24 14:07:05 UTC */

static esign_smtp_t smtp = { .from = "portal@example.org", .from_name = "Örnek Merkez" };

static esign_mail_t mail_of(const char *text, const char *html)
{
    return (esign_mail_t){ .to = "ayse@example.org",
                           .to_name = "Ayşe",
                           .subject = "Konu",
                           .text = text,
                           .html = html,
                           .id = "abcDEF-_0123456789abcd" };
}

static const char *compose(const esign_mail_t *mail, const char *to)
{
    char *bytes = NULL;
    apr_size_t length = 0;
    CU_ASSERT_FATAL(!esign_failed(esign_compose(mail, to, &smtp, WHEN, &bytes, &length, pool)) &&
                    bytes != NULL);
    CU_ASSERT_EQUAL(strlen(bytes), length);
    return bytes;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1000;
}

/* A part's body, decoded by RFC 2045 section 6.7. `index`: 1 the text, 2 the HTML. */
static const char *body(const char *bytes, int index)
{
    const char *boundary = strstr(bytes, "boundary=\"");
    CU_ASSERT_FATAL(boundary != NULL);
    boundary += strlen("boundary=\"");
    boundary =
        apr_pstrcat(pool, "\r\n--", apr_pstrmemdup(pool, boundary, strcspn(boundary, "\"")), NULL);
    const char *part = bytes;
    for (; index > 0; index--) {
        part = strstr(part, boundary);
        CU_ASSERT_FATAL(part != NULL);
        part += strlen(boundary);
    }
    const char *from = strstr(part, "\r\n\r\n"), *until = strstr(part, boundary);
    CU_ASSERT_FATAL(from != NULL && until != NULL && from < until);
    char *text = apr_pcalloc(pool, (apr_size_t)(until - from)), *end = text;
    for (from += 4; from < until; from++) {
        if (from[0] == '=' && from[1] == '\r')
            from += 2;
        else if (from[0] == '=') {
            *end++ = (char)(digit(from[1]) * 16 + digit(from[2]));
            from += 2;
        } else if (from[0] != '\r')
            *end++ = *from;
    }
    return text;
}

/* Rules for every mail (RFC 5321, RFC 5322). */
static void check_lines(const char *bytes)
{
    int head = 1;
    for (const char *line = bytes, *end; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        CU_ASSERT_FATAL(end != NULL);
        apr_size_t length = (apr_size_t)(end - line);
        CU_ASSERT(length <= 76 && memchr(line, '\n', length) == NULL &&
                  memchr(line, '\r', length) == NULL);
        CU_ASSERT(*line != '.' && (head || strncmp(line, "From ", 5) != 0));
        CU_ASSERT(head || length == 0 || (line[length - 1] != ' ' && line[length - 1] != '\t'));
        for (apr_size_t i = 0; i < length; i++)
            CU_ASSERT((line[i] >= ' ' && line[i] <= '~') || line[i] == '\t');
        head = head && length > 0;
    }
}

static void test_header(void)
{
    static const char *const names[] = { "Date",           "From",         "To",
                                         "Reply-To",       "Subject",      "Message-ID",
                                         "Auto-Submitted", "MIME-Version", "Content-Type" };
    esign_mail_t mail = mail_of("a", "<p>b</p>");
    smtp.reply_to = "help@example.org";
    const char *bytes = compose(&mail, mail.to);
    smtp.reply_to = NULL;
    apr_size_t count = 0;
    for (const char *line = bytes; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
        if (*line == ' ')
            continue;
        CU_ASSERT_FATAL(count < sizeof(names) / sizeof(*names));
        CU_ASSERT(strncmp(line, names[count], strlen(names[count])) == 0 &&
                  line[strlen(names[count])] == ':');
        count++;
    }
    CU_ASSERT_EQUAL(count, sizeof(names) / sizeof(*names));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(bytes, "\r\nMessage-ID: <abcDEF-_0123456789abcd@example.org>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bytes, "\r\nAuto-Submitted: auto-generated\r\n"));
    CU_ASSERT(strncmp(bytes, "Date: Tue, 24 Nov 2026 14:07:05 +0000\r\n", 39) == 0);
    CU_ASSERT_PTR_NULL(strstr(compose(&mail, mail.to), "Reply-To"));
    check_lines(bytes);
}

static void test_bodies(void)
{
    static const char *const texts[] = {
        "",
        "\n",
        "a",
        "a\n",
        ".\n..\n.a\n",
        "From a\nFrom b",
        "a=b\n=\n==",
        "a \nb\t\nc ",
        " \n",
        "\n\n\n",
        "Güvenlik Sözcüğü – 🔑\nİyi günler\n",
        "- \n-- \n",
        "https://portal.example.org/esign/reset/abcDEF-_0123456789abcDEF-_0123456789abcDEF0\n"
    };
    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        esign_mail_t mail = mail_of(texts[i], texts[sizeof(texts) / sizeof(*texts) - 1 - i]);
        const char *bytes = compose(&mail, mail.to);
        check_lines(bytes);
        CU_ASSERT_STRING_EQUAL(body(bytes, 1), mail.text);
        CU_ASSERT_STRING_EQUAL(body(bytes, 2), mail.html);
    }
    esign_mail_t crlf = mail_of("a\r\nb\r\n", "x\ry");
    CU_ASSERT_STRING_EQUAL(body(compose(&crlf, crlf.to), 1), "a\nb\n");
    CU_ASSERT_STRING_EQUAL(body(compose(&crlf, crlf.to), 2), "x\ry");
}

/* Line breaks at every place. */
static void test_long_lines(void)
{
    static const char *const pieces[] = { "a", ".", " ", "ş", "=", "From ", "🔑", "\t" };
    char *text = "";
    for (int i = 0; i < 400; i++) {
        text = apr_pstrcat(pool, text, pieces[i * 5 % 8], pieces[i * 3 % 7], NULL);
        esign_mail_t mail = mail_of(text, apr_pstrcat(pool, text, "\n", NULL));
        const char *bytes = compose(&mail, mail.to);
        check_lines(bytes);
        CU_ASSERT_STRING_EQUAL(body(bytes, 1), mail.text);
        CU_ASSERT_STRING_EQUAL(body(bytes, 2), mail.html);
    }
    char *dots = apr_palloc(pool, 20001);
    memset(dots, '.', 20000);
    dots[20000] = '\0';
    esign_mail_t mail = mail_of(dots, "");
    check_lines(compose(&mail, mail.to));
    CU_ASSERT_STRING_EQUAL(body(compose(&mail, mail.to), 1), dots);
}

static void test_addresses(void)
{
    esign_mail_t mail = mail_of("a", "b");
    mail.to_name = "";
    CU_ASSERT_PTR_NOT_NULL(
        strstr(compose(&mail, "a@xn--rnek-4qa.org"), "\r\nTo: a@xn--rnek-4qa.org\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(compose(&mail, "şule@example.org"), "\r\nTo: şule@example.org\r\n"));
}

static void test_refused(void)
{
    char *bytes;
    apr_size_t length;
    esign_mail_t name = mail_of("a", "b"), subject = name;
    name.to_name = "a\r\nBcc: x@example.org";
    subject.subject = "a\nb";
    CU_ASSERT_EQUAL(esign_compose(&name, name.to, &smtp, WHEN, &bytes, &length, pool).status,
                    APR_EINVAL);
    CU_ASSERT_EQUAL(esign_compose(&subject, subject.to, &smtp, WHEN, &bytes, &length, pool).status,
                    APR_EINVAL);
}

int main(void)
{
    CU_TestInfo tests[] = { { "the header has these fields and no others", test_header },
                            { "bodies decode to their texts", test_bodies },
                            { "long lines are broken anywhere", test_long_lines },
                            { "addresses are written as they are sent", test_addresses },
                            { "texts that are not fit for a header are refused", test_refused },
                            CU_TEST_INFO_NULL };
    return suite_run("compose", tests);
}
