/* SPDX-License-Identifier: Apache-2.0 */
/* address.c: an address of the portal with a secret in it, a Cookie field and an Accept-Language
 * field. */
#include "fuzz.h"

#include "cache/session.h"
#include "cache/token.h"
#include "render/catalogue.h"
#include "web/address.h"

#define TOKEN "Zm9v-token_of_43_characters_that_must_go-42"
#define PREFIX "/esign"

/* Whatever stands around the token of a link: who sees it as a link hides it, and the request line
 * that nobody took apart loses it too. */
static void address(const char *path, apr_pool_t *p)
{
    const char *below = esign_address_below(path, PREFIX),
               *token = below ? esign_address_token(below) : NULL;
    char *line = apr_pstrcat(p, "GET ", path, " HTTP/1.1", NULL);
    esign_address_hide(line, PREFIX, p);
    HOLDS(strlen(line) == strlen(path) + strlen("GET  HTTP/1.1"));
    HOLDS(!below || (below >= path + strlen(PREFIX) && below <= path + strlen(path)));
    if (!token)
        return;
    const char *kind = esign_address_is_report(below) ? "report/" : "reset/",
               *before = apr_pstrcat(p, "GET " PREFIX "/", kind, NULL);
    HOLDS(*token && strcmp(below + strlen(kind), token) == 0);
    HOLDS(esign_address_is_report(below) ||
          (strcmp(token, "word") != 0 && strcmp(token, "sent") != 0 && strcmp(token, "done") != 0));
    HOLDS(strncmp(line, before, strlen(before)) == 0);
    HOLDS(strspn(line + strlen(before), "*") >= strcspn(token, " ?#"));
    HOLDS(strcmp(esign_address_hidden(below, PREFIX, p),
                 apr_pstrcat(p, PREFIX "/", kind, "***", NULL)) == 0);
}

static void segment(const char *below, apr_pool_t *p)
{
    static const char *const rows[][2] = { { "captcha/", ".png" },
                                           { "captcha/", ".wav" },
                                           { "reset/", "" } };
    int matches = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *found = esign_address_segment(below, rows[i][0], rows[i][1], p);
        if (found)
            HOLDS(*found && !strchr(found, '/') &&
                  strcmp(apr_pstrcat(p, rows[i][0], found, rows[i][1], NULL), below) == 0);
        matches += found != NULL;
    }
    HOLDS(matches <= 1); /* the order of the rows decides nothing */
}

static void cookie(const char *field, apr_pool_t *p)
{
    static const char *const names[] = { "__Host-esign", "__Host-esign-reset", "a", "" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = esign_address_cookie(field, names[i], p);
        if (!value)
            continue;
        HOLDS(!strchr(value, ';') &&
              strstr(field, apr_pstrcat(p, names[i], "=", value, NULL)) != NULL);
        HOLDS(!*value || (value[strlen(value) - 1] != ' ' && value[strlen(value) - 1] != '\t'));
        /* One more of the same name, wherever it stands, and there is none. */
        HOLDS(esign_address_cookie(apr_pstrcat(p, names[i], "=x; ", field, NULL), names[i], p) ==
              NULL);
        HOLDS(esign_address_cookie(apr_pstrcat(p, field, "; ", names[i], "=x", NULL), names[i],
                                   p) == NULL);
        if (esign_session_store_well_formed(value))
            HOLDS(strlen(value) == ESIGN_SESSION_ID_LENGTH &&
                  fuzz_clean(esign_session_store_key(value, p), ""));
    }
    HOLDS(esign_address_cookie(apr_pstrcat(p, "x=", field, NULL), "x", p) != NULL ||
          strstr(field, "x="));
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    fuzz_rest_t rest = { data, size };
    const char *before = fuzz_line(&rest, p), *behind = fuzz_line(&rest, p),
               *field = fuzz_line(&rest, p), *accept = fuzz_text(&rest, p);
    address(before, p);
    segment(before, p);
    /* A token as we mail it, with anything before and behind. */
    const char *path = apr_pstrcat(p, before, "reset/" TOKEN, behind, NULL),
               *below = esign_address_below(path, PREFIX);
    address(path, p);
    if (strcmp(before, PREFIX "/") == 0) {
        char *line = apr_pstrcat(p, "GET ", path, " HTTP/1.1", NULL);
        esign_address_hide(line, PREFIX, p);
        HOLDS(below && esign_address_token(below) &&
              !strstr(apr_pstrndup(p, line, 17 + strlen(TOKEN)), "Zm9v"));
    }
    cookie(field, p);
    const char *language = esign_address_language(accept, p);
    HOLDS(!language || esign_catalogue_language(language) == language);
    HOLDS(!language || strchr(accept, '*') ||
          esign_address_language(apr_pstrcat(p, language, "-XX", NULL), p) == language);
}
