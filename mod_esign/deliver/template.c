/* SPDX-License-Identifier: Apache-2.0 */
/* template.c: finds placeholders and fills them in, escaped for the place where they stand. */
#include "deliver/template.h"

#include "core/secret.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define LONGEST_ESCAPE 6   /* \u0001 and &quot; */

/* The length of the placeholder at the start of `text`, braces included; 0: there is none. */
static apr_size_t placeholder(const char *text)
{
    if (*text != '{')
        return 0;
    apr_size_t letters = strspn(text + 1, LETTERS);
    return letters > 0 && text[1 + letters] == '}' ? letters + 2 : 0;
}

static int is(const char *text, apr_size_t length, const char *name)
{
    return strlen(name) == length && strncmp(text, name, length) == 0;
}

esign_result_t esign_template_check(apr_pool_t *p, const char *pattern, int *found)
{
    while (*pattern != '\0') {
        apr_size_t length = placeholder(pattern);
        if (length == 0) {
            pattern++;
            continue;
        }
        if (is(pattern, length, "{number}") || is(pattern, length, "{digits}"))
            *found |= ESIGN_TEMPLATE_HAS_NUMBER;
        else if (is(pattern, length, "{text}"))
            *found |= ESIGN_TEMPLATE_HAS_TEXT;
        else if (is(pattern, length, "{secret}"))
            *found |= ESIGN_TEMPLATE_HAS_SECRET;
        else
            return esign_result_make(p, APR_EINVAL, "SMS gateway", "%.*s is no placeholder; use {number}, {digits}, {text} and {secret}",
                                     (int)length, pattern);
        pattern += length;
    }
    return ESIGN_OK;
}

static const char *value_of(const char *name, apr_size_t length, const esign_template_values_t *values)
{
    if (is(name, length, "{number}"))
        return values->number;
    if (is(name, length, "{digits}"))
        return values->number + strspn(values->number, "+");
    if (is(name, length, "{text}"))
        return values->text;
    return is(name, length, "{secret}") && values->secret != NULL ? values->secret : "";
}

static int unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

static const char *xml_escape(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return "&#10;";   /* in an attribute a bare one would be read as a space */
    default:
        return NULL;
    }
}

/* Writes one byte of a value; at most LONGEST_ESCAPE bytes and a NUL. Returns the end. */
static char *put(char *to, unsigned char c, esign_template_escape_e escape)
{
    if (escape == ESIGN_TEMPLATE_PERCENT && !unreserved(c))
        return to + apr_snprintf(to, LONGEST_ESCAPE + 1, "%%%02X", c);
    if (escape == ESIGN_TEMPLATE_JSON && c < ' ')
        return to + apr_snprintf(to, LONGEST_ESCAPE + 1, "\\u%04x", c);
    if (escape == ESIGN_TEMPLATE_JSON && (c == '"' || c == '\\'))
        *to++ = '\\';
    const char *entity = escape == ESIGN_TEMPLATE_XML ? xml_escape(c) : NULL;
    if (entity != NULL)
        return to + apr_snprintf(to, LONGEST_ESCAPE + 1, "%s", entity);
    *to++ = (char)c;
    return to;
}

/* The most that the filled-in text can take, its NUL included. */
static apr_size_t room(const char *pattern, const esign_template_values_t *values)
{
    apr_size_t size = 1;
    while (*pattern != '\0') {
        apr_size_t length = placeholder(pattern);
        size += length > 0 ? strlen(value_of(pattern, length, values)) * LONGEST_ESCAPE + 1 : 1;
        pattern += length > 0 ? length : 1;
    }
    return size;
}

char *esign_template_fill(apr_pool_t *p, const char *pattern, const esign_template_values_t *values, esign_template_escape_e escape)
{
    char *filled = esign_secret_alloc(p, room(pattern, values));
    char *to = filled;
    while (*pattern != '\0') {
        apr_size_t length = placeholder(pattern);
        if (length > 0) {
            for (const char *c = value_of(pattern, length, values); *c != '\0'; c++)
                to = put(to, (unsigned char)*c, escape);
            pattern += length;
        }
        else {
            *to++ = *pattern++;
        }
    }
    *to = '\0';
    return filled;
}

static int ends_with(const char *text, apr_size_t length, const char *end)
{
    apr_size_t tail = strlen(end);
    return length >= tail && apr_cstr_casecmpn(text + length - tail, end, tail) == 0;
}

esign_template_escape_e esign_template_escape(const char *media_type)
{
    if (media_type == NULL)
        return ESIGN_TEMPLATE_PERCENT;
    apr_size_t length = strcspn(media_type, "; \t");
    if (ends_with(media_type, length, "/x-www-form-urlencoded"))
        return ESIGN_TEMPLATE_PERCENT;
    if (ends_with(media_type, length, "/json") || ends_with(media_type, length, "+json"))
        return ESIGN_TEMPLATE_JSON;
    if (ends_with(media_type, length, "/xml") || ends_with(media_type, length, "+xml"))
        return ESIGN_TEMPLATE_XML;
    return ESIGN_TEMPLATE_RAW;
}
