/* SPDX-License-Identifier: Apache-2.0 */
/* template.h: the placeholders of the SMS gateway's URL, headers and body. */
#ifndef ESIGN_DELIVER_TEMPLATE_H
#define ESIGN_DELIVER_TEMPLATE_H

#include "core/result.h"

/* What stands for {number} (E.164), {digits} (the number without its plus sign), {text}, {secret},
 * {basic} (the secret in base64, as HTTP's basic authentication has "user:password", RFC 7617) and
 * {report}. */
typedef struct {
    const char *number;
    const char *text;
    const char *secret; /* NULL: none */
    const char *basic;  /* NULL: none */
    const char *report; /* NULL: none */
} esign_template_values_t;

/* How a value is written where the placeholder stands. */
typedef enum {
    ESIGN_TEMPLATE_RAW,
    ESIGN_TEMPLATE_PERCENT, /* RFC 3986: all but unreserved characters as %XX */
    ESIGN_TEMPLATE_JSON,    /* inside a JSON string */
    ESIGN_TEMPLATE_XML      /* inside an element or a quoted attribute */
} esign_template_escape_e;

/* The placeholders that a template has, as bits. */
enum {
    ESIGN_TEMPLATE_HAS_NUMBER = 1, /* {number} or {digits} */
    ESIGN_TEMPLATE_HAS_TEXT = 2,
    ESIGN_TEMPLATE_HAS_SECRET = 4,
    ESIGN_TEMPLATE_HAS_BASIC = 8,
    ESIGN_TEMPLATE_HAS_REPORT = 16
};

/* Adds to `*found` what the template has. A placeholder is lower-case letters between braces; one
 * that is none of ours is refused, all other braces are text. */
esign_result_t esign_template_check(apr_pool_t *p, const char *pattern, int *found);

/* The filled-in text, wiped with `p`. */
char *esign_template_fill(apr_pool_t *p, const char *pattern, const esign_template_values_t *values,
                          esign_template_escape_e escape);

/* How a body of this media type ("application/json; charset=utf-8") is escaped; NULL is a form, as
 * libcurl sends it. */
esign_template_escape_e esign_template_escape(const char *media_type);

#endif
