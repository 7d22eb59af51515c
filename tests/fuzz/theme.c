/* SPDX-License-Identifier: Apache-2.0 */
/* theme.c: a theme's texts over ours, and its stylesheet. */
#include "fuzz.h"

#include "render/catalogue.h"
#include "render/render.h"
#include "render/stylesheet.h"

#include <libxml/xmlerror.h>

#define X(text) ((const xmlChar *)(text))

/* The merged catalogue has every text of ours, and a text has all that is filled in. */
static void texts(apr_pool_t *p)
{
    static const char *const keys[] = { "login.title", "month.1", "time.format", "theme.x",
                                        "mail.greeting" };
    static const char *const arguments[] = { "qone", "qtwo",   "qthree", "qfour", "qfive",
                                             "qsix", "qseven", "qeight", "qnine" };
    static const esign_catalogue_t *ours;
    static apr_pool_t *lasting;
    const esign_theme_t *theme;
    const esign_catalogue_t *whole;
    if (!lasting)
        apr_pool_create(&lasting, NULL);
    HOLDS(ours || !esign_failed(esign_catalogue_load(&ours, ESIGN_TEST_HTDOCS, NULL, lasting)));
    HOLDS(!esign_failed(esign_theme_open(&theme, fuzz_folder(), p)));
    esign_result_t result = esign_catalogue_load(&whole, ESIGN_TEST_HTDOCS, theme, p);
    if (esign_failed(result)) {
        HOLDS(strncmp(result.detail, fuzz_folder(), strlen(fuzz_folder())) == 0 &&
              fuzz_clean(result.detail, ""));
        return;
    }
    for (int i = 0; i < ESIGN_LANGUAGES; i++)
        for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
            const char *language = esign_catalogue_languages[i],
                       *before = esign_catalogue_text(ours, language, keys[k]);
            const char *text = esign_catalogue_text(whole, language, keys[k]),
                       *filled = esign_catalogue_format(whole, language, keys[k], arguments, 9, p);
            HOLDS((!before || text != NULL) && (text != NULL) == (filled != NULL) &&
                  (!text || fuzz_clean(text, "\t\n\r\x7f")));
            HOLDS(!text || !strstr(text, "{3}") || strstr(filled, "qthree"));
        }
    HOLDS(fuzz_clean(esign_catalogue_time(whole, "tr", apr_time_from_sec(1795529225), 0, p),
                     "\t\n\r\x7f"));
}

/* However it is written, it compiles or is refused in a sentence that names a file. */
static void stylesheet(const void *sheet, apr_size_t size, apr_pool_t *p)
{
    xsltStylesheetPtr compiled;
    const char *path = apr_pstrdup(p, fuzz_file("page.xsl", sheet, size));
    esign_result_t result = esign_stylesheet_compile(&compiled, path, ESIGN_TEST_HTDOCS "/xsl", p);
    HOLDS(esign_failed(result)
              ? !compiled && strstr(result.detail, path) && fuzz_clean(result.detail, "")
              : compiled != NULL);
}

static void be_silent(void *data, const char *format, ...)
{
    (void)data, (void)format;
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    if (size == 0)
        return;
    fuzz_libraries();
    xmlSetGenericErrorFunc(NULL, be_silent);
    if (data[0] == 'S') {
        stylesheet(data + 1, size - 1, p);
        return;
    }
    fuzz_rest_t rest = { data, size };
    const char *language = fuzz_byte(&rest) % 2 ? "messages.tr.xml" : "messages.en.xml";
    fuzz_file(language, rest.data, rest.size);
    texts(p);
    char *path = apr_pstrcat(p, fuzz_folder(), "/", language, NULL);
    remove(path);
}
