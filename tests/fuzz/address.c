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

/* Addresses whose last segment is a secret, and the characters that end it in a request line. */
static const char *const secrets[][2] = { { "reset/", " ?#" }, { "report/", " " } };

/* A secret is found as the rest of its address, and is masked in a request line that was not
 * parsed, whatever surrounds it. */
static void address(const char *path, apr_pool_t *p)
{
    const char *below = esign_address_below(path, PREFIX);
    HOLDS(!below || (below >= path + strlen(PREFIX) && below <= path + strlen(path)));
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        const char *kind = secrets[i][0], *secret = below ? esign_address_after(below, kind) : NULL;
        char *line = apr_pstrcat(p, "GET ", path, " HTTP/1.1", NULL),
             *before = apr_pstrcat(p, "GET " PREFIX "/", kind, NULL);
        esign_address_mask(line, before + strlen("GET "), secrets[i][1]);
        HOLDS(strlen(line) == strlen(path) + strlen("GET  HTTP/1.1"));
        if (!secret)
            continue;
        HOLDS(*secret && strcmp(below + strlen(kind), secret) == 0);
        HOLDS(strncmp(line, before, strlen(before)) == 0);
        HOLDS(strspn(line + strlen(before), "*") >= strcspn(secret, " ?#"));
    }
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
        /* With a second cookie of the same name, before or after it, there is no value. */
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
    /* A token as we mail it, with anything before and after. */
    const char *path = apr_pstrcat(p, before, "reset/" TOKEN, behind, NULL),
               *below = esign_address_below(path, PREFIX);
    address(path, p);
    if (strcmp(before, PREFIX "/") == 0) {
        char *line = apr_pstrcat(p, "GET ", path, " HTTP/1.1", NULL);
        esign_address_mask(line, PREFIX "/reset/", " ?#");
        HOLDS(below && esign_address_after(below, "reset/") &&
              !strstr(apr_pstrndup(p, line, 17 + strlen(TOKEN)), "Zm9v"));
    }
    cookie(field, p);
    const char *language = esign_address_language(accept, p);
    HOLDS(!language || esign_catalogue_language(language) == language);
    HOLDS(!language || strchr(accept, '*') ||
          esign_address_language(apr_pstrcat(p, language, "-XX", NULL), p) == language);
}
