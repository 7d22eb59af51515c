/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: takes addresses and header fields apart. */
#include "address.h"

#include "core/secret.h"
#include "render/catalogue.h"

#include <apr_strings.h>
#include <string.h>

#define LINK "reset/"
#define REPORT "report/"
#define MASK "***"

const char *esign_address_below(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path[length] == '/' ? path + length + 1 : path + length;
}

const char *esign_address_segment(const char *below, const char *before, const char *behind,
                                  apr_pool_t *p)
{
    size_t start = strlen(before), end = strlen(behind), length = strlen(below);
    if (length <= start + end || strncmp(below, before, start) != 0 ||
        strcmp(below + length - end, behind) != 0 || strchr(below + start, '/'))
        return NULL;
    return esign_secret_copy(p, below + start, length - start - end);
}

/* Pages of the reset whose last segment is a word of ours and no token. */
static int is_reset_page(const char *below)
{
    return strcmp(below, "reset/sent") == 0 || strcmp(below, "reset/word") == 0 ||
           strcmp(below, "reset/done") == 0;
}

int esign_address_is_report(const char *below)
{
    return strncmp(below, REPORT, strlen(REPORT)) == 0;
}

const char *esign_address_token(const char *below)
{
    const char *path = esign_address_is_report(below) ? REPORT : LINK;
    const char *token = strncmp(below, path, strlen(path)) == 0 ? below + strlen(path) : "";
    return *token == '\0' || is_reset_page(below) ? NULL : token;
}

char *esign_address_hidden(const char *below, const char *prefix, apr_pool_t *p)
{
    return apr_pstrcat(p, prefix, esign_address_is_report(below) ? "/" REPORT MASK : "/" LINK MASK,
                       NULL);
}

static void hide_behind(char *line, const char *path, const char *until)
{
    for (char *found = line; (found = strstr(found, path)) != NULL;) {
        found += strlen(path);
        memset(found, '*', strcspn(found, until));
    }
}

void esign_address_hide(char *line, const char *prefix, apr_pool_t *p)
{
    hide_behind(line, apr_pstrcat(p, prefix, "/" LINK, NULL), " ?#");
    /* A gateway may add the phone number to its report. */
    hide_behind(line, apr_pstrcat(p, prefix, "/" REPORT, NULL), " ");
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
