/* SPDX-License-Identifier: Apache-2.0 */
/* digits.c: knows the separators of written numbers. */
#include "digits.h"

#include <string.h>
#include <unistr.h>

static int separates(ucs4_t point)
{
    static const ucs4_t ranges[][2] = {
        { '\t', '\t' },     { ' ', ' ' },       { '-', '.' },
        { 0xa0, 0xa0 },     { 0x2000, 0x2015 }, /* spaces, zero-width marks, marks of direction,
                                                   hyphens and dashes */
        { 0x202a, 0x202f }, /* more marks of direction, as contact lists put them around numbers,
                               and the narrow no-break space */
        { 0x205f, 0x2060 }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff },
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
    return size > 0 && separates(point) ? (apr_size_t)size : 0;
}
