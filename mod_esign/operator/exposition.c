/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.c: formats and escapes lines. */
#include "exposition.h"

#include <apr_strings.h>

#include <string.h>

/* Writes a backslash before backslashes and, in the value of a label, quotes; a line end as \n. */
static const char *escape(apr_pool_t *p, const char *text, int quotes)
{
    char *escaped = apr_palloc(p, 2 * strlen(text) + 1), *to = escaped;
    for (; *text; text++) {
        if (*text == '\\' || *text == '\n' || (quotes && *text == '"'))
            *to++ = '\\';
        *to++ = *text == '\n' ? 'n' : *text;
    }
    *to = '\0';
    return escaped;
}

const char *esign_exposition_head(apr_pool_t *p, const char *name, const char *type,
                                  const char *help)
{
    return apr_psprintf(p, "# HELP %s %s\n# TYPE %s %s\n", name, escape(p, help, 0), name, type);
}

const char *esign_exposition_sample(apr_pool_t *p, const char *name, const char *const *labels,
                                    const char *value)
{
    const char *text = "";
    for (; *labels; labels += 2)
        if (labels[1] && *labels[1])
            text = apr_pstrcat(p, text, *text ? "," : "{", labels[0], "=\"",
                               escape(p, labels[1], 1), "\"", NULL);
    return apr_pstrcat(p, name, text, *text ? "} " : " ", value, "\n", NULL);
}

const char *esign_exposition_number(apr_pool_t *p, apr_int64_t number)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT, number);
}

const char *esign_exposition_seconds(apr_pool_t *p, apr_interval_time_t time)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT ".%06d", time / APR_USEC_PER_SEC,
                        (int)(time % APR_USEC_PER_SEC));
}

const char *esign_exposition_age(apr_pool_t *p, apr_time_t since, apr_time_t now)
{
    return esign_exposition_seconds(p, since > 0 && since < now ? now - since : 0);
}
