/* SPDX-License-Identifier: Apache-2.0 */
/* document.c: writes tags and escaped values, and notes the places of copied values. */
#include "document.h"

#include "core/secret.h"

#include <unistr.h>

#include <string.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define FIRST_SIZE 4096

/* Makes room for `length` bytes and a NUL, and returns the place of the first. */
static char *reserve_room(esign_document_t *d, apr_size_t length)
{
    if (d->length + length >= d->size) {
        apr_size_t size = 2 * d->size + length;
        char *bytes = esign_secret_alloc(d->pool, size);
        memcpy(bytes, d->bytes, d->length);
        d->bytes = bytes;
        d->size = size;
    }
    return d->bytes + d->length;
}

static void put_bytes(esign_document_t *d, const char *text, apr_size_t length)
{
    memcpy(reserve_room(d, length), text, length);
    d->length += length;
}

static void put_text(esign_document_t *d, const char *text)
{
    put_bytes(d, text, strlen(text));
}

/* Unescaped line ends and tabs in an attribute would be read as spaces (XML 1.0 section 3.3.3). */
const char *esign_document_escape(unsigned char c)
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
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return c < 0x20 ? "" : NULL;
    }
}

/* Writes one character beyond ASCII, and returns its length in bytes. */
static size_t put_wide(esign_document_t *d, const char *c, size_t left)
{
    ucs4_t point;
    int size = u8_mbtoucr(&point, (const uint8_t *)c, left);
    if (size <= 0)
        put_text(d, "\xef\xbf\xbd");
    else if (point != 0xfffe && point != 0xffff)
        put_bytes(d, c, (apr_size_t)size);
    return size > 0 ? (size_t)size : 1;
}

static void put_escaped(esign_document_t *d, const char *text)
{
    const char *stop = text + strlen(text);
    reserve_room(d, (apr_size_t)(stop - text));
    while (text < stop) {
        const char *plain = text, *escape = NULL;
        while (text < stop && (unsigned char)*text < 0x80 &&
               (escape = esign_document_escape((unsigned char)*text)) == NULL)
            text++;
        put_bytes(d, plain, (apr_size_t)(text - plain));
        if (escape) {
            put_text(d, escape);
            text++;
        } else if (text < stop) {
            text += put_wide(d, text, (size_t)(stop - text));
        }
    }
}

/* Ends the tag of the last element by `close`, if it is still open. */
static void end_tag(esign_document_t *d, const char *close)
{
    if (d->in_tag)
        put_text(d, close);
    d->in_tag = 0;
}

/* Ends the innermost element. */
static void end_element(esign_document_t *d)
{
    const char *name = *(const char **)apr_array_pop(d->open);
    if (d->in_tag) {
        end_tag(d, "/>");
        return;
    }
    put_text(d, "</");
    put_text(d, name);
    put_text(d, ">");
}

static void begin_element(esign_document_t *d, const char *name)
{
    end_tag(d, ">");
    put_text(d, "<");
    put_text(d, name);
    APR_ARRAY_PUSH(d->open, const char *) = name;
    d->in_tag = 1;
}

esign_document_t *esign_document_new(const char *root, apr_pool_t *p)
{
    esign_document_t *d = apr_pcalloc(p, sizeof(*d));
    d->pool = p;
    d->size = FIRST_SIZE;
    d->bytes = esign_secret_alloc(p, d->size);
    d->open = apr_array_make(p, 8, sizeof(const char *));
    put_text(d, DECLARATION);
    begin_element(d, root);
    return d;
}

int esign_document_element(esign_document_t *d, int parent, const char *name)
{
    while (d->open->nelts > parent + 1)
        end_element(d);
    begin_element(d, name);
    return parent + 1;
}

/* Whether output methods write these bytes unchanged, in texts and in attributes. */
static int is_plain(const char *bytes, apr_size_t length)
{
    for (; length > 0; bytes++, length--)
        if (!((*bytes >= 'a' && *bytes <= 'z') || (*bytes >= 'A' && *bytes <= 'Z') ||
              (*bytes >= '0' && *bytes <= '9') || (unsigned char)*bytes >= 0x80 ||
              strchr("-_.,:/?=*+ ", *bytes)))
            return 0;
    return 1;
}

/* Notes that the value from `at` to the end is copied. Not an empty value: stylesheets test for it.
 */
static void note_copy(esign_document_t *d, apr_size_t at)
{
    apr_size_t length = d->length - at;
    if (length == 0 || d->count < 0)
        return;
    if (d->count == ESIGN_DOCUMENT_COPIES || !is_plain(d->bytes + at, length))
        d->count = -1;
    else
        d->copies[d->count++] = (esign_document_copy_t){ at, length };
}

void esign_document_attribute(esign_document_t *d, const char *name, const char *value)
{
    int copied = *name == '~';
    put_text(d, " ");
    put_text(d, name + copied);
    put_text(d, "=\"");
    apr_size_t at = d->length;
    put_escaped(d, value);
    if (copied)
        note_copy(d, at);
    put_text(d, "\"");
}

void esign_document_text(esign_document_t *d, const char *text)
{
    end_tag(d, ">");
    put_escaped(d, text);
}

void esign_document_copied_text(esign_document_t *d, const char *text)
{
    end_tag(d, ">");
    apr_size_t at = d->length;
    put_escaped(d, text);
    note_copy(d, at);
}

void esign_document_finish(esign_document_t *d)
{
    while (d->open->nelts > 0)
        end_element(d);
    put_text(d, "\n");
    d->bytes[d->length] = '\0';
}
