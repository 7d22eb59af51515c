/* SPDX-License-Identifier: Apache-2.0 */
/* stylesheet.c: compiles a stylesheet with a file loader and error functions of its own. */
#include "stylesheet.h"

#include <apr_strings.h>

#include <libxml/parser.h>
#include <libxslt/documents.h>
#include <libxslt/xsltutils.h>

#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#define TEXT(x) ((const char *)(x))
#define SCHEME "esign:"

/* One stylesheet being compiled. */
typedef struct {
    const char *ours;
    apr_pool_t *pool;
    const char *error; /* NULL: none */
    int messages;      /* how many `error` holds */
} compilation_t;

/* libxslt has one loader and one error function for the whole process. Ours are installed only
 * during a compilation, and act only on calls of the compiling thread. They pass calls of other
 * threads, which may be other modules', to the functions that were installed before. */
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local compilation_t *current; /* NULL in other threads */
static xsltDocLoaderFunc loader_before;
static xmlGenericErrorFunc error_before;
static void *error_context_before;

/* Several of libxslt's messages belong to one error: they give its place, the error itself, and for
 * a file that cannot be read the file that includes it. */
#define MESSAGES 4

static void add_error(compilation_t *c, const char *error)
{
    if (*error && c->messages++ < MESSAGES)
        c->error = c->error ? apr_pstrcat(c->pool, c->error, ": ", error, NULL) : error;
}

/* libxslt's error function. */
static void receive_message(void *data, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (current) {
        compilation_t *c = current;
        char *text = apr_pvsprintf(c->pool, format, arguments);
        text[strcspn(text, "\n")] = '\0';
        add_error(c, text);
    } else {
        char text[1024];
        apr_vsnprintf(text, sizeof(text), format, arguments);
        error_before(error_context_before, "%s", text);
    }
    va_end(arguments);
    (void)data;
}

/* libxml2's error function. It records the parser's first error. Errors of XPath have no place
 * here, and libxslt reports them with one. */
static void receive_parser_error(void *data, xmlErrorPtr error)
{
    compilation_t *c = data;
    if (error->domain == XML_FROM_PARSER && error->file && error->message && !c->error)
        add_error(
            c, apr_psprintf(c->pool, "%s:%d: %s", error->file, error->line,
                            apr_pstrndup(c->pool, error->message, strcspn(error->message, "\n"))));
}

static xmlDocPtr read_sheet(compilation_t *c, const char *path, xmlDictPtr dictionary)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    /* The dictionary of the including stylesheet: libxslt compares names by address. */
    if (dictionary) {
        xmlDictFree(parser->dict);
        parser->dict = dictionary;
        xmlDictReference(dictionary);
    }
    xmlDocPtr document = xmlCtxtReadFile(parser, path, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (!document && !c->error)
        add_error(c, apr_psprintf(c->pool, "%s cannot be read", path));
    if (document && document->intSubset) {
        add_error(c,
                  apr_psprintf(c->pool, "%s: a document type declaration cannot stand here", path));
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    return document;
}

/* libxslt's loader. It reads stylesheets from files only; libxslt's own would use the network too.
 */
static xmlDocPtr load_sheet(const xmlChar *address, xmlDictPtr dictionary, int options,
                            void *context, xsltLoadType type)
{
    const char *path = TEXT(address);
    compilation_t *c = current;
    if (!c)
        return loader_before(address, dictionary, options, context, type);
    if (strncmp(path, SCHEME, strlen(SCHEME)) == 0)
        path = apr_pstrcat(c->pool, c->ours, "/", path + strlen(SCHEME), NULL);
    else if (strstr(path, "://") && strncmp(path, "file://", 7) != 0)
        return NULL;
    return type == XSLT_LOAD_DOCUMENT ? NULL : read_sheet(c, path, dictionary);
}

static xsltStylesheetPtr compile_file(compilation_t *c, const char *path)
{
    xmlDocPtr document = read_sheet(c, path, NULL);
    xsltStylesheetPtr sheet = document ? xsltParseStylesheetDoc(document) : NULL;
    if (document && !sheet)
        xmlFreeDoc(document);
    if (!sheet || (sheet->errors == 0 && !c->error))
        return sheet;
    xsltFreeStylesheet(sheet);
    return NULL;
}

static xsltStylesheetPtr compile_locked(compilation_t *c, const char *path)
{
    xmlStructuredErrorFunc structured = xmlStructuredError; /* this thread's */
    void *structured_context = xmlStructuredErrorContext;
    pthread_mutex_lock(&installing);
    loader_before = xsltDocDefaultLoader;
    error_before = xsltGenericError;
    error_context_before = xsltGenericErrorContext;
    current = c;
    xsltSetLoaderFunc(load_sheet);
    xsltSetGenericErrorFunc(error_context_before, receive_message);
    xmlSetStructuredErrorFunc(c, receive_parser_error);
    xsltStylesheetPtr sheet = compile_file(c, path);
    xmlSetStructuredErrorFunc(structured_context, structured);
    xsltSetGenericErrorFunc(error_context_before, error_before);
    xsltSetLoaderFunc(loader_before);
    current = NULL;
    pthread_mutex_unlock(&installing);
    return sheet;
}

static apr_status_t free_sheet(void *sheet)
{
    xsltFreeStylesheet(sheet);
    return APR_SUCCESS;
}

esign_result_t esign_stylesheet_compile(xsltStylesheetPtr *sheet, const char *path,
                                        const char *ours, apr_pool_t *p)
{
    compilation_t c = { .ours = ours, .pool = p };
    *sheet = compile_locked(&c, path);
    if (!*sheet)
        return esign_result_make(p, APR_EINVAL, "stylesheet", "%s cannot be compiled: %s", path,
                                 c.error ? c.error : "it is not a stylesheet");
    apr_pool_cleanup_register(p, *sheet, free_sheet, apr_pool_cleanup_null);
    return ESIGN_OK;
}
