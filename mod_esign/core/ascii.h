/* SPDX-License-Identifier: Apache-2.0 */
/* ascii.h: whether a text is ASCII. */
#ifndef ESIGN_CORE_ASCII_H
#define ESIGN_CORE_ASCII_H

#include <apr.h>

/* Returns 1 when all bytes are ASCII. The time depends on the length alone, because the text may be
 * secret. */
static inline int esign_ascii(const char *text, apr_size_t length)
{
    unsigned char all = 0;
    for (apr_size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

#endif
