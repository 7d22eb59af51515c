/* SPDX-License-Identifier: Apache-2.0 */
/* test_render.c: our own stylesheets on the sample pages, and what a stylesheet or a document may
 * not do. */
#include "render/render.h"
#include "suite.h"

#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxslt/xsltutils.h>

#define X(text) ((const xmlChar *)(text))
#define SECRET "tek-kullanımlık-gizli-söz"

static char folder[] = "/tmp/esign-render-XXXXXX";
static const esign_render_t *ours;

/* --- Our own stylesheets --- */

static xmlDocPtr read_sample(const char *name)
{
    return xmlReadFile(apr_pstrcat(pool, ESIGN_TEST_PAGES "/", name, NULL), NULL, XML_PARSE_NONET);
}

/* The same page in another language: the switch of languages follows. */
static void set_language(xmlDocPtr document, const char *language)
{
    xmlNodePtr root = xmlDocGetRootElement(document);
    xmlSetProp(root, X("lang"), X(language));
    for (xmlNodePtr node = xmlFirstElementChild(xmlFirstElementChild(root)); node;
         node = xmlNextElementSibling(node)) {
        xmlChar *code = xmlGetProp(node, X("code"));
        xmlSetProp(node, X("current"), X(strcmp((const char *)code, language) == 0 ? "yes" : "no"));
        xmlFree(code);
    }
}

static void ignore_error(void *data, const char *format, ...)
{
    (void)data;
    (void)format;
}

static int validates(xmlRelaxNGPtr schema, xmlDocPtr document)
{
    xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidErrors(context, ignore_error, ignore_error, NULL);
    int result = xmlRelaxNGValidateDoc(context, document);
    xmlRelaxNGFreeValidCtxt(context);
    return result == 0;
}

/* Every {n} of a text is filled in. */
static int filled(const char *text)
{
    for (; (text = strchr(text, '{')) != NULL; text++)
        if (text[1] >= '0' && text[1] <= '9')
            return 0;
    return 1;
}

static void check_page(xmlDocPtr document, const char *name, const char *language)
{
    char *output = NULL;
    apr_size_t length = 0;
    esign_result_t result = esign_render_transform(ours, "page", document, &output, &length, pool);
    if (esign_failed(result))
        fprintf(stderr, "%s: %s\n", name, result.detail);
    CU_ASSERT_FATAL(!esign_failed(result));
    xmlChar *page = xmlGetProp(xmlDocGetRootElement(document), X("name"));
    const char *title = esign_catalogue_text(esign_render_catalogue(ours), language,
                                             apr_pstrcat(pool, "title.", (const char *)page, NULL));
    xmlFree(page);
    CU_ASSERT_EQUAL(length, strlen(output));
    CU_ASSERT_PTR_NOT_NULL_FATAL(title);
    CU_ASSERT_PTR_EQUAL(strstr(output, "<!DOCTYPE html>"), output);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, apr_psprintf(pool, "<html lang=\"%s\">", language)));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, apr_psprintf(pool, "<h1>%s</h1>", title)));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, " – Kamu Sertifikasyon Merkezi</title>"));
    CU_ASSERT_PTR_NULL(strstr(output, "xmlns"));
    CU_ASSERT(filled(output));
}

static void test_pages(void)
{
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(ESIGN_TEST_HTDOCS "/xsl/page.rng");
    xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    int count = 0;
    DIR *samples = opendir(ESIGN_TEST_PAGES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(samples);
    for (struct dirent *entry; (entry = readdir(samples)) != NULL;) {
        if (!strstr(entry->d_name, ".xml"))
            continue;
        count++;
        xmlDocPtr document = read_sample(entry->d_name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(document);
        for (int i = 0; i < ESIGN_LANGUAGES; i++) {
            set_language(document, esign_catalogue_languages[i]);
            int valid = validates(schema, document);
            if (!valid)
                fprintf(stderr, "%s is not valid\n", entry->d_name);
            CU_ASSERT(valid);
            check_page(document, entry->d_name, esign_catalogue_languages[i]);
        }
        xmlNewProp(xmlDocGetRootElement(document), X("other"), X("attribute"));
        CU_ASSERT(!validates(schema, document));
        xmlFreeDoc(document);
    }
    closedir(samples);
    xmlRelaxNGFree(schema);
    CU_ASSERT(count >= 22);
}

/* A page of a sample in one language. */
static const char *page_of(const char *sample, const char *language)
{
    char *output = NULL;
    apr_size_t length;
    xmlDocPtr document = read_sample(sample);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    set_language(document, language);
    CU_ASSERT_FATAL(
        !esign_failed(esign_render_transform(ours, "page", document, &output, &length, pool)));
    xmlFreeDoc(document);
    return output;
}

static void test_words(void)
{
    const char *turkish = page_of("otp-code.xml", "tr"), *english = page_of("otp-code.xml", "en");
    CU_ASSERT_PTR_NOT_NULL(strstr(turkish, "2 dakika 51 saniye"));
    CU_ASSERT_PTR_NOT_NULL(strstr(english, "2 minutes 51 seconds"));
    CU_ASSERT_PTR_NOT_NULL(strstr(english, "<title>Error: Enter Your SMS Code"));
    CU_ASSERT_PTR_NOT_NULL(strstr(english, "aria-describedby=\"code-problem code-hint\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(english, "Tries left: 2."));
    const char *pin = page_of("pin.xml", "en"); /* whole for who copies it, in groups for the eye */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(pin, "data-failed=\"Could not be copied; select the digits and copy them "
                    "yourself.\"><span>7392</span><span>0461</span></span></dd>"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(pin, "<dd><span class=\"pin\" data-copy=\"Copy\" data-done=\"Copied\" "));
    CU_ASSERT_PTR_NOT_NULL(strstr(pin, "31 Ocak 2026"));
}

/* The form with this word, written as XML. */
static const char *form_of(const char *word)
{
    const char *sheet =
        apr_pstrcat(pool,
                    "<form-sheet lang=\"en\" organization=\"A &amp; &lt;B&gt;\" "
                    "url=\"https://h/esign\" date=\"2026-11-24\">"
                    "<subscriber id=\"7\" national-id=\"10000000146\" name=\"Ay&#x15F;e\" "
                    "email=\"a@example.org\" phone=\"+905551234567\"/><word>",
                    word,
                    "</word><card serial=\"4711\" not-before=\"2026-01-31\" "
                    "not-after=\"2029-01-31\"/></form-sheet>",
                    NULL);
    char *output = NULL;
    apr_size_t length;
    xmlDocPtr document = esign_render_parse(sheet, strlen(sheet));
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    CU_ASSERT_FATAL(
        !esign_failed(esign_render_transform(ours, "form", document, &output, &length, pool)));
    xmlFreeDoc(document);
    return output;
}

static void test_form(void)
{
    const char *form = form_of(" two  spaces &lt;i&gt; ");
    CU_ASSERT_PTR_NOT_NULL(strstr(
        form,
        "<p class=\"word\"> two  spaces &lt;i&gt; </p>")); /* what has to be typed, to the blank */
    CU_ASSERT_PTR_NOT_NULL(strstr(form_of("        "), "<p class=\"word\">        </p>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "A &amp; &lt;B&gt;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "24 November 2026"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "31 January 2029"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "https://h/esign"));
    CU_ASSERT(filled(form));
}

/* --- Stylesheets of the tests' own --- */

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

/* What page.xsl makes of one XPath expression over <page lang="tr">SECRET</page>. */
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

/* That the transformation fails, and why. */
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
    fails("m:date('24.11.2026')", "'24.11.2026' is no ISO 8601 date");
    fails("m:time('2026-11-24')", "'2026-11-24' is no ISO 8601");
    fails("m:group('a')", "");
    fails("m:wrap('a')", "");
    fails("m:nothing('a')", "element value-of: XPath");
}

static void test_no_language(void)
{
    char *output = NULL;
    apr_size_t length;
    xmlDocPtr document = esign_render_document(pool, "page");
    CU_ASSERT(esign_failed(esign_render_transform(ours, "page", document, &output, &length, pool)));
    xmlNewProp(xmlDocGetRootElement(document), X("lang"), X("de"));
    CU_ASSERT(esign_failed(esign_render_transform(ours, "page", document, &output, &length, pool)));
    xmlSetProp(xmlDocGetRootElement(document), X("lang"), X("tr"));
    CU_ASSERT(
        esign_failed(esign_render_transform(ours, "nothing", document, &output, &length, pool)));
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
    /* XSLT 1.1's own way, and the extensions that libxslt always knows. */
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

/* A listener on the loopback and a child that waits for one connection; the port. */
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
        close(connection);
        _exit(0);
    }
    close(listener);
    return ntohs(address.sin_port);
}

/* Whether somebody connected; ends the child. */
static int somebody_came(pid_t child)
{
    int status;
    usleep(50000);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WIFEXITED(status);
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
    fails(apr_psprintf(pool, "document('http://127.0.0.1:%d/x.xml')", listen_for_one(&child)), "");
    CU_ASSERT(!somebody_came(child));
    xsltSetGenericErrorFunc(NULL, ignore_error);
    xmlSetGenericErrorFunc(NULL, ignore_error);
    for (int i = 0; i < 3; i++) {
        int port = listen_for_one(&child);
        CU_ASSERT(esign_failed(
            load(apr_psprintf(pool, "%shttp://127.0.0.1:%d/x%s", sheets[i][0], port, sheets[i][1]),
                 &render)));
        CU_ASSERT(!somebody_came(child));
    }
    xmlSetGenericErrorFunc(NULL, NULL);
    xsltSetGenericErrorFunc(NULL, NULL);
}

/* --- Documents from outside --- */

static xmlDocPtr parse(const char *text)
{
    return esign_render_parse(text, strlen(text));
}

static void test_parse(void)
{
    static const char *const refused[] = {
        "",
        " ",
        "<a",
        "<a></b>",
        "<a/><b/>",
        "<a>\x01</a>",
        "<a>\xFF</a>",
        "<a>&b;</a>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b \"cccccccccc\"><!ENTITY d \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY e "
        "\"&d;&d;&d;&d;&d;&d;&d;&d;\">]><a>&e;&e;</a>",
    };
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        CU_ASSERT_PTR_NULL(parse(refused[i]));
    CU_ASSERT_PTR_NULL(esign_render_parse("<a/>", (apr_size_t)INT_MAX + 1));
    xmlDocPtr document = parse("<a>&lt;&amp;&#x15F;</a>");
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    xmlChar *text = xmlNodeGetContent(xmlDocGetRootElement(document));
    CU_ASSERT_STRING_EQUAL((const char *)text, "<&ş");
    xmlFree(text);
    xmlFreeDoc(document);
}

static void test_clean(void)
{
    static const struct {
        const char *text, *clean;
    } texts[] = {
        { "", "" },
        { "Ayşe – 🔑\t\r\n", "Ayşe – 🔑\t\r\n" },
        { "a\x01\x08\x0B\x0C\x0E\x1F"
          "b\x7F",
          "ab\x7F" },
        { "a\xEF\xBF\xBE\xEF\xBF\xBF"
          "b\xEF\xBF\xBD",
          "ab\xEF\xBF\xBD" },
        { "\xFF"
          "a\xC5",
          "\xEF\xBF\xBD"
          "a\xEF\xBF\xBD" },
        { "\xC0\x8A", "\xEF\xBF\xBD\xEF\xBF\xBD" },                 /* overlong */
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" }, /* half of a surrogate pair */
        { "\xF0\x9F\x94", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" }, /* cut off */
    };
    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const char *clean = esign_render_clean(pool, texts[i].text);
        CU_ASSERT_STRING_EQUAL(clean, texts[i].clean);
        const char *whole = apr_pstrcat(pool, "<a>", clean, "</a>", NULL);
        xmlDocPtr document = parse(whole);
        CU_ASSERT_PTR_NOT_NULL(document);
        xmlFreeDoc(document);
    }
}

static void test_wiped(void)
{
    /* The next block of this size is the one that was given back last. */
    enum { SIZE = 3000 };
    for (int grown = 0; grown < 2; grown++) {
        char *block = xmlMalloc(SIZE);
        memcpy(memset(block, 's', SIZE) + 1000, SECRET, sizeof(SECRET));
        char *moved = grown ? xmlRealloc(block, 2 * SIZE) : NULL;
        CU_ASSERT(!grown || strcmp(moved + 1000, SECRET) == 0);
        if (!grown)
            xmlFree(block);
        const char *next = malloc(SIZE);
        CU_ASSERT_PTR_NULL(memmem(next, SIZE, SECRET, strlen(SECRET)));
        free((char *)next);
        xmlFree(moved);
    }
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
    CU_TestInfo tests[] = {
        { "every sample page is valid and becomes HTML, in both languages", test_pages },
        { "counts, times and problems are in words", test_words },
        { "the application form holds the word as it is", test_form },
        { "stylesheets have their functions", test_functions },
        { "a wrong key, time or call fails the transformation", test_functions_fail },
        { "a document without a language of ours is refused", test_no_language },
        { "a stylesheet that does not compile is named", test_not_compiled },
        { "a stylesheet reads no file", test_no_files },
        { "a stylesheet writes no file", test_no_writing },
        { "a stylesheet reaches no network", test_no_network },
        { "documents from outside have no entities", test_parse },
        { "texts are cleaned of what XML cannot hold", test_clean },
        { "what libxml2 gives back is wiped", test_wiped },
        CU_TEST_INFO_NULL
    };
    apr_pool_t *whole;
    char path[64];
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    snprintf(path, sizeof(path), "%s/xsl", folder);
    mkdir(path, 0700);
    apr_initialize();
    apr_pool_create(&whole, NULL);
    int status = EXIT_FAILURE;
    if (!esign_failed(esign_render_init(whole)) &&
        !esign_failed(esign_render_load(&ours, ESIGN_TEST_HTDOCS, NULL, whole)))
        status = suite_run("render", tests);
    apr_pool_destroy(whole);
    remove_folder();
    return status;
}
