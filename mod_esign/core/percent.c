/* SPDX-License-Identifier: Apache-2.0 */
/* percent.c: writes and reads percent-encoded texts. */
#include "percent.h"
#include "secret.h"

static int is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* The value of a hexadecimal digit; -1 for other characters. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *esign_percent_put_byte(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    if (is_unreserved(byte)) {
        *to++ = (char)byte;
    } else {
        *to++ = '%';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return to;
}

char *esign_percent_put(char *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        to = esign_percent_put_byte(to, *c);
    return to;
}

char *esign_percent_decode(apr_pool_t *p, const char *from, const char *end)
{
    char *text = esign_secret_alloc(p, (apr_size_t)(end - from) + 1);
    char *to = text;
    for (; from < end; from++) {
        char c = *from;
        if (c == '%') {
            if (end - from < 3 || hex_value(from[1]) < 0 || hex_value(from[2]) < 0)
                return NULL;
            c = (char)(hex_value(from[1]) * 16 + hex_value(from[2]));
            from += 2;
        }
        if (c == '\0')
            return NULL;
        *to++ = c;
    }
    return text;
}
