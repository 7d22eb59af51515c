/* SPDX-License-Identifier: Apache-2.0 */
/* test_page_cache.c: the cache's output equals the stylesheet's, byte for byte. */
#include "race.h"
#include "render/page_cache.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/esign-cache-XXXXXX";

/* Loads our stylesheets, with a theme's page.xsl if one is given. */
static const esign_render_t *load(const char *sheet)
{
    const esign_render_t *render = NULL;
    const char *path = apr_pstrcat(pool, folder, "/xsl/page.xsl", NULL);
    if (sheet) {
        FILE *file = fopen(path, "w");
        CU_ASSERT_FATAL(
            file != NULL &&
            fprintf(file,
                    "<xsl:stylesheet version='1.0' "
                    "xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:output method='html'/>"
                    "<xsl:template match='/page'>%s</xsl:template></xsl:stylesheet>",
                    sheet) > 0 &&
            fclose(file) == 0);
    }
    CU_ASSERT_FATAL(
        !esign_failed(esign_render_load(&render, ESIGN_TEST_HTDOCS, sheet ? folder : NULL, pool)));
    unlink(path);
    return render;
}

/* The sign-in form, filled in with `id`. */
static const esign_document_t *form(const char *challenge, const char *id, const char *problem,
                                    apr_pool_t *p)
{
    esign_document_t *d = esign_document_new("page", p);
    static const char *const attributes[][2] = { { "name", "login" },
                                                 { "lang", "tr" },
                                                 { "status", "200" },
                                                 { "prefix", "/esign" },
                                                 { "static", "/esign/static" },
                                                 { "home", "/" },
                                                 { "organization", "Kurum & Ortakları" } };
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
        esign_document_attribute(d, attributes[i][0], attributes[i][1]);
    esign_document_element(d, 0, "languages");
    if (problem) {
        esign_document_element(d, 0, "problem");
        esign_document_attribute(d, "code", problem);
        esign_document_attribute(d, "field", "id");
    }
    int inner = esign_document_element(d, 0, "form");
    esign_document_attribute(d, "action", "/esign/login");
    esign_document_element(d, inner, "field");
    esign_document_attribute(d, "name", "id");
    esign_document_attribute(d, "~value", id);
    int picture = esign_document_element(d, inner, "challenge");
    esign_document_attribute(d, "~value", challenge);
    esign_document_attribute(d, "~picture",
                             apr_pstrcat(p, "/esign/captcha/", challenge, ".png", NULL));
    esign_document_attribute(d, "~sound",
                             apr_pstrcat(p, "/esign/captcha/", challenge, ".wav?lang=tr", NULL));
    esign_document_element(d, picture, "work");
    esign_document_attribute(d, "~salt", challenge);
    esign_document_attribute(d, "~target", "a51e47b7");
    esign_document_attribute(d, "max", "1000");
    esign_document_element(d, 0, "forgot");
    esign_document_attribute(d, "href", "/esign/reset");
    esign_document_finish(d);
    return d;
}

static const char *render_one(esign_page_cache_t *cache, const esign_render_t *render,
                              const esign_document_t *document, apr_pool_t *p)
{
    char *output = NULL;
    apr_size_t length = 0;
    esign_result_t result =
        esign_page_cache_render(cache, render, "page", document, &output, &length, p);
    if (esign_failed(result)) {
        fprintf(stderr, "%s\n", result.detail);
        return "";
    }
    return strlen(output) == length ? output : "";
}

/* Whether the output is the same with and without a cache. */
static int same(esign_page_cache_t *cache, const esign_render_t *render,
                const esign_document_t *document, apr_pool_t *p)
{
    const char *whole = render_one(NULL, render, document, p);
    return *whole && strcmp(whole, render_one(cache, render, document, p)) == 0;
}

/* Whether the document is cached: rendering it with a stylesheet that always fails succeeds. */
static int is_cached(esign_page_cache_t *cache, const esign_document_t *document)
{
    return *render_one(cache, load("<xsl:message terminate='yes'>no</xsl:message>"), document,
                       pool) != '\0';
}

static void test_same(void)
{
    const esign_render_t *render = load(NULL);
    esign_page_cache_t *cache = esign_page_cache_create(pool);
    static const char *const ids[] = {
        "10000000146",       "",           "ı", "1", "\"><b>", "copied-value-000-",
        "copied-value-001-", "20000000282"
    };
    static const char *const problems[] = { NULL, "id-wrong", "id-empty" };
    for (int i = 0; i < 240; i++)
        CU_ASSERT(same(
            cache, render,
            form(apr_psprintf(pool, "Q%03d-_%d", i, i * i), ids[i % 8], problems[i / 8 % 3], pool),
            pool));
    CU_ASSERT(is_cached(cache, form("another", "1", NULL, pool)));
    CU_ASSERT(is_cached(cache, form("another", "", NULL, pool)));
    CU_ASSERT(is_cached(cache, form("another", "1", "id-wrong", pool)));
    CU_ASSERT(is_cached(cache, form("another", "ı", NULL, pool)));
    CU_ASSERT(!is_cached(cache, form("another", "1&", NULL, pool)));
    CU_ASSERT(!is_cached(cache, form("another", "1", "answer-wrong", pool)));
}

/* All characters beyond ASCII that may be typed. */
static void test_characters(void)
{
    const esign_render_t *render = load(NULL);
    esign_page_cache_t *cache = esign_page_cache_create(pool);
    for (unsigned point = 0x80; point < 0x20000; point += point < 0x800 ? 1
                                                          : point >= 0x2000 && point < 0x2070
                                                              ? 1
                                                              : 97) {
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        char id[] = { 'a', 0, 0, 0, 0, 0, 0 };
        if (point < 0x800)
            apr_snprintf(id + 1, 6, "%c%cb", 0xc0 | point >> 6, 0x80 | (point & 0x3f));
        else if (point < 0x10000)
            apr_snprintf(id + 1, 6, "%c%c%cb", 0xe0 | point >> 12, 0x80 | (point >> 6 & 0x3f),
                         0x80 | (point & 0x3f));
        else
            apr_snprintf(id + 1, 6, "%c%c%c%cb", 0xf0 | point >> 18, 0x80 | (point >> 12 & 0x3f),
                         0x80 | (point >> 6 & 0x3f), 0x80 | (point & 0x3f));
        if (!same(cache, render, form("challenge", id, NULL, p), p))
            CU_FAIL("a character has changed");
        apr_pool_destroy(p);
    }
}

/* The stylesheet of a theme that does more with a value than copy it runs each time. */
static void test_unfit(void)
{
    static const char *const sheets[] = {
        "<p><xsl:value-of select='substring(form/challenge/@value, 1, 3)'/></p>",
        "<p><xsl:value-of select='string-length(form/challenge/@value)'/></p>",
        "<p><xsl:value-of select='translate(form/challenge/@value, \"abc\", \"ABC\")'/></p>",
    };
    for (size_t i = 0; i < sizeof(sheets) / sizeof(*sheets); i++) {
        const esign_render_t *render = load(sheets[i]);
        esign_page_cache_t *cache = esign_page_cache_create(pool);
        for (int j = 0; j < 5; j++)
            CU_ASSERT(same(cache, render,
                           form(apr_psprintf(pool, "abc%d", 1 << 3 * j), "1", NULL, pool), pool));
        CU_ASSERT(!is_cached(cache, form("abc", "1", NULL, pool)));
    }
}

/* With more documents than entries, unused ones are removed, and the one in use stays. */
static void test_many(void)
{
    const esign_render_t *render = load("<p><xsl:value-of select='problem/@code'/><xsl:value-of "
                                        "select='form/challenge/@value'/></p>");
    esign_page_cache_t *cache = esign_page_cache_create(pool);
    for (int i = 0; i < 2000; i++) {
        CU_ASSERT(same(cache, render,
                       form("abc", "1", i % 4 == 3 ? "usual" : apr_itoa(pool, i / 4), pool), pool));
        if (i % 200 == 199)
            CU_ASSERT(is_cached(cache, form("def", "2", "usual", pool)) &&
                      is_cached(cache, form("def", "2", apr_itoa(pool, i / 4), pool)));
    }
    CU_ASSERT(!is_cached(cache, form("def", "2", "100", pool)));
}

typedef struct {
    esign_page_cache_t *cache;
    const esign_render_t *render;
} shared_t;

static int hammer(void *baton, apr_pool_t *p)
{
    shared_t *shared = baton;
    int right = 0;
    for (int i = 0; i < 300; i++) {
        apr_pool_t *own;
        apr_pool_create(&own, p);
        right += same(shared->cache, shared->render,
                      form(apr_psprintf(own, "c%d", i), "1", apr_itoa(own, i % 280), own), own);
        apr_pool_destroy(own);
    }
    return right;
}

static void test_threads(void)
{
    shared_t shared = { esign_page_cache_create(pool),
                        load("<p><xsl:value-of select='problem/@code'/><xsl:value-of "
                             "select='form/challenge/@value'/></p>") };
    CU_ASSERT_EQUAL(race(8, hammer, &shared, 300), 8);
}

int main(void)
{
    CU_TestInfo tests[] = { { "cached output equals rendered output", test_same },
                            { "characters beyond ASCII", test_characters },
                            { "values that are not only copied", test_unfit },
                            { "more documents than entries", test_many },
                            { "threads", test_threads },
                            CU_TEST_INFO_NULL };
    apr_pool_t *whole;
    char path[sizeof(folder) + 8];
    apr_initialize();
    apr_pool_create(&whole, NULL);
    esign_render_init(whole);
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    snprintf(path, sizeof(path), "%s/xsl", folder);
    if (mkdir(path, 0700) != 0)
        return EXIT_FAILURE;
    int status = suite_run("page_cache", tests);
    rmdir(path);
    rmdir(folder);
    return status;
}
