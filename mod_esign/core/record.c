/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: encodes a table as text, and decodes it. */
#include "record.h"
#include "percent.h"
#include "secret.h"

#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <unistr.h>

#define MAX_VALUES 64

char *esign_record_encode(apr_pool_t *p, const apr_table_t *values)
{
    const apr_array_header_t *all = apr_table_elts(values);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)all->elts;
    apr_size_t size = 1;
    for (int i = 0; i < all->nelts; i++)
        size += ESIGN_PERCENT_LONGEST * (strlen(entries[i].key) + strlen(entries[i].val)) + 2;

    char *text = esign_secret_alloc(p, size);
    char *end = text;
    for (int i = 0; i < all->nelts; i++) {
        if (i > 0)
            *end++ = '&';
        end = esign_percent_put(end, entries[i].key);
        *end++ = '=';
        end = esign_percent_put(end, entries[i].val);
    }
    return text;
}

apr_table_t *esign_record_decode(apr_pool_t *p, const char *text, apr_size_t length)
{
    apr_table_t *values = apr_table_make(p, 8);
    const char *end = text + length;
    for (int count = 0; length > 0; count++) {
        const char *pair_end = memchr(text, '&', (apr_size_t)(end - text));
        if (!pair_end)
            pair_end = end;
        const char *equals = memchr(text, '=', (apr_size_t)(pair_end - text));
        if (!equals || count == MAX_VALUES)
            return NULL;
        const char *name = esign_percent_decode(p, text, equals);
        const char *value = esign_percent_decode(p, equals + 1, pair_end);
        if (!name || !value || apr_table_get(values, name) != NULL)
            return NULL;
        apr_table_addn(values, name, value);
        if (pair_end == end)
            break;
        text = pair_end + 1;
    }
    return values;
}

static int is_utf8(void *baton, const char *name, const char *value)
{
    (void)baton;
    return u8_check((const uint8_t *)name, strlen(name)) == NULL &&
           u8_check((const uint8_t *)value, strlen(value)) == NULL;
}

apr_table_t *esign_record_decode_form(apr_pool_t *p, char *body, apr_size_t length)
{
    /* Browsers escape a + of the user's, and escape or replace a space, so each unescaped + is a
     * space. */
    for (apr_size_t i = 0; i < length; i++)
        if (body[i] == '+')
            body[i] = ' ';
    apr_table_t *fields = esign_record_decode(p, body, length);
    return fields && apr_table_do(is_utf8, NULL, fields, NULL) ? fields : NULL;
}

apr_int64_t esign_record_number(const apr_table_t *values, const char *name, apr_int64_t otherwise)
{
    const char *text = apr_table_get(values, name);
    if (!text)
        return otherwise;
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return otherwise;
    errno = 0;
    apr_int64_t number = apr_strtoi64(text, NULL, 10);
    return errno == 0 ? number : otherwise;
}

void esign_record_set_number(apr_table_t *values, const char *name, apr_int64_t number)
{
    char text[24];
    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, number);
    apr_table_set(values, name, text);
}
