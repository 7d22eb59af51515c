/* SPDX-License-Identifier: Apache-2.0 */
/* test_theme.c: a theme's files, accepted and refused, and threads that load while others render.
 */
#include "render/render.h"
#include "suite.h"

#include <libxslt/documents.h>
#include <libxslt/xsltutils.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHEET(inside)                                                                     \
    "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" " \
    "xmlns:m=\"urn:mod_esign:text\" exclude-result-prefixes=\"m\">\n" inside "</xsl:stylesheet>"
#define OURS "<xsl:import href=\"esign:page.xsl\"/>\n"
#define UNDER_HEADER(text)                                                      \
    "<xsl:template match=\"page\" mode=\"header\"><xsl:apply-imports/><p>" text \
    "</p></xsl:template>\n"

static char folder[] = "/tmp/esign-theme-XXXXXX";

/* Removes the files of the test before. */
static void empty_folder(void)
{
    static const char *const names[] = { "xsl/page.xsl",
                                         "xsl/mail-html.xsl",
                                         "xsl/part.xsl",
                                         "messages.tr.xml",
                                         "messages.en.xml",
                                         "static/logo.svg",
                                         "static/theme.css",
                                         "static",
                                         "xsl" };
    char path[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        remove(path);
    }
}

static void put(const char *name, const char *text)
{
    const char *path = apr_pstrcat(pool, folder, "/", name, NULL);
    char *slash = strrchr(path, '/');
    mkdir(apr_pstrmemdup(pool, path, (apr_size_t)(slash - path)), 0700);
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL && fputs(text, file) >= 0);
    fclose(file);
}

static void put_texts(const char *language, const char *messages)
{
    put(apr_psprintf(pool, "messages.%s.xml", language),
        apr_psprintf(pool, "<messages lang=\"%s\">\n%s</messages>", language, messages));
}

static const esign_render_t *load(void)
{
    const esign_render_t *render = NULL;
    esign_result_t result = esign_render_load(&render, ESIGN_TEST_HTDOCS, folder, pool);
    if (esign_failed(result))
        fprintf(stderr, "%s\n", result.detail);
    CU_ASSERT_FATAL(!esign_failed(result) && render != NULL);
    return render;
}

/* Checks that the theme is refused, that the error contains both texts, and that the stylesheets
 * loaded before stay. */
static void refused(const char *where, const char *what)
{
    const esign_render_t *before = (const esign_render_t *)folder, *render = before;
    esign_result_t result = esign_render_load(&render, ESIGN_TEST_HTDOCS, folder, pool);
    CU_ASSERT_FATAL(esign_failed(result));
    CU_ASSERT_PTR_EQUAL(render, before);
    if (!strstr(result.detail, where) || !strstr(result.detail, what))
        fprintf(stderr, "%s\n", result.detail);
    CU_ASSERT(strstr(result.detail, where) != NULL && strstr(result.detail, what) != NULL);
    empty_folder();
}

/* The sign-in page, in `p`. */
static const char *page(const esign_render_t *render, apr_pool_t *p)
{
    char *output = NULL;
    apr_size_t length;
    xmlDocPtr document = xmlReadFile(ESIGN_TEST_PAGES "/login.xml", NULL, XML_PARSE_NONET);
    esign_result_t result = esign_render_transform(render, "page", document, &output, &length, p);
    xmlFreeDoc(document);
    if (esign_failed(result))
        fprintf(stderr, "%s\n", result.detail);
    return esign_failed(result) ? NULL : output;
}

static int shows(const char *text)
{
    const char *html = page(load(), pool);
    return html != NULL && strstr(html, text) != NULL;
}

static const char *text_of(const char *language, const char *key)
{
    return esign_catalogue_text(esign_render_catalogue(load()), language, key);
}

static void test_nothing(void)
{
    const esign_render_t *ours;
    CU_ASSERT_FATAL(!esign_failed(esign_render_load(&ours, ESIGN_TEST_HTDOCS, NULL, pool)));
    CU_ASSERT_STRING_EQUAL(page(load(), pool), page(ours, pool));
    CU_ASSERT(!shows("theme"));
}

static void test_folder_refused(void)
{
    const esign_render_t *render = NULL;
    const char *none = apr_pstrcat(pool, folder, "/none", NULL);
    esign_result_t result = esign_render_load(&render, ESIGN_TEST_HTDOCS, none, pool);
    CU_ASSERT(esign_failed(result) && render == NULL && strstr(result.detail, none) != NULL);
    result = esign_render_load(&render, ESIGN_TEST_HTDOCS, ESIGN_TEST_PAGES "/login.xml", pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "login.xml is not a folder") != NULL);
}

static void test_texts(void)
{
    const char *turkish = text_of("tr", "title.login");
    put_texts("en", "<message key=\"title.login\">Come &amp; in</message><message key=\"step\">{2} "
                    "have {1}</message>");
    CU_ASSERT_STRING_EQUAL(text_of("en", "title.login"), "Come & in");
    CU_ASSERT_STRING_EQUAL(text_of("tr", "title.login"), turkish);
    CU_ASSERT_STRING_EQUAL(text_of("en", "month.5"), "May");
    put_texts("tr", "<message key=\"title.login\">Girin</message>");
    CU_ASSERT(shows("<h1>Girin</h1>"));
    empty_folder();
}

static void test_own_texts(void)
{
    put_texts("tr", "<message key=\"theme.motto\">Imza</message>");
    put_texts("en", "<message key=\"theme.motto\">Signature</message>");
    put("xsl/page.xsl",
        SHEET(OURS UNDER_HEADER("<xsl:value-of select=\"m:text('theme.motto')\"/>")));
    CU_ASSERT(shows("</header><p>Imza</p>"));
    put_texts("en", "");
    refused("messages.en.xml", "lacks the key theme.motto");
}

static void test_texts_refused(void)
{
    put_texts("en", "\n<message key=\"title.logon\">x</message>");
    refused("/messages.en.xml:3: ", "title.logon");
    put_texts("tr", "<message key=\"step\">{1} {3}</message>");
    refused("/messages.tr.xml:2: ", "the key step has nothing to fill in for {3}");
    put_texts("tr", "<message key=\"step\">1</message><message key=\"step\">2</message>");
    refused("/messages.tr.xml:2: ", "the key step stands twice");
    put("messages.en.xml", "<messages lang=\"en\">\n<message");
    refused("/messages.en.xml:2: ", "");
    put("messages.en.xml", "<messages lang=\"tr\"/>");
    refused("/messages.en.xml:1: ", "<messages lang=\"en\">");
}

static void test_sheets(void)
{
    put("xsl/page.xsl", SHEET(OURS UNDER_HEADER("below")));
    CU_ASSERT(shows("</header><p>below</p>") && shows("</footer>") && shows("<!DOCTYPE html"));
    put("xsl/page.xsl", SHEET(OURS "<xsl:include href=\"part.xsl\"/>"));
    put("xsl/part.xsl", SHEET(UNDER_HEADER("from a file of its own")));
    CU_ASSERT(shows("<p>from a file of its own</p>"));
    put("xsl/page.xsl", SHEET("<xsl:import href=\"" ESIGN_TEST_HTDOCS
                              "/xsl/page.xsl\"/>" UNDER_HEADER("by its path")));
    CU_ASSERT(shows("<p>by its path</p>"));
    empty_folder();
}

static void test_sheets_refused(void)
{
    static const struct {
        const char *sheet, *where, *what;
    } wrong[] = {
        { SHEET("<xsl:import href=\"esign:none.xsl\"/>"), "/xsl/none.xsl", "cannot be read" },
        { SHEET("<xsl:include href=\"none.xsl\"/>"), "/xsl/none.xsl", "cannot be read" },
        { SHEET(OURS
                "<xsl:template match=\"page\">\n<xsl:value-of select=\"1 +\"/></xsl:template>"),
          "/xsl/page.xsl line 4 ", "1 +" },
        { SHEET(OURS "<xsl:tempalte match=\"page\"/>"), "/xsl/page.xsl line 3 ", "tempalte" },
        { SHEET(OURS) "\n<more/>", "/xsl/page.xsl:4: ", "" },
        { "<!DOCTYPE x [<!ENTITY e \"x\">]>" SHEET(OURS), "/xsl/page.xsl", "document type" },
        { "", "/xsl/page.xsl", "cannot be compiled" },
    };
    xsltDocLoaderFunc loader = xsltDocDefaultLoader;
    xmlGenericErrorFunc error = xsltGenericError;
    void *context = xsltGenericErrorContext;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        put("xsl/page.xsl", wrong[i].sheet);
        refused(wrong[i].where, wrong[i].what);
    }
    put("xsl/page.xsl", SHEET(OURS "<xsl:include href=\"part.xsl\"/>"));
    put("xsl/part.xsl", "<xsl:stylesheet>\n\n<");
    refused("/xsl/part.xsl:3: ", "");
    put("xsl/mail-html.xsl", SHEET("<xsl:template match=\"[\"/>"));
    refused("/xsl/mail-html.xsl", "line 2");
    /* The functions of the whole process are as before. */
    CU_ASSERT(xsltDocDefaultLoader == loader && xsltGenericError == error &&
              xsltGenericErrorContext == context);
}

static void test_statics(void)
{
    put("static/logo.svg", "<svg/>");
    CU_ASSERT(shows("src=\"/esign/static/theme/logo.svg\"") && !shows("theme.css") &&
              shows("href=\"/esign/static/favicon.svg\""));
    put("static/theme.css", "");
    CU_ASSERT(shows("<link rel=\"stylesheet\" href=\"/esign/static/esign.css\"><link "
                    "rel=\"stylesheet\" href=\"/esign/static/theme/theme.css\">"));
    remove(apr_pstrcat(pool, folder, "/static/logo.svg", NULL));
    CU_ASSERT(shows("<svg ") && !shows("logo.svg"));
    empty_folder();
    put("static", "no folder");
    refused("/static", "cannot be read");
}

/* Threads that render, and threads that load valid and invalid themes in turn. Each counts its
 * successes. */
#define THREADS 4
#define TURNS 10
static const esign_render_t *shared;

static void *load_and_render(void *data)
{
    const char *theme = data;
    intptr_t right = 0;
    for (int i = 0; i < TURNS; i++) {
        apr_pool_t *p;
        const esign_render_t *render;
        apr_pool_create(&p, NULL);
        esign_result_t result = esign_render_load(&render, ESIGN_TEST_HTDOCS, theme, p);
        const char *own = esign_failed(result) ? NULL : page(render, p), *other = page(shared, p);
        int as_it_should = theme ? own && strstr(own, "<p>below</p>")
                                 : esign_failed(result) == 0 && own && !strstr(own, "<p>below</p>");
        right += as_it_should && other && strstr(other, "<p>below</p>");
        apr_pool_destroy(p);
    }
    return (void *)right;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    put("xsl/page.xsl", SHEET(OURS UNDER_HEADER("below")));
    shared = load();
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, load_and_render, i % 2 ? folder : NULL) ==
                        0);
    for (int i = 0; i < THREADS; i++) {
        void *right;
        pthread_join(threads[i], &right);
        CU_ASSERT_EQUAL((intptr_t)right, TURNS);
    }
    empty_folder();
}

int main(void)
{
    CU_TestInfo tests[] = { { "an empty theme changes nothing", test_nothing },
                            { "a path that is not a folder is refused", test_folder_refused },
                            { "single texts are overridden, in one language or both", test_texts },
                            { "a theme adds texts of its own", test_own_texts },
                            { "wrong texts are refused by file, line and key", test_texts_refused },
                            { "stylesheets import ours, wherever they are", test_sheets },
                            { "wrong stylesheets are refused by file and line",
                              test_sheets_refused },
                            { "CSS and logo are linked when they exist", test_statics },
                            { "threads load while others render", test_threads },
                            CU_TEST_INFO_NULL };
    apr_pool_t *whole;
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    apr_initialize();
    apr_pool_create(&whole, NULL);
    int status = esign_failed(esign_render_init(whole)) ? EXIT_FAILURE : suite_run("theme", tests);
    apr_pool_destroy(whole);
    empty_folder();
    rmdir(folder);
    return status;
}
