/* SPDX-License-Identifier: Apache-2.0 */
/* digits.h: the separators that people put between the digits of a number. */
#ifndef ESIGN_CORE_DIGITS_H
#define ESIGN_CORE_DIGITS_H

#include <apr.h>

/* The length in bytes of the separator at the start of `text` (UTF-8): a space of any width, a
 * hyphen, a dot, or an invisible mark of pasted text. 0 when there is no separator. */
apr_size_t esign_digits_separator(const char *text);

#endif
