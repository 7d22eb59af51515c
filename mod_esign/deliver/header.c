/* SPDX-License-Identifier: Apache-2.0 */
/* header.c: writes header fields of a mail (RFC 5322, RFC 2047). */
#include "header.h"

#include "core/base64.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <string.h>
#include <unistr.h>

#define LONGEST_LINE 76
/* Bytes of text in an encoded word. In base64 they are 60 characters, and 72 with =?UTF-8?B? and
 * ?=; RFC 2047 section 2 allows 75. */
#define WORD_BYTES 45
/* An encoded word with the line break before it. */
#define WORD_ROOM (4 + 3 + 10 + WORD_BYTES / 3 * 4 + 2)

int esign_header_safe(const char *text)
{
    if (u8_check((const uint8_t *)text, strlen(text)) != NULL)
        return 0;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        int c1_control = c[0] == 0xC2 && c[1] < 0xA0;
        int separator = c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9);
        if (*c < ' ' || *c == 0x7F || c1_control || separator)
            return 0;
    }
    return 1;
}

/* Whether a text needs no encoding: it is printable ASCII, and no reader takes it for an encoded
 * word. */
static int is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            return 0;
    }
    return strstr(text, "=?") == NULL;
}

/* How many bytes of `text` go into one encoded word: whole characters. */
static apr_size_t word_bytes(const char *text)
{
    apr_size_t length = strlen(text);
    if (length <= WORD_BYTES)
        return length;
    length = WORD_BYTES;
    while (length > WORD_BYTES - 3 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* Makes encoded words, each on a line of its own: so no line is too long, whatever the field's name
 * is. */
static char *encoded_words(apr_pool_t *p, const char *text)
{
    char *words = esign_secret_alloc(p, (strlen(text) / (WORD_BYTES - 3) + 1) * WORD_ROOM + 1);
    char *end = words;
    while (*text != '\0') {
        apr_size_t take = word_bytes(text);
        end = apr_cpystrn(end, words == end ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?", 14);
        end = apr_cpystrn(end, esign_base64_encode(p, text, take), WORD_ROOM);
        end = apr_cpystrn(end, "?=", 3);
        text += take;
    }
    return words;
}

/* Makes "NAME: MIDDLE END" in secret memory. */
static char *join_field(apr_pool_t *p, const char *name, const char *middle, const char *end)
{
    const char *joined = apr_pstrcat(p, name, ": ", middle, end, NULL);
    return esign_secret_copy(p, joined, strlen(joined));
}

char *esign_header_text(apr_pool_t *p, const char *name, const char *text)
{
    if (is_plain(text) && strlen(name) + 2 + strlen(text) <= LONGEST_LINE)
        return join_field(p, name, text, "");
    return join_field(p, name, "\r\n ", encoded_words(p, text));
}

/* Makes a quoted string (RFC 5322 section 3.2.4). */
static char *quote_text(apr_pool_t *p, const char *text)
{
    char *string = esign_secret_alloc(p, strlen(text) * 2 + 3), *end = string;
    *end++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *end++ = '\\';
        *end++ = *text;
    }
    *end = '"';
    return string;
}

char *esign_header_mailbox(apr_pool_t *p, const char *name, const char *display_name,
                           const char *address)
{
    const char *angle = apr_pstrcat(p, "<", address, ">", NULL);
    if (*display_name == '\0')
        return join_field(p, name, address, "");
    const char *string = quote_text(p, display_name);
    if (is_plain(display_name) && strlen(name) + 2 + strlen(string) <= LONGEST_LINE)
        return join_field(p, name, string, apr_pstrcat(p, "\r\n ", angle, NULL));
    return join_field(p, name, "\r\n ",
                      apr_pstrcat(p, encoded_words(p, display_name), "\r\n ", angle, NULL));
}

const char *esign_header_date(apr_pool_t *p, apr_time_t time)
{
    char text[APR_RFC822_DATE_LEN];
    apr_rfc822_date(text, time);
    /* APR writes the zone as GMT, which is obsolete (RFC 5322 section 4.3). */
    return apr_psprintf(p, "Date: %.*s+0000", (int)(strlen(text) - 3), text);
}
