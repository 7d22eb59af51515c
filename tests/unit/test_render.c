/* SPDX-License-Identifier: Apache-2.0 */
/* test_render.c: our own stylesheets on the sample pages, and documents from outside. */
#include "render/render.h"
#include "suite.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#define X(text) ((const xmlChar *)(text))
#define SECRET "tek-kullanımlık-gizli-söz"

static const esign_render_t *ours;

/* --- Our own stylesheets --- */

static xmlDocPtr read_sample(const char *name)
{
    return xmlReadFile(apr_pstrcat(pool, ESIGN_TEST_PAGES "/", name, NULL), NULL, XML_PARSE_NONET);
}

/* The same page in another language, with its language switch. */
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
    const char *pin = page_of("pin.xml", "en"); /* whole for copying, in groups for reading */
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
    CU_ASSERT_PTR_NOT_NULL(
        strstr(form, "<p class=\"word\"> two  spaces &lt;i&gt; </p>")); /* the word as it must be
                                                                           typed, blanks included */
    CU_ASSERT_PTR_NOT_NULL(strstr(form_of("        "), "<p class=\"word\">        </p>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "A &amp; &lt;B&gt;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "24 November 2026"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "31 January 2029"));
    CU_ASSERT_PTR_NOT_NULL(strstr(form, "https://h/esign"));
    CU_ASSERT(filled(form));
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
    /* malloc returns the block of this size that was freed last. */
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

int main(void)
{
    CU_TestInfo tests[] = {
        { "every sample page is valid and becomes HTML, in both languages", test_pages },
        { "counts, times and problems are in words", test_words },
        { "the application form has the word unchanged", test_form },
        { "a document without a language of ours is refused", test_no_language },
        { "documents from outside have no entities", test_parse },
        { "characters that XML cannot hold are left out", test_clean },
        { "memory that libxml2 frees is wiped", test_wiped },
        CU_TEST_INFO_NULL
    };
    apr_pool_t *whole;
    apr_initialize();
    apr_pool_create(&whole, NULL);
    int status = EXIT_FAILURE;
    if (!esign_failed(esign_render_init(whole)) &&
        !esign_failed(esign_render_load(&ours, ESIGN_TEST_HTDOCS, NULL, whole)))
        status = suite_run("render", tests);
    apr_pool_destroy(whole);
    return status;
}
