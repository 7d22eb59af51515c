/* SPDX-License-Identifier: Apache-2.0 */
/* national_id.h: what an identity number looks like. */
#ifndef ESIGN_CORE_NATIONAL_ID_H
#define ESIGN_CORE_NATIONAL_ID_H

#include "result.h"

#define ESIGN_NATIONAL_ID_MAX 32

/* A scheme of identity numbers. */
typedef struct {
    int min_digits, max_digits;
    int (*valid)(const char *digits); /* the scheme's own check; NULL: length alone */
} esign_national_id_scheme_t;

/* The scheme that a directive names: "tckn" (11 digits, first not 0, both check digits right) or
 * "digits:MIN-MAX" (1 to 32). In `p`. */
esign_result_t esign_national_id_scheme(const esign_national_id_scheme_t **scheme, const char *name,
                                        apr_pool_t *p);

/* Strips the separators of digits.h from what was typed or pasted and checks it. `id` gets the
 * digits, NUL-terminated. Returns 1 when it is a number of the scheme. */
int esign_national_id_parse(const esign_national_id_scheme_t *scheme, const char *typed,
                            char id[ESIGN_NATIONAL_ID_MAX + 1]);

#endif
