/* SPDX-License-Identifier: Apache-2.0 */
/* template.c: finds placeholders, and fills in their values with the right escapes. */
#include "template.h"

#include "core/percent.h"
#include "core/secret.h"
#include "render/document.h"

#include <apr_cstr.h>
#include <apr_strings.h>

#include <stddef.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define ESCAPE_MAX 6 /* \u0001 and &quot; */

/* The length of the placeholder at the start of `text`, braces included; 0: there is none. */
static apr_size_t placeholder_length(const char *text)
{
    if (*text != '{')
        return 0;
    apr_size_t letters = strspn(text + 1, LETTERS);
    return letters > 0 && text[1 + letters] == '}' ? letters + 2 : 0;
}

/* The placeholders, the bit of each, and which member has its value. */
static const struct {
    const char *name;
    int bit;
    apr_size_t value;
} placeholders[] = {
    { "{number}", ESIGN_TEMPLATE_HAS_NUMBER, offsetof(esign_template_values_t, number) },
    { "{digits}", ESIGN_TEMPLATE_HAS_NUMBER, offsetof(esign_template_values_t, number) },
    { "{text}", ESIGN_TEMPLATE_HAS_TEXT, offsetof(esign_template_values_t, text) },
    { "{secret}", ESIGN_TEMPLATE_HAS_SECRET, offsetof(esign_template_values_t, secret) },
    { "{basic}", ESIGN_TEMPLATE_HAS_BASIC, offsetof(esign_template_values_t, basic) },
    { "{report}", ESIGN_TEMPLATE_HAS_REPORT, offsetof(esign_template_values_t, report) },
};

enum { PLACEHOLDERS = sizeof(placeholders) / sizeof(*placeholders), DIGITS = 1 };

/* The index of a placeholder; PLACEHOLDERS: there is no such one. */
static int find_placeholder(const char *text, apr_size_t length)
{
    int i = 0;
    while (i < PLACEHOLDERS && (strlen(placeholders[i].name) != length ||
                                strncmp(text, placeholders[i].name, length) != 0))
        i++;
    return i;
}

esign_result_t esign_template_check(apr_pool_t *p, const char *pattern, int *found)
{
    while (*pattern != '\0') {
        apr_size_t length = placeholder_length(pattern);
        int i = length > 0 ? find_placeholder(pattern, length) : 0;
        if (i == PLACEHOLDERS)
            return esign_result_make(p, APR_EINVAL, "SMS gateway",
                                     "%.*s is no placeholder; use {number}, {digits}, {text}, "
                                     "{secret}, {basic} and {report}",
                                     (int)length, pattern);
        if (length > 0)
            *found |= placeholders[i].bit;
        pattern += length > 0 ? length : 1;
    }
    return ESIGN_OK;
}

static const char *value_of(const char *name, apr_size_t length,
                            const esign_template_values_t *values)
{
    int i = find_placeholder(name, length);
    const char *value = i == PLACEHOLDERS
                            ? NULL
                            : *(const char *const *)((const char *)values + placeholders[i].value);
    if (value && i == DIGITS)
        value += strspn(value, "+");
    return value ? value : "";
}

/* Writes one byte of a value; at most ESCAPE_MAX bytes and a NUL. Returns the end. */
static char *put_byte(char *to, unsigned char c, esign_template_escape_e escape)
{
    if (escape == ESIGN_TEMPLATE_PERCENT)
        return esign_percent_put_byte(to, c);
    if (escape == ESIGN_TEMPLATE_JSON && c < ' ')
        return to + apr_snprintf(to, ESCAPE_MAX + 1, "\\u%04x", c);
    if (escape == ESIGN_TEMPLATE_JSON && (c == '"' || c == '\\'))
        *to++ = '\\';
    const char *entity = escape == ESIGN_TEMPLATE_XML ? esign_document_escape(c) : NULL;
    if (entity)
        return to + apr_snprintf(to, ESCAPE_MAX + 1, "%s", entity);
    *to++ = (char)c;
    return to;
}

/* How many bytes the filled-in text takes at most, with its NUL. */
static apr_size_t filled_size_max(const char *pattern, const esign_template_values_t *values)
{
    apr_size_t size = 1;
    while (*pattern != '\0') {
        apr_size_t length = placeholder_length(pattern);
        size += length > 0 ? strlen(value_of(pattern, length, values)) * ESCAPE_MAX + 1 : 1;
        pattern += length > 0 ? length : 1;
    }
    return size;
}

char *esign_template_fill(apr_pool_t *p, const char *pattern, const esign_template_values_t *values,
                          esign_template_escape_e escape)
{
    char *filled = esign_secret_alloc(p, filled_size_max(pattern, values));
    char *to = filled;
    while (*pattern != '\0') {
        apr_size_t length = placeholder_length(pattern);
        if (length > 0) {
            for (const char *c = value_of(pattern, length, values); *c != '\0'; c++)
                to = put_byte(to, (unsigned char)*c, escape);
            pattern += length;
        } else {
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
    if (!media_type)
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
