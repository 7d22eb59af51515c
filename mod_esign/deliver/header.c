/* SPDX-License-Identifier: Apache-2.0 */
/* header.c: writes mail header fields by RFC 5322 and RFC 2047. */
#include "header.h"

#include "core/base64.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <string.h>
#include <unistr.h>

#define LONGEST_LINE 76
#define WORD_BYTES                                                                               \
    45 /* as base64 60 characters, with =?UTF-8?B? and ?= 72: under the 75 of RFC 2047 section 2 \
        */
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

static int plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            return 0;
    }
    return strstr(text, "=?") == NULL;
}

/* How many bytes of `text` one encoded word takes: whole characters only. */
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

/* Encoded words, each on a line of its own, so that no line is too long whatever the field's name.
 */
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

static char *join(apr_pool_t *p, const char *name, const char *middle, const char *end)
{
    const char *joined = apr_pstrcat(p, name, ": ", middle, end, NULL);
    return esign_secret_copy(p, joined, strlen(joined));
}

char *esign_header_text(apr_pool_t *p, const char *name, const char *text)
{
    if (plain(text) && strlen(name) + 2 + strlen(text) <= LONGEST_LINE)
        return join(p, name, text, "");
    return join(p, name, "\r\n ", encoded_words(p, text));
}

/* A quoted string (RFC 5322 section 3.2.4). */
static char *quoted(apr_pool_t *p, const char *text)
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
        return join(p, name, address, "");
    const char *string = quoted(p, display_name);
    if (plain(display_name) && strlen(name) + 2 + strlen(string) <= LONGEST_LINE)
        return join(p, name, string, apr_pstrcat(p, "\r\n ", angle, NULL));
    return join(p, name, "\r\n ",
                apr_pstrcat(p, encoded_words(p, display_name), "\r\n ", angle, NULL));
}

const char *esign_header_date(apr_pool_t *p, apr_time_t time)
{
    char text[APR_RFC822_DATE_LEN];
    apr_rfc822_date(text, time);
    /* APR writes the zone as GMT, which RFC 5322 calls obsolete. */
    return apr_psprintf(p, "Date: %.*s+0000", (int)(strlen(text) - 3), text);
}
