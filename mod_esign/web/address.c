/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: parses paths, cookies and language preferences. */
#include "address.h"

#include "core/secret.h"
#include "render/catalogue.h"

#include <apr_strings.h>
#include <string.h>

const char *esign_address_below(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path[length] == '/' ? path + length + 1 : path + length;
}

const char *esign_address_segment(const char *below, const char *before, const char *after,
                                  apr_pool_t *p)
{
    size_t start = strlen(before), end = strlen(after), length = strlen(below);
    if (length <= start + end || strncmp(below, before, start) != 0 ||
        strcmp(below + length - end, after) != 0 || strchr(below + start, '/'))
        return NULL;
    return esign_secret_copy(p, below + start, length - start - end);
}

const char *esign_address_after(const char *below, const char *before)
{
    size_t length = strlen(before);
    return strncmp(below, before, length) == 0 && below[length] != '\0' ? below + length : NULL;
}

void esign_address_mask(char *line, const char *start, const char *ends)
{
    for (char *found = line; (found = strstr(found, start)) != NULL;) {
        found += strlen(start);
        memset(found, '*', strcspn(found, ends));
    }
}

const char *esign_address_cookie(const char *field, const char *name, apr_pool_t *p)
{
    const char *found = NULL;
    size_t length = strlen(name);
    while (field && *field) {
        field += strspn(field, " \t;");
        size_t pair = strcspn(field, ";");
        if (pair > length && strncmp(field, name, length) == 0 && field[length] == '=') {
            if (found)
                return NULL;
            size_t value = pair - length - 1;
            while (value > 0 && (field[length + value] == ' ' || field[length + value] == '\t'))
                value--;
            found = esign_secret_copy(p, field + length + 1, value);
        }
        field += pair;
    }
    return found;
}

/* The q-value of a language range, in thousandths (RFC 9110 section 12.4.2). */
static int quality(const char *parameters)
{
    const char *q = strstr(parameters, "q=");
    if (!q || q[2] == '1')
        return 1000;
    int thousandths = 0, place = 100;
    for (const char *c = q[2] != '\0' && q[3] == '.' ? q + 4 : "";
         *c >= '0' && *c <= '9' && place > 0; c++, place /= 10)
        thousandths += (*c - '0') * place;
    return thousandths;
}

const char *esign_address_language(const char *field, apr_pool_t *p)
{
    const char *best = NULL;
    int best_quality = 0;
    char *last, *ranges = apr_pstrdup(p, field);
    for (char *range = ranges ? apr_strtok(ranges, ",", &last) : NULL; range;
         range = apr_strtok(NULL, ",", &last)) {
        range += strspn(range, " \t");
        size_t length = strcspn(range, " \t;");
        int q = quality(range + length);
        range[length] = '\0';
        const char *language = strcmp(range, "*") == 0 ? esign_catalogue_languages[0]
                                                       : esign_catalogue_language(range);
        if (language && q > best_quality) {
            best = language;
            best_quality = q;
        }
    }
    return best;
}
