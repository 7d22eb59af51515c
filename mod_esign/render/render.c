/* SPDX-License-Identifier: Apache-2.0 */
/* render.c: compiles the stylesheets of a folder, and transforms documents by them. */
#include "render.h"

#include "core/secret.h"
#include "functions.h"
#include "stylesheet.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltutils.h>

#include <unistr.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct esign_render_t {
    const esign_theme_t *theme; /* NULL: none */
    const esign_catalogue_t *catalogue;
    apr_hash_t *sheets;             /* name -> xsltStylesheetPtr */
    xsltSecurityPrefsPtr forbidden; /* all reading and writing */
};

static const char *const sheet_names[] = { "page", "mail-html", "mail-text", "sms", "form" };

/* The memory functions of libxml2. */
typedef struct {
    xmlFreeFunc free;
    xmlMallocFunc malloc;
    xmlReallocFunc realloc;
    xmlStrdupFunc strdup;
} memory_t;

/* Those before esign_render_init. */
static memory_t memory_before;

static memory_t get_memory(void)
{
    memory_t now;
    xmlMemGet(&now.free, &now.malloc, &now.realloc, &now.strdup);
    return now;
}

/* Restores the functions, unless another module has replaced ours meanwhile. */
static apr_status_t restore_memory(void *nothing)
{
    (void)nothing;
    if (get_memory().free == esign_secret_free)
        xmlMemSetup(memory_before.free, memory_before.malloc, memory_before.realloc,
                    memory_before.strdup);
    return APR_SUCCESS;
}

/* libxml2 serves the whole process. Blocks that other modules allocated before are freed by our
 * function, and blocks of ours may later be freed by the one before. That works only while all of
 * them are malloc's blocks, whose size malloc_usable_size tells. */
esign_result_t esign_render_init(apr_pool_t *p)
{
    memory_t now = get_memory();
    if (now.free == esign_secret_free)
        return ESIGN_OK;
    if (now.free != free || now.malloc != malloc || now.realloc != realloc)
        return (esign_result_t){ APR_EEXIST, "libxml2",
                                 "another module gives it memory of its own, which cannot be "
                                 "overwritten: load that module in another httpd" };
    memory_before = now;
    xmlMemSetup(esign_secret_free, now.malloc, esign_secret_realloc, now.strdup);
    apr_pool_cleanup_register(p, NULL, restore_memory, apr_pool_cleanup_null);
    xmlInitParser();
    xsltInit();
    return ESIGN_OK;
}

static apr_status_t free_prefs(void *prefs)
{
    xsltFreeSecurityPrefs(prefs);
    return APR_SUCCESS;
}

static xsltSecurityPrefsPtr forbid_all(apr_pool_t *p)
{
    static const xsltSecurityOption options[] = { XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE,
                                                  XSLT_SECPREF_CREATE_DIRECTORY,
                                                  XSLT_SECPREF_READ_NETWORK,
                                                  XSLT_SECPREF_WRITE_NETWORK };
    xsltSecurityPrefsPtr prefs = xsltNewSecurityPrefs();
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        xsltSetSecurityPrefs(prefs, options[i], xsltSecurityForbid);
    apr_pool_cleanup_register(p, prefs, free_prefs, apr_pool_cleanup_null);
    return prefs;
}

static esign_result_t load_sheets(esign_render_t *render, const char *folder, apr_pool_t *p)
{
    const char *ours = apr_pstrcat(p, folder, "/xsl", NULL);
    render->sheets = apr_hash_make(p);
    for (size_t i = 0; i < sizeof(sheet_names) / sizeof(*sheet_names); i++) {
        xsltStylesheetPtr sheet;
        const char *own =
            esign_theme_file(render->theme, apr_psprintf(p, "xsl/%s.xsl", sheet_names[i]), p);
        esign_result_t result = esign_stylesheet_compile(
            &sheet, own ? own : apr_psprintf(p, "%s/%s.xsl", ours, sheet_names[i]), ours, p);
        if (esign_failed(result))
            return result;
        apr_hash_set(render->sheets, sheet_names[i], APR_HASH_KEY_STRING, sheet);
    }
    return ESIGN_OK;
}

esign_result_t esign_render_load(const esign_render_t **render, const char *folder,
                                 const char *theme, apr_pool_t *p)
{
    esign_render_t *made = apr_pcalloc(p, sizeof(*made));
    esign_result_t result = esign_theme_open(&made->theme, theme, p);
    if (!esign_failed(result))
        result = esign_catalogue_load(&made->catalogue, folder, made->theme, p);
    if (!esign_failed(result))
        result = load_sheets(made, folder, p);
    if (esign_failed(result))
        return result;
    made->forbidden = forbid_all(p);
    *render = made;
    return ESIGN_OK;
}

const esign_catalogue_t *esign_render_catalogue(const esign_render_t *render)
{
    return render->catalogue;
}

/* Receives libxslt's messages of one transformation. Only the first two count: they give the place
 * and the error. */
static void receive_error(void *data, const char *format, ...)
{
    esign_functions_call_t *call = data;
    va_list arguments;
    va_start(arguments, format);
    char *text = apr_pvsprintf(call->pool, format, arguments);
    va_end(arguments);
    text[strcspn(text, "\n")] = '\0';
    if (*text && call->messages++ < 2)
        call->error = call->error ? apr_pstrcat(call->pool, call->error, ": ", text, NULL) : text;
}

static apr_status_t free_document(void *data)
{
    xmlFreeDoc(data);
    return APR_SUCCESS;
}

static xmlDocPtr apply_sheet(const esign_render_t *render, xsltStylesheetPtr sheet,
                             xmlDocPtr document, esign_functions_call_t *call)
{
    xsltTransformContextPtr context = xsltNewTransformContext(sheet, document);
    context->_private = call;
    xsltSetTransformErrorFunc(context, call, receive_error);
    xsltSetCtxtSecurityPrefs(render->forbidden, context);
    esign_functions_register(context);
    xmlDocPtr result = xsltApplyStylesheetUser(sheet, document, NULL, NULL, NULL, context);
    if (context->state != XSLT_STATE_OK && !call->error)
        call->error = "the transformation was stopped";
    xsltFreeTransformContext(context);
    return result;
}

esign_result_t esign_render_transform(const esign_render_t *render, const char *name,
                                      xmlDocPtr document, char **output, apr_size_t *length,
                                      apr_pool_t *p)
{
    xsltStylesheetPtr sheet = apr_hash_get(render->sheets, name, APR_HASH_KEY_STRING);
    xmlNodePtr root = xmlDocGetRootElement(document);
    xmlChar *wanted = root ? xmlGetNoNsProp(root, (const xmlChar *)"lang") : NULL;
    const char *language = esign_catalogue_language((const char *)wanted);
    xmlFree(wanted);
    if (!sheet || !language)
        return esign_result_make(p, APR_EINVAL, "stylesheet", "%s: %s", name,
                                 sheet ? "the document names no language"
                                       : "there is no stylesheet of this name");
    esign_functions_call_t call = {
        .catalogue = render->catalogue, .theme = render->theme, .language = language, .pool = p
    };
    xmlDocPtr result = apply_sheet(render, sheet, document, &call);
    xmlChar *bytes = NULL;
    int size = 0;
    if (result && !call.error)
        xsltSaveResultToString(&bytes, &size, result, sheet);
    xmlFreeDoc(result);
    if (call.error || !bytes)
        return esign_result_make(p, APR_EGENERAL, "stylesheet", "%s: %s", name,
                                 call.error ? call.error : "it made no output");
    *length = (apr_size_t)size;
    *output = esign_secret_copy(p, bytes, *length);
    xmlFree(bytes);
    return ESIGN_OK;
}

xmlDocPtr esign_render_parse(const char *bytes, apr_size_t length)
{
    if (length > INT_MAX)
        return NULL;
    xmlDocPtr document = xmlReadMemory(bytes, (int)length, NULL, NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document && document->intSubset) {
        xmlFreeDoc(document);
        return NULL;
    }
    return document;
}

xmlDocPtr esign_render_document(apr_pool_t *p, const char *root)
{
    xmlDocPtr document = xmlNewDoc((const xmlChar *)"1.0");
    xmlDocSetRootElement(document, xmlNewDocNode(document, NULL, (const xmlChar *)root, NULL));
    apr_pool_cleanup_register(p, document, free_document, apr_pool_cleanup_null);
    return document;
}

const char *esign_render_clean(apr_pool_t *p, const char *text)
{
    size_t length = strlen(text);
    char *clean = esign_secret_alloc(p, length * 3 + 1), *end = clean;
    for (const uint8_t *c = (const uint8_t *)text, *stop = c + length; c < stop;) {
        ucs4_t point;
        int size = u8_mbtoucr(&point, c, (size_t)(stop - c));
        if (size <= 0) {
            end = apr_cpystrn(end, "\xef\xbf\xbd", 4);
            c++;
            continue;
        }
        int allowed = point == '\t' || point == '\n' || point == '\r' ||
                      (point >= 0x20 && point != 0xfffe && point != 0xffff);
        if (allowed) {
            memcpy(end, c, (size_t)size);
            end += size;
        }
        c += size;
    }
    return clean;
}
