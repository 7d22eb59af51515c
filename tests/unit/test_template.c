/* SPDX-License-Identifier: Apache-2.0 */
/* test_template.c: placeholders in an administrator's template are checked and filled in. */
#include "deliver/template.h"
#include "suite.h"

static const esign_template_values_t values = { .number = "+905551234567",
                                                .text = "Kod: 12&34 \"ş\"",
                                                .secret = "s'<e>\\c\n~",
                                                .basic = "dTpw+/==",
                                                .report = "https://h/esign/report/a-b?" };

static char *fill(const char *pattern, esign_template_escape_e escape)
{
    return esign_template_fill(pool, pattern, &values, escape);
}

static void test_found(void)
{
    int found = 0;
    CU_ASSERT(!esign_failed(esign_template_check(pool, "no placeholder", &found)) && found == 0);
    CU_ASSERT(!esign_failed(esign_template_check(pool, "n={number}", &found)) &&
              found == ESIGN_TEMPLATE_HAS_NUMBER);
    CU_ASSERT(!esign_failed(esign_template_check(pool, "{secret}", &found)) &&
              found == (ESIGN_TEMPLATE_HAS_NUMBER | ESIGN_TEMPLATE_HAS_SECRET));
    found = 0;
    CU_ASSERT(!esign_failed(esign_template_check(pool, "{digits}{text}", &found)) &&
              found == (ESIGN_TEMPLATE_HAS_NUMBER | ESIGN_TEMPLATE_HAS_TEXT));
    found = 0;
    CU_ASSERT(!esign_failed(esign_template_check(pool, "{basic}{report}", &found)) &&
              found == (ESIGN_TEMPLATE_HAS_BASIC | ESIGN_TEMPLATE_HAS_REPORT));
}

static void test_refused(void)
{
    static const char *const unknown[] = { "{phone}", "{numbers}", "{n}", "{texttext}" };
    int found;
    for (apr_size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        esign_result_t result = esign_template_check(
            pool, apr_pstrcat(pool, "{number} {text} ", unknown[i], " {more}", NULL), &found);
        CU_ASSERT_FATAL(esign_failed(result));
        CU_ASSERT_PTR_EQUAL(strstr(result.detail, unknown[i]),
                            result.detail); /* it begins with the wrong part */
    }
}

static void test_braces(void)
{
    static const char json[] = "{\"to\": {number}, \"Text\": {}, \"a\": {{ }} {Text} {text }";
    int found = 0;
    CU_ASSERT(!esign_failed(esign_template_check(pool, json, &found)) &&
              found == ESIGN_TEMPLATE_HAS_NUMBER);
    CU_ASSERT_STRING_EQUAL(fill(json, ESIGN_TEMPLATE_RAW),
                           "{\"to\": +905551234567, \"Text\": {}, \"a\": {{ }} {Text} {text }");
    CU_ASSERT_STRING_EQUAL(fill("{{digits}}", ESIGN_TEMPLATE_RAW), "{905551234567}");
    CU_ASSERT_STRING_EQUAL(fill("{digits", ESIGN_TEMPLATE_RAW), "{digits");
}

static void test_raw(void)
{
    static const esign_template_values_t nested = { .number = "+1", .text = "{number}{secret}" };
    CU_ASSERT_STRING_EQUAL(
        fill("{number}|{digits}|{text}|{secret}|{text}", ESIGN_TEMPLATE_RAW),
        "+905551234567|905551234567|Kod: 12&34 \"ş\"|s'<e>\\c\n~|Kod: 12&34 \"ş\"");
    CU_ASSERT_STRING_EQUAL(fill("Basic {basic}", ESIGN_TEMPLATE_RAW), "Basic dTpw+/==");
    CU_ASSERT_STRING_EQUAL(
        esign_template_fill(pool, "[{report}{basic}]", &nested, ESIGN_TEMPLATE_RAW), "[]");
    CU_ASSERT_STRING_EQUAL(
        esign_template_fill(pool, "<{text}{secret}>", &nested, ESIGN_TEMPLATE_RAW),
        "<{number}{secret}>");
}

static void test_escaped(void)
{
    static const esign_template_values_t control = { .number = "+1", .text = "\x01\x1F\x7F/\b" };
    CU_ASSERT_STRING_EQUAL(
        fill("https://h/?n={number}&t={text}&s={secret}", ESIGN_TEMPLATE_PERCENT),
        "https://h/?n=%2B905551234567&t=Kod%3A%2012%2634%20%22%C5%9F%22&s=s%27%3Ce%3E%5Cc%0A~");
    CU_ASSERT_STRING_EQUAL(fill("dlr-url={report}%3Fstatus%3D%25d", ESIGN_TEMPLATE_PERCENT),
                           "dlr-url=https%3A%2F%2Fh%2Fesign%2Freport%2Fa-b%3F%3Fstatus%3D%25d");
    CU_ASSERT_STRING_EQUAL(fill("{\"t\":\"{text}\",\"s\":\"{secret}\"}", ESIGN_TEMPLATE_JSON),
                           "{\"t\":\"Kod: 12&34 \\\"ş\\\"\",\"s\":\"s'<e>\\\\c\\u000a~\"}");
    CU_ASSERT_STRING_EQUAL(fill("<t s='{secret}'>{text}</t>", ESIGN_TEMPLATE_XML),
                           "<t s='s&#39;&lt;e&gt;\\c&#10;~'>Kod: 12&amp;34 &quot;ş&quot;</t>");
    CU_ASSERT_STRING_EQUAL(esign_template_fill(pool, "{text}", &control, ESIGN_TEMPLATE_JSON),
                           "\\u0001\\u001f\x7F/\\u0008");
}

static void test_media_types(void)
{
    static const struct {
        const char *type;
        esign_template_escape_e escape;
    } types[] = {
        { NULL, ESIGN_TEMPLATE_PERCENT },
        { "application/x-www-form-urlencoded", ESIGN_TEMPLATE_PERCENT },
        { "application/json", ESIGN_TEMPLATE_JSON },
        { "Application/JSON; charset=utf-8", ESIGN_TEMPLATE_JSON },
        { "application/vnd.sms+json ;v=1", ESIGN_TEMPLATE_JSON },
        { "text/xml; charset=utf-8", ESIGN_TEMPLATE_XML },
        { "application/soap+xml", ESIGN_TEMPLATE_XML },
        { "text/plain", ESIGN_TEMPLATE_RAW },
        { "text/plain; about=application/json", ESIGN_TEMPLATE_RAW },
        { "application/notjson", ESIGN_TEMPLATE_RAW },
        { "", ESIGN_TEMPLATE_RAW },
    };
    for (apr_size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        CU_ASSERT_EQUAL(esign_template_escape(types[i].type), types[i].escape);
}

int main(void)
{
    CU_TestInfo tests[] = { { "placeholders are found", test_found },
                            { "an unknown placeholder is refused by its name", test_refused },
                            { "other braces are text", test_braces },
                            { "raw values are not changed, and not filled in again", test_raw },
                            { "values are escaped for URL, JSON and XML", test_escaped },
                            { "the media type selects the escape", test_media_types },
                            CU_TEST_INFO_NULL };
    return suite_run("template", tests);
}
