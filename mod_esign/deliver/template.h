/* SPDX-License-Identifier: Apache-2.0 */
/* template.h: the placeholders in an SMS gateway's URL, headers and body. */
#ifndef ESIGN_DELIVER_TEMPLATE_H
#define ESIGN_DELIVER_TEMPLATE_H

#include "core/result.h"

/* The values of the placeholders. {digits} is the number without its plus sign. */
typedef struct {
    const char *number; /* E.164 */
    const char *text;
    const char *secret; /* NULL: none */
    const char *basic;  /* the secret in base64, for HTTP's basic authentication (RFC 7617), where
                           it is "user:password"; NULL: none */
    const char *report; /* NULL: none */
} esign_template_values_t;

/* How a value is written in the place of its placeholder. */
typedef enum {
    ESIGN_TEMPLATE_RAW,
    ESIGN_TEMPLATE_PERCENT, /* all but unreserved characters as %XX (RFC 3986 section 2) */
    ESIGN_TEMPLATE_JSON,    /* inside a JSON string (RFC 8259 section 7) */
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

/* Adds the placeholders of a template to `*found`. APR_EINVAL: it has lower-case letters between
 * braces that are no placeholder. All other braces are text. */
esign_result_t esign_template_check(apr_pool_t *p, const char *pattern, int *found);

/* Fills in a template; wiped with `p`. */
char *esign_template_fill(apr_pool_t *p, const char *pattern, const esign_template_values_t *values,
                          esign_template_escape_e escape);

/* How values are escaped in a body of a media type ("application/json; charset=utf-8"). NULL: a
 * form, which is libcurl's default. */
esign_template_escape_e esign_template_escape(const char *media_type);

#endif
