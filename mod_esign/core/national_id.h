/* SPDX-License-Identifier: Apache-2.0 */
/* national_id.h: reads and checks identity numbers. */
#ifndef ESIGN_CORE_NATIONAL_ID_H
#define ESIGN_CORE_NATIONAL_ID_H

#include "result.h"

#define ESIGN_NATIONAL_ID_MAX 32 /* digits */

/* A scheme of identity numbers. */
typedef struct {
    int min_digits, max_digits;
    int (*valid)(const char *digits); /* checks more than the length; NULL: nothing more */
} esign_national_id_scheme_t;

/* Finds the scheme of a name, in `p`. "tckn" is the Turkish number: 11 digits, the first not 0,
 * with two check digits. "digits:MIN-MAX" is any number of MIN to MAX digits, 1 to 32. */
esign_result_t esign_national_id_scheme(const esign_national_id_scheme_t **scheme, const char *name,
                                        apr_pool_t *p);

/* Removes the separators of digits.h from a typed or pasted text, and checks the rest. Returns 1
 * when it is a number of the scheme, with its digits and a NUL in `id`; otherwise 0, with `id`
 * empty. */
int esign_national_id_parse(const esign_national_id_scheme_t *scheme, const char *typed,
                            char id[ESIGN_NATIONAL_ID_MAX + 1]);

#endif
