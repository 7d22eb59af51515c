/* SPDX-License-Identifier: Apache-2.0 */
/* digits.h: what may stand between the digits of a number that somebody typed or pasted. */
#ifndef ESIGN_CORE_DIGITS_H
#define ESIGN_CORE_DIGITS_H

#include <apr.h>

/* The bytes of the separator that `text` (UTF-8) begins with: a space of any width, a hyphen, a
 * dot, or one of the invisible marks that pasted text brings along. 0: none. */
apr_size_t esign_digits_separator(const char *text);

#endif
