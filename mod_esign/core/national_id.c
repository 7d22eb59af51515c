/* SPDX-License-Identifier: Apache-2.0 */
/* national_id.c: the schemes of identity numbers, and the check of a typed text. */
#include "national_id.h"

#include "digits.h"

#include <apr_strings.h>
#include <string.h>

/* The check digits of a Turkish number. */
static int is_tckn(const char *digits)
{
    int odd = 0, even = 0;
    for (int i = 0; i < 9; i += 2)
        odd += digits[i] - '0';
    for (int i = 1; i < 8; i += 2)
        even += digits[i] - '0';
    /* `even` is at most 36; + 40 keeps the dividend positive. */
    int tenth = (odd * 7 - even + 40) % 10;
    int eleventh = (odd + even + tenth) % 10;
    return digits[0] != '0' && digits[9] - '0' == tenth && digits[10] - '0' == eleventh;
}

/* Reads a number of one or two digits at `*text`, and moves `*text` past it. 0 when `*text` has no
 * digit. */
static int read_bound(const char **text)
{
    int bound = 0;
    for (int i = 0; i < 2 && **text >= '0' && **text <= '9'; i++)
        bound = bound * 10 + *(*text)++ - '0';
    return bound;
}

esign_result_t esign_national_id_scheme(const esign_national_id_scheme_t **scheme, const char *name,
                                        apr_pool_t *p)
{
    static const esign_national_id_scheme_t tckn = { 11, 11, is_tckn };
    static const char digits[] = "digits:";
    if (strcmp(name, "tckn") == 0) {
        *scheme = &tckn;
        return ESIGN_OK;
    }
    if (strncmp(name, digits, sizeof(digits) - 1) == 0) {
        const char *rest = name + sizeof(digits) - 1;
        int min = read_bound(&rest);
        int max = *rest == '-' ? (rest++, read_bound(&rest)) : 0;
        if (*rest == '\0' && min >= 1 && min <= max && max <= ESIGN_NATIONAL_ID_MAX) {
            esign_national_id_scheme_t *made = apr_palloc(p, sizeof(*made));
            *made = (esign_national_id_scheme_t){ min, max, NULL };
            *scheme = made;
            return ESIGN_OK;
        }
    }
    return esign_result_make(
        p, APR_EINVAL, "identity number scheme",
        "\"%s\" is not a scheme: write tckn, or digits:MIN-MAX with 1 to %d digits", name,
        ESIGN_NATIONAL_ID_MAX);
}

int esign_national_id_parse(const esign_national_id_scheme_t *scheme, const char *typed,
                            char id[ESIGN_NATIONAL_ID_MAX + 1])
{
    int count = 0, clean = 1;
    while (*typed != '\0' && clean) {
        apr_size_t skip = esign_digits_separator(typed);
        if (skip == 0) {
            clean = *typed >= '0' && *typed <= '9' && count < scheme->max_digits;
            if (clean)
                id[count++] = *typed;
            skip = 1;
        }
        typed += skip;
    }
    id[count] = '\0';
    if (clean && count >= scheme->min_digits && (!scheme->valid || scheme->valid(id)))
        return 1;
    id[0] = '\0';
    return 0;
}
