/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h: the administrator's regular expressions over what other servers say. */
#ifndef ESIGN_CORE_PATTERN_H
#define ESIGN_CORE_PATTERN_H

#include "result.h"

/* Read-only after compile, so threads share it. */
typedef struct esign_pattern_t esign_pattern_t;

/* Compiles a PCRE2 expression, over bytes; ^ and $ also stand at the ends of lines. Fails with a
 * detail that tells where it is wrong. Freed with `p`. */
esign_result_t esign_pattern_compile(const esign_pattern_t **pattern, const char *text,
                                     apr_pool_t *p);

/* Whether the pattern is found in `subject`. One that takes too long to tell is not found. */
int esign_pattern_found(const esign_pattern_t *pattern, const char *subject, apr_size_t length);

#endif
