/* SPDX-License-Identifier: Apache-2.0 */
/* test_url.c: URLs that are accepted and refused; libcurl finds the same host in the accepted ones.
 */
#include "core/url.h"
#include "suite.h"

#include <curl/curl.h>

#define HTTP (ESIGN_URL_HTTP | ESIGN_URL_HTTPS)
#define WHOLE (HTTP | ESIGN_URL_PATH | ESIGN_URL_QUERY)

static const struct {
    const char *url, *host;
    int private;
} good[] = {
    { "http://gw.example.org", "gw.example.org", 0 },
    { "HTTPS://gw.example.org:8443/send?to=1&text=%20#x", "gw.example.org:8443", 1 },
    { "http://b\xc3\xbc.example/", "b\xc3\xbc.example", 0 },
    { "http://127.0.0.1:13013/cgi-bin", "127.0.0.1:13013", 1 },
    { "http://LOCALHOST/", "LOCALHOST", 1 },
    { "http://[::1]:80/x", "[::1]:80", 1 },
    { "http://[2001:db8::1]/", "[2001:db8::1]", 0 },
    { "http://127.0.0.1?@gw.example.org/", "127.0.0.1", 1 },
    { "http://127.0.0.1.gw.example.org/", "127.0.0.1.gw.example.org", 0 },
}, bare[] = {
    { "http://mail.example.org", "mail.example.org", 0 },
    { "http://mail.example.org:587/", "mail.example.org:587", 0 },
};

static const char *const bad[] = {
    "",
    "gw.example.org/send",
    "//gw.example.org/",
    "http:/gw.example.org",
    "http:gw.example.org",
    "http:///send",
    "ftp://gw.example.org/",
    "http://:80/",
    "http://user@gw.example.org/",
    "http://@gw.example.org/",
    "http://127.0.0.1\\@gw.example.org/",
    "http://127.0.0.1:@gw.example.org/",
    "http://gw.example.org:",
    "http://gw.example.org:0/",
    "http://gw.example.org:65536/",
    "http://gw.example.org:65616/",
    "http://gw.example.org:99999999999/",
    "http://gw.example.org:8a/",
    "http://gw.example.org:+80/",
    "http://a:b:80/",
    "http://gw%2eexample.org/",
    "http://a,b/",
    "http://a;b/",
    "http://a|b/",
    "http://[::1",
    "http://[::1]x/",
    "http://[]/",
    "http://[abc]/",
    "http://a[::1]/",
    "http://gw.example.org/a b",
    "http://gw.example.org/\n",
    "http://gw.example.org/\x7f",
    " http://gw.example.org/",
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CU_ASSERT(esign_url_valid(good[i].url, WHOLE, pool));
        CU_ASSERT_STRING_EQUAL(esign_url_host(good[i].url, pool), good[i].host);
        CU_ASSERT(esign_url_hostname(good[i].url, pool) != NULL);
        CU_ASSERT_EQUAL(esign_url_private(good[i].url, pool), good[i].private);
    }
}

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT(!esign_url_valid(bad[i], WHOLE, pool));
    CU_ASSERT_STRING_EQUAL(esign_url_host("http://user@gw.example.org/", pool), "unknown");
    CU_ASSERT(!esign_url_private("https://user@gw.example.org/", pool));
}

static void test_bare(void)
{
    static const char *const more[] = { "http://h/x", "http://h//", "http://h?", "http://h/?x",
                                        "http://h#" };
    for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++)
        CU_ASSERT(esign_url_valid(bare[i].url, HTTP, pool));
    for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
        CU_ASSERT(esign_url_valid(more[i], WHOLE, pool) && !esign_url_valid(more[i], HTTP, pool));
}

static void test_hostname(void)
{
    CU_ASSERT_STRING_EQUAL(esign_url_hostname("https://h.example:8443/x", pool), "h.example");
    CU_ASSERT_STRING_EQUAL(esign_url_hostname("https://[::1]:8443", pool), "::1");
    CU_ASSERT_PTR_NULL(esign_url_hostname("https://user@h.example", pool));
}

static void test_schemes(void)
{
    CU_ASSERT(esign_url_valid("smtps://mail.example.org", ESIGN_URL_SMTP | ESIGN_URL_SMTPS, pool));
    CU_ASSERT(!esign_url_valid("https://mail.example.org", ESIGN_URL_SMTP | ESIGN_URL_SMTPS, pool));
    CU_ASSERT(!esign_url_valid("smtp://mail.example.org", HTTP, pool));
    CU_ASSERT(!esign_url_valid("http://h/", ESIGN_URL_HTTPS, pool));
}

/* Links on pages: https, or a path of the portal's own server. */
static void test_links(void)
{
    const int link =
        ESIGN_URL_HTTPS | ESIGN_URL_PATH | ESIGN_URL_QUERY | ESIGN_URL_LOCAL | ESIGN_URL_QUOTABLE;
    static const char *const accepted[] = { "/", "/card?a=b#c", "https://h.example/x?y#z" };
    static const char *const refused[] = { "",
                                           "card",
                                           "//h.example/",
                                           "/\\h.example/",
                                           "/a b",
                                           "/a\"b",
                                           "/a'b",
                                           "/<a>",
                                           "/a\n",
                                           "http://h.example/",
                                           "https://",
                                           "javascript:alert(1)",
                                           "https://h.example/'" };
    for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++)
        CU_ASSERT(esign_url_valid(accepted[i], link, pool));
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        CU_ASSERT(!esign_url_valid(refused[i], link, pool));
    CU_ASSERT(!esign_url_valid("/card", link & ~ESIGN_URL_LOCAL, pool));
    CU_ASSERT(esign_url_valid("https://h.example/'", link & ~ESIGN_URL_QUOTABLE, pool));
}

static void test_origin(void)
{
    static const char *const rows[][2] = {
        { "https://portal.example.org", "https://portal.example.org" },
        { "HTTPS://portal.example.org:443/", "https://portal.example.org" },
        { "http://portal.example.org:80", "http://portal.example.org" },
        { "https://portal.example.org:8443/", "https://portal.example.org:8443" },
        { "https://[::1]:8443", "https://[::1]:8443" },
        { "https://[::1]:443", "https://[::1]" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CU_ASSERT_STRING_EQUAL(esign_url_origin(rows[i][0], pool), rows[i][1]);
}

/* The host that libcurl would connect to, by its own parser. */
static void test_same_host(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CURLU *parts = curl_url();
        char *host = NULL, *port = NULL;
        CU_ASSERT(curl_url_set(parts, CURLUPART_URL, good[i].url, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK);
        curl_url_get(parts, CURLUPART_PORT, &port, 0);
        CU_ASSERT_STRING_EQUAL(apr_pstrcat(pool, host ? host : "", port ? ":" : "", port, NULL),
                               good[i].host);
        curl_free(host);
        curl_free(port);
        curl_url_cleanup(parts);
    }
}

int main(void)
{
    CU_TestInfo tests[] = { { "good addresses are accepted", test_good },
                            { "bad addresses are refused", test_bad },
                            { "host and port alone", test_bare },
                            { "the host alone", test_hostname },
                            { "schemes", test_schemes },
                            { "links on pages", test_links },
                            { "origins", test_origin },
                            { "libcurl reads the same host", test_same_host },
                            CU_TEST_INFO_NULL };
    return suite_run("url", tests);
}
