/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c: the extension functions of the stylesheets: each takes its arguments from libxslt's
 * stack and puts its result there. */
#include "functions.h"

#include "core/iso_time.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <libxml/xpathInternals.h>
#include <libxslt/extensions.h>
#include <libxslt/xsltutils.h>

#include <string.h>

#define NAMESPACE ((const xmlChar *)"urn:mod_esign:text")
#define ARGUMENTS_MAX 9

static esign_functions_call_t *get_call(xmlXPathParserContextPtr xpath,
                                        xsltTransformContextPtr *context)
{
    *context = xsltXPathGetTransformContext(xpath);
    return (*context)->_private;
}

/* Records an error and stops the transformation. */
static void stop_call(esign_functions_call_t *call, xsltTransformContextPtr context,
                      const char *what)
{
    if (!call->error)
        call->error = what;
    context->state = XSLT_STATE_STOPPED;
}

/* Takes the next string from the stack, copied into `p`. It may be a code, so the copy is wiped
 * with `p`. */
static const char *pop_text(xmlXPathParserContextPtr xpath, apr_pool_t *p)
{
    xmlChar *string = xmlXPathPopString(xpath);
    const char *copy = esign_secret_copy(p, string, string ? strlen((const char *)string) : 0);
    xmlFree(string);
    return copy;
}

static void push_text(xmlXPathParserContextPtr xpath, const char *text)
{
    valuePush(xpath, xmlXPathNewCString(text));
}

static void text_function(xmlXPathParserContextPtr xpath, int count)
{
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    const char *arguments[ARGUMENTS_MAX + 1];
    if (count < 1 || count > ARGUMENTS_MAX + 1) {
        xmlXPathSetArityError(xpath);
        return;
    }
    for (int i = count - 1; i >= 0; i--)
        arguments[i] = pop_text(xpath, call->pool);
    const char *text = esign_catalogue_format(call->catalogue, call->language, arguments[0],
                                              arguments + 1, count - 1, call->pool);
    if (!text)
        stop_call(call, context,
                  apr_psprintf(call->pool, "the catalogues have no key %s", arguments[0]));
    push_text(xpath, text ? text : "");
    /* With arguments, esign_catalogue_format made the text for this call; without, it is the
     * catalogue's. */
    if (text && count > 1)
        esign_secret_wipe((char *)text, strlen(text));
}

static void has_function(xmlXPathParserContextPtr xpath, int count)
{
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    if (count != 1) {
        xmlXPathSetArityError(xpath);
        return;
    }
    valuePush(xpath, xmlXPathNewBoolean(esign_catalogue_text(call->catalogue, call->language,
                                                             pop_text(xpath, call->pool)) != NULL));
}

static void format_time(xmlXPathParserContextPtr xpath, int count, int date_only)
{
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    apr_time_t time;
    if (count != 1) {
        xmlXPathSetArityError(xpath);
        return;
    }
    const char *iso = pop_text(xpath, call->pool);
    if (!esign_iso_time_parse(iso, date_only, &time)) {
        stop_call(call, context,
                  apr_psprintf(call->pool, "'%s' is not an ISO 8601 %s", iso,
                               date_only ? "date" : "UTC time"));
        push_text(xpath, "");
        return;
    }
    push_text(xpath,
              esign_catalogue_time(call->catalogue, call->language, time, date_only, call->pool));
}

static void time_function(xmlXPathParserContextPtr xpath, int count)
{
    format_time(xpath, count, 0);
}

static void date_function(xmlXPathParserContextPtr xpath, int count)
{
    format_time(xpath, count, 1);
}

static void group_function(xmlXPathParserContextPtr xpath, int count)
{
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    if (count != 2) {
        xmlXPathSetArityError(xpath);
        return;
    }
    int size = (int)xmlXPathPopNumber(xpath), in_group = 0;
    xmlChar *text = xmlXPathPopString(xpath);
    char *grouped = esign_secret_alloc(call->pool, strlen((const char *)text) * 3 + 1),
         *end = grouped;
    for (const xmlChar *c = text; *c; c++) {
        int starts = (*c & 0xc0) != 0x80;
        if (starts && size > 0 && in_group == size) {
            end = apr_cpystrn(end, "\xc2\xa0", 3);
            in_group = 0;
        }
        in_group += starts;
        *end++ = (char)*c;
    }
    xmlFree(text);
    push_text(xpath, grouped);
}

/* Counts the characters of a UTF-8 text. */
static int count_characters(const char *text, apr_size_t length)
{
    int count = 0;
    for (const char *end = text + length; text < end; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

static void wrap_function(xmlXPathParserContextPtr xpath, int count)
{
    static const char space[] = " \t\r\n";
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    if (count != 2) {
        xmlXPathSetArityError(xpath);
        return;
    }
    int width = (int)xmlXPathPopNumber(xpath), column = 0;
    const char *word = pop_text(xpath, call->pool);
    char *lines = esign_secret_alloc(call->pool, strlen(word) + 1), *end = lines;
    for (word += strspn(word, space); *word; word += strspn(word, space)) {
        apr_size_t length = strcspn(word, space);
        int wide = count_characters(word, length), fits = column + 1 + wide <= width;
        if (column > 0)
            *end++ = fits ? ' ' : '\n';
        column = column > 0 && fits ? column + 1 + wide : wide;
        memcpy(end, word, length);
        end += length;
        word += length;
    }
    push_text(xpath, lines);
}

static void static_function(xmlXPathParserContextPtr xpath, int count)
{
    xsltTransformContextPtr context;
    esign_functions_call_t *call = get_call(xpath, &context);
    if (count != 1) {
        xmlXPathSetArityError(xpath);
        return;
    }
    const char *name = pop_text(xpath, call->pool);
    push_text(xpath, esign_theme_has_static(call->theme, name)
                         ? apr_pstrcat(call->pool, "theme/", name, NULL)
                         : name);
}

void esign_functions_register(xsltTransformContextPtr context)
{
    const struct {
        const char *name;
        xmlXPathFunction function;
    } functions[] = {
        { "text", text_function },     { "has", has_function },     { "time", time_function },
        { "date", date_function },     { "group", group_function }, { "wrap", wrap_function },
        { "static", static_function },
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
        xsltRegisterExtFunction(context, (const xmlChar *)functions[i].name, NAMESPACE,
                                functions[i].function);
}
