/* SPDX-License-Identifier: Apache-2.0 */
/* test_stylesheet.c: the functions that stylesheets can call, and that they reach neither files nor
 * the network. */
#include "render/render.h"
#include "suite.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxslt/xsltutils.h>

#define X(text) ((const xmlChar *)(text))
#define SECRET "tek-kullanımlık-gizli-söz"

static char folder[] = "/tmp/esign-stylesheet-XXXXXX";

static void ignore_error(void *data, const char *format, ...)
{
    (void)data;
    (void)format;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(apr_psprintf(pool, "%s/%s", folder, name), "w");
    CU_ASSERT_FATAL(file != NULL && fputs(text, file) >= 0);
    fclose(file);
}

#define TOP                                                                               \
    "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" " \
    "xmlns:m=\"urn:mod_esign:text\">"
#define SHEET(top) TOP "<xsl:output method=\"text\" encoding=\"UTF-8\"/>" top "</xsl:stylesheet>"

/* Loads a folder whose page.xsl is `page`. */
static esign_result_t load(const char *page, const esign_render_t **render)
{
    static const char *const others[] = { "mail-html", "mail-text", "sms", "form" };
    for (int i = 0; i < ESIGN_LANGUAGES; i++)
        write_file(
            apr_psprintf(pool, "messages.%s.xml", esign_catalogue_languages[i]),
            apr_psprintf(pool,
                         "<messages lang=\"%s\"><message key=\"known\">[{1}|{2}]</message><message "
                         "key=\"month.11\">Nov</message>"
                         "<message key=\"date.format\">{1} {2} {3}</message><message "
                         "key=\"time.format\">{5}</message></messages>",
                         esign_catalogue_languages[i]));
    for (int i = 0; i < 4; i++)
        write_file(apr_psprintf(pool, "xsl/%s.xsl", others[i]), SHEET(""));
    write_file("xsl/page.xsl", page);
    *render = NULL;
    return esign_render_load(render, folder, NULL, pool);
}

/* The value of an XPath expression in page.xsl, for <page lang="tr">SECRET</page>. */
static esign_result_t evaluate(const char *expression, char **output)
{
    const esign_render_t *render;
    apr_size_t length;
    *output = NULL;
    const char *sheet = apr_psprintf(
        pool, SHEET("<xsl:template match=\"/\"><xsl:value-of select=\"%s\"/></xsl:template>"),
        expression);
    CU_ASSERT_FATAL(!esign_failed(load(sheet, &render)));
    xmlDocPtr document = esign_render_document(pool, "page");
    xmlNewProp(xmlDocGetRootElement(document), X("lang"), X("tr"));
    xmlNodeAddContent(xmlDocGetRootElement(document), X(SECRET));
    return esign_render_transform(render, "page", document, output, &length, pool);
}

static void expect(const char *expression, const char *expected)
{
    char *output;
    CU_ASSERT_FATAL(!esign_failed(evaluate(expression, &output)));
    CU_ASSERT_STRING_EQUAL(output, expected);
}

/* Checks that the transformation fails with this error. */
static void fails(const char *expression, const char *why)
{
    char *output;
    esign_result_t result = evaluate(expression, &output);
    CU_ASSERT_FATAL(esign_failed(result));
    CU_ASSERT_PTR_NULL(output);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, why));
    CU_ASSERT_PTR_NULL(strstr(result.detail, SECRET));
}

static void test_functions(void)
{
    expect("m:text('known', 'a', string(1 + 1))", "[a|2]");
    expect("m:has('known')", "true");
    expect("m:has('unknown')", "false");
    expect("m:date('2026-11-24')", "24 Nov 2026");
    expect("m:time('2026-11-24T14:07:05Z')", "07");
    expect("m:group('ığüşöç7', 3)", "ığü\xC2\xA0şöç\xC2\xA0"
                                    "7");
    expect("m:group('abc', 0)", "abc");
    expect("m:wrap('  bir iki\tüç  ', 7)", "bir iki\nüç");
    expect("m:wrap('bir iki', 6)", "bir\niki");
    expect("m:wrap('ışığı üşü ö', 9)", "ışığı üşü\nö");
    expect("m:wrap('a uzunbirsözcük b', 4)", "a\nuzunbirsözcük\nb");
    expect("m:wrap('a\xC2\xA0"
           "b c', 4)",
           "a\xC2\xA0"
           "b\nc");
    expect("m:wrap('a b', 0)", "a\nb");
    expect("concat('[', m:wrap(' ', 7), ']')", "[]");
    expect("string(/page)", SECRET);
}

static void test_functions_fail(void)
{
    fails("m:text('unknown')", "no key unknown");
    fails("concat(m:text('known'), m:text(concat('title.', name(/*))))", "no key title.page");
    fails("m:text()", "");
    fails("m:has()", "");
    fails("m:date('24.11.2026')", "'24.11.2026' is not an ISO 8601 date");
    fails("m:time('2026-11-24')", "'2026-11-24' is not an ISO 8601");
    fails("m:group('a')", "");
    fails("m:wrap('a')", "");
    fails("m:nothing('a')", "element value-of: XPath");
}

static void test_not_compiled(void)
{
    static const char *const wrong[] = { "", "<xsl:stylesheet",
                                         SHEET("<xsl:template match=\"[\"/>"),
                                         SHEET("<xsl:include href=\"none.xsl\"/>") };
    const esign_render_t *render;
    xsltSetGenericErrorFunc(NULL, ignore_error);
    for (apr_size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        esign_result_t result = load(wrong[i], &render);
        CU_ASSERT(esign_failed(result) && render == NULL &&
                  strstr(result.detail, "/xsl/page.xsl") != NULL);
    }
    xsltSetGenericErrorFunc(NULL, NULL);
    load(SHEET(""), &render);
    unlink(apr_pstrcat(pool, folder, "/xsl/sms.xsl", NULL));
    esign_result_t result = esign_render_load(&render, folder, NULL, pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "/xsl/sms.xsl") != NULL);
}

static void test_no_files(void)
{
    write_file("other.xml", "<other>" SECRET "</other>");
    fails(apr_psprintf(pool, "document('%s/other.xml')", folder), "");
    fails("document('../other.xml')", "");
    fails("document('file:///etc/passwd')", "");
    unlink(apr_pstrcat(pool, folder, "/other.xml", NULL));
}

static void test_no_writing(void)
{
    /* The element of XSLT 1.1, and the extensions that libxslt always has. */
    static const char *const writers[][3] = {
        { "", "<xsl:document href=\"", "\">x</xsl:document>" },
        { " xmlns:e=\"http://www.jclark.com/xt\" extension-element-prefixes=\"e\"",
          "<e:document href=\"", "\">x</e:document>" },
        { " xmlns:s=\"http://icl.com/saxon\" extension-element-prefixes=\"s\"", "<s:output file=\"",
          "\">x</s:output>" },
        { " xmlns:r=\"org.apache.xalan.xslt.extensions.Redirect\" extension-element-prefixes=\"r\"",
          "<r:write file=\"", "\">x</r:write>" },
    };
    const char *path = apr_pstrcat(pool, folder, "/written", NULL);
    for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
        const esign_render_t *render;
        char *output = NULL;
        apr_size_t length;
        const char *sheet = apr_psprintf(
            pool,
            "<xsl:stylesheet version=\"1.1\" "
            "xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"%s><xsl:template match=\"/\">%s%s%s"
            "</xsl:template></xsl:stylesheet>",
            writers[i][0], writers[i][1], path, writers[i][2]);
        CU_ASSERT_FATAL(!esign_failed(load(sheet, &render)));
        xmlDocPtr document = esign_render_document(pool, "page");
        xmlNewProp(xmlDocGetRootElement(document), X("lang"), X("tr"));
        CU_ASSERT(
            esign_failed(esign_render_transform(render, "page", document, &output, &length, pool)));
        CU_ASSERT(unlink(path) != 0);
    }
}

/* Starts a child that listens on the loopback, greets one connection and ends. Returns the port. */
static int listen_for_one(pid_t *child)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(bind(listener, (struct sockaddr *)&address, size) == 0 &&
                    listen(listener, 1) == 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    *child = fork();
    if (*child == 0) {
        int connection = accept(listener, NULL, NULL);
        _exit(write(connection, "1", 1) != 1);
    }
    close(listener);
    return ntohs(address.sin_port);
}

/* Whether the stylesheet connected to `port`. The child greets its first connection only. When that
 * is the one made here, there was none before it. */
static int somebody_came(pid_t child, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char greeting;
    int own = socket(AF_INET, SOCK_STREAM, 0);
    int first = connect(own, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                read(own, &greeting, 1) == 1;
    close(own);
    waitpid(child, NULL, 0);
    return !first;
}

static void test_no_network(void)
{
    static const char *const sheets[][2] = {
        { "<!DOCTYPE x SYSTEM \"", "\">" SHEET("") },
        { TOP "<xsl:include href=\"", "\"/></xsl:stylesheet>" },
        { TOP "<xsl:import href=\"", "\"/></xsl:stylesheet>" },
    };
    const esign_render_t *render;
    pid_t child;
    int port = listen_for_one(&child);
    fails(apr_psprintf(pool, "document('http://127.0.0.1:%d/x.xml')", port), "");
    CU_ASSERT(!somebody_came(child, port));
    xsltSetGenericErrorFunc(NULL, ignore_error);
    xmlSetGenericErrorFunc(NULL, ignore_error);
    for (int i = 0; i < 3; i++) {
        port = listen_for_one(&child);
        CU_ASSERT(esign_failed(
            load(apr_psprintf(pool, "%shttp://127.0.0.1:%d/x%s", sheets[i][0], port, sheets[i][1]),
                 &render)));
        CU_ASSERT(!somebody_came(child, port));
    }
    xmlSetGenericErrorFunc(NULL, NULL);
    xsltSetGenericErrorFunc(NULL, NULL);
}

static void remove_folder(void)
{
    static const char *const names[] = { "xsl/page.xsl",   "xsl/mail-html.xsl", "xsl/mail-text.xsl",
                                         "xsl/sms.xsl",    "xsl/form.xsl",      "messages.tr.xml",
                                         "messages.en.xml" };
    char path[64];
    for (apr_size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/xsl", folder);
    rmdir(path);
    rmdir(folder);
}

int main(void)
{
    CU_TestInfo tests[] = { { "stylesheets have their functions", test_functions },
                            { "a wrong key, time or call fails the transformation",
                              test_functions_fail },
                            { "a stylesheet that does not compile is named", test_not_compiled },
                            { "a stylesheet reads no file", test_no_files },
                            { "a stylesheet writes no file", test_no_writing },
                            { "a stylesheet reaches no network", test_no_network },
                            CU_TEST_INFO_NULL };
    apr_pool_t *whole;
    char path[64];
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    snprintf(path, sizeof(path), "%s/xsl", folder);
    mkdir(path, 0700);
    apr_initialize();
    apr_pool_create(&whole, NULL);
    int status = EXIT_FAILURE;
    if (!esign_failed(esign_render_init(whole)))
        status = suite_run("stylesheet", tests);
    apr_pool_destroy(whole);
    remove_folder();
    return status;
}
