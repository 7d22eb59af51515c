/* SPDX-License-Identifier: Apache-2.0 */
/* stylesheet.c: lends libxslt a loader and an ear while it compiles. */
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
    const char *error; /* NULL: nothing is wrong */
    int messages;      /* how many stand in it */
} compilation_t;

/* libxslt's loader and error function are the whole process's. Ours stand there only while one
 * compiles, and only that thread's calls are ours: others, of other modules too, go on to what
 * stood there before. */
static pthread_mutex_t lending = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local compilation_t *current;
static xsltDocLoaderFunc loader_before;
static xmlGenericErrorFunc error_before;
static void *error_context_before;

/* libxslt says first where and then what; of a pattern first what and then where; of a file that
 * was not read, who asked for it. */
#define MESSAGES 4

static void complain(compilation_t *c, const char *error)
{
    if (*error && c->messages++ < MESSAGES)
        c->error = c->error ? apr_pstrcat(c->pool, c->error, ": ", error, NULL) : error;
}

static void hear(void *data, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (current) {
        compilation_t *c = current;
        char *text = apr_pvsprintf(c->pool, format, arguments);
        text[strcspn(text, "\n")] = '\0';
        complain(c, text);
    } else {
        char text[1024];
        apr_vsnprintf(text, sizeof(text), format, arguments);
        error_before(error_context_before, "%s", text);
    }
    va_end(arguments);
    (void)data;
}

/* libxml2's own. The parser's first is the one that matters; XPath's name no place, and libxslt
 * tells of them with one. */
static void hear_parser(void *data, xmlErrorPtr error)
{
    compilation_t *c = data;
    if (error->domain == XML_FROM_PARSER && error->file && error->message && !c->error)
        complain(
            c, apr_psprintf(c->pool, "%s:%d: %s", error->file, error->line,
                            apr_pstrndup(c->pool, error->message, strcspn(error->message, "\n"))));
}

static xmlDocPtr read_sheet(compilation_t *c, const char *path, xmlDictPtr dictionary)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (dictionary) { /* that of the stylesheet which includes this one: libxslt compares names by
                         address */
        xmlDictFree(parser->dict);
        parser->dict = dictionary;
        xmlDictReference(dictionary);
    }
    xmlDocPtr document = xmlCtxtReadFile(parser, path, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (!document && !c->error)
        complain(c, apr_psprintf(c->pool, "%s cannot be read", path));
    if (document && document->intSubset) {
        complain(c,
                 apr_psprintf(c->pool, "%s: a document type declaration cannot stand here", path));
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    return document;
}

/* Stylesheets, included ones too, come from files: libxslt's own loader would fetch them over the
 * network. */
static xmlDocPtr load(const xmlChar *address, xmlDictPtr dictionary, int options, void *context,
                      xsltLoadType type)
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

static xsltStylesheetPtr compile(compilation_t *c, const char *path)
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

static xsltStylesheetPtr compile_with_ours(compilation_t *c, const char *path)
{
    xmlStructuredErrorFunc structured = xmlStructuredError; /* this thread's */
    void *structured_context = xmlStructuredErrorContext;
    pthread_mutex_lock(&lending);
    loader_before = xsltDocDefaultLoader;
    error_before = xsltGenericError;
    error_context_before = xsltGenericErrorContext;
    current = c;
    xsltSetLoaderFunc(load);
    xsltSetGenericErrorFunc(error_context_before, hear);
    xmlSetStructuredErrorFunc(c, hear_parser);
    xsltStylesheetPtr sheet = compile(c, path);
    xmlSetStructuredErrorFunc(structured_context, structured);
    xsltSetGenericErrorFunc(error_context_before, error_before);
    xsltSetLoaderFunc(loader_before);
    current = NULL;
    pthread_mutex_unlock(&lending);
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
    *sheet = compile_with_ours(&c, path);
    if (!*sheet)
        return esign_result_make(p, APR_EINVAL, "stylesheet", "%s cannot be compiled: %s", path,
                                 c.error ? c.error : "it is no stylesheet");
    apr_pool_cleanup_register(p, *sheet, free_sheet, apr_pool_cleanup_null);
    return ESIGN_OK;
}
