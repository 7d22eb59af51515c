/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h: the administrator's regular expressions on answers of other servers. */
#ifndef ESIGN_CORE_PATTERN_H
#define ESIGN_CORE_PATTERN_H

#include "result.h"

/* Read-only once compiled, so threads share it. */
typedef struct esign_pattern_t esign_pattern_t;

/* Compiles a PCRE2 expression on bytes, in which ^ and $ also match at the ends of lines. The error
 * gives the place in the expression. Freed with `p`. */
esign_result_t esign_pattern_compile(const esign_pattern_t **pattern, const char *text,
                                     apr_pool_t *p);

/* Returns 1 when the pattern matches a part of `subject`. A match that would take too many steps or
 * too much memory counts as none. */
int esign_pattern_found(const esign_pattern_t *pattern, const char *subject, apr_size_t length);

#endif
