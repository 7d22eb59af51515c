/* SPDX-License-Identifier: Apache-2.0 */
/* form.c: the body of a POST, and the record codec under it. */
#include "fuzz.h"

#include "core/record.h"

#include <unistr.h>

/* Written and read again, a table is what it was: names, values and order. */
static void round_trip(const apr_table_t *values, apr_pool_t *p)
{
    const char *text = esign_record_encode(p, values);
    HOLDS(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&") ==
          strlen(text));
    const apr_table_t *again = esign_record_decode(p, text, strlen(text));
    HOLDS(again != NULL);
    const apr_array_header_t *one = apr_table_elts(values), *two = apr_table_elts(again);
    HOLDS(one->nelts == two->nelts && one->nelts <= 64);
    for (int i = 0; i < one->nelts; i++) {
        const apr_table_entry_t *a = &APR_ARRAY_IDX(one, i, apr_table_entry_t),
                                *b = &APR_ARRAY_IDX(two, i, apr_table_entry_t);
        HOLDS(strcmp(a->key, b->key) == 0 && strcmp(a->val, b->val) == 0);
        HOLDS(apr_table_get(values, a->key) == a->val); /* each name once */
    }
}

static int number_holds(void *values, const char *name, const char *value)
{
    apr_int64_t number = esign_record_number(values, name, 7);
    if (number != 7) {
        esign_record_set_number(values, name, number);
        HOLDS(esign_record_number(values, name, 7) == number);
    } else {
        HOLDS(esign_record_number(values, name, 8) == 8 || apr_atoi64(value) == 7);
    }
    return 1;
}

static int utf8_holds(void *size, const char *name, const char *value)
{
    HOLDS(u8_check((const uint8_t *)name, strlen(name)) == NULL &&
          u8_check((const uint8_t *)value, strlen(value)) == NULL);
    HOLDS(strlen(name) + strlen(value) < *(apr_size_t *)size);
    return 1;
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    char *body = apr_pmemdup(p, data ? data : "", size);
    apr_table_t *record = esign_record_decode(p, body, size);
    if (record)
        round_trip(record, p);
    apr_table_t *fields = esign_record_decode_form(p, body, size);
    if (!fields)
        return;
    HOLDS(record != NULL && memchr(data ? data : "", '\0', size) == NULL);
    apr_table_do(utf8_holds, &size, fields, NULL);
    round_trip(fields, p);
    apr_table_t *numbers = apr_table_copy(p, fields);
    apr_table_do(number_holds, numbers, fields, NULL);
}
