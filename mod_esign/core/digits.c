/* SPDX-License-Identifier: Apache-2.0 */
/* digits.c: the table of separators. */
#include "digits.h"

#include <string.h>
#include <unistr.h>

static int is_separator(ucs4_t point)
{
    /* 2000 to 2015: spaces, zero-width marks, marks of direction, hyphens and dashes. 202a to 202f
     * and 2066 to 2069: marks of direction, which contact lists put around numbers. */
    static const ucs4_t ranges[][2] = {
        { '\t', '\t' },     { ' ', ' ' },       { '-', '.' },
        { 0xa0, 0xa0 },     { 0x2000, 0x2015 }, { 0x202a, 0x202f },
        { 0x205f, 0x2060 }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff }
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return 1;
    return 0;
}

apr_size_t esign_digits_separator(const char *text)
{
    ucs4_t point;
    int size = u8_strmbtouc(&point, (const uint8_t *)text);
    return size > 0 && is_separator(point) ? (apr_size_t)size : 0;
}
