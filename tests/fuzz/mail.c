/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c: header fields made of what somebody registered, and what a mail server or gateway
 * answers, on its way to the log. */
#include "fuzz.h"

#include "core/contact.h"
#include "deliver/header.h"
#include "deliver/redact.h"

#include <apr_encode.h>

#define TOKEN "Zm9v-token_of_43_characters_that_must_go-42"
#define OPENING "=?UTF-8?B?"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* ASCII, CR only before LF and LF only before the space of a folded line, no line beyond RFC 5322's
 * 998. Gives the field unfolded. */
static const char *unfold(const char *field, apr_pool_t *p)
{
    char *flat = apr_pcalloc(p, strlen(field) + 1), *end = flat;
    size_t line = 0;
    for (const char *c = field; *c; c++) {
        HOLDS((*c >= ' ' && *c <= '~') || (*c == '\r' && c[1] == '\n' && c[2] == ' ') ||
              (*c == '\n' && c > field && c[-1] == '\r'));
        line = *c == '\n' ? 0 : line + 1;
        HOLDS(line <= 998);
        if (*c != '\r' && *c != '\n')
            *end++ = *c;
    }
    return flat;
}

/* What a reader sees: encoded words decoded, the space between two of them dropped (RFC 2047
 * section 6.2). */
static const char *decode(const char *text, apr_pool_t *p)
{
    const char *seen = "";
    int after_word = 0;
    while (*text) {
        const char *word = strstr(text, OPENING);
        apr_size_t before = word ? (apr_size_t)(word - text) : strlen(text);
        if (!(word && after_word && strspn(text, " ") == before))
            seen = apr_pstrcat(p, seen, apr_pstrmemdup(p, text, before), NULL);
        if (!word)
            break;
        const char *base64 = word + strlen(OPENING), *end = strstr(base64, "?=");
        apr_size_t length = 0;
        HOLDS(end && end + 2 - word <= 75);
        char *bytes = apr_pcalloc(p, 80);
        HOLDS(apr_decode_base64(bytes, base64, end - base64, APR_ENCODE_NONE, &length) ==
                  APR_SUCCESS &&
              fuzz_clean(bytes, ""));
        seen = apr_pstrcat(p, seen, bytes, NULL);
        text = end + 2;
        after_word = 1;
    }
    return seen;
}

static void header(const char *text, apr_pool_t *p)
{
    if (!esign_header_safe(text))
        return;
    HOLDS(fuzz_clean(text, ""));
    const char *subject = unfold(esign_header_text(p, "Subject", text), p),
               *seen = decode(subject, p);
    HOLDS(strncmp(seen, "Subject: ", 9) == 0 && strcmp(seen + (strstr(subject, OPENING) ? 10 : 9),
                                                       text) == 0); /* 10: folded after the name */
    const char *to = unfold(esign_header_mailbox(p, "To", text, "a@example.org"), p);
    size_t length = strlen(to);
    HOLDS(strncmp(to, "To: ", 4) == 0 && length >= 17 &&
          strcmp(to + length - 13, *text ? "@example.org>" : "a@example.org") == 0);
    /* The name is one quoted string or encoded words: nothing of it is another address. */
    int quoted = 0, angles = 0;
    for (const char *c = to + 4; *c; c++) {
        if (quoted && *c == '\\' && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted)
            angles += *c == '<' || *c == ',' || *c == ';' || *c == '(' || *c == ':';
    }
    HOLDS(!quoted && angles == (*text != '\0'));
}

static int is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

static void redact(const char *said, const char *between, apr_pool_t *p)
{
    static const char recipient[] = "qXayse.yZ@example.org", phone[] = "+905551234567";
    const char *answer =
        apr_pstrcat(p, said, " ", TOKEN, " qXayse.yZ ", between, " <", recipient, "> ", said, NULL);
    const char *clean = esign_redact(p, answer, recipient);
    HOLDS(strlen(clean) <= 200 && fuzz_clean(clean, "") && is_ascii(clean));
    if (!strstr(said, "token_of") && !strstr(between, "token_of"))
        HOLDS(!strstr(clean, "token_of"));
    if (!strstr(said, "Xayse") && !strstr(between, "Xayse"))
        HOLDS(!strstr(clean, "Xayse"));
    answer = apr_pstrcat(p, between, " 05551234567 ", said, " 90-555-123.4567;+905551234567 ", said,
                         NULL);
    clean = esign_redact(p, answer, phone);
    HOLDS(strlen(clean) <= 200);
    if (!strstr(said, "1234567") && !strstr(between, "1234567"))
        HOLDS(!strstr(clean, "1234567"));
    /* The name before the @, alone. */
    if (esign_contact_email_valid(apr_pstrcat(p, between, "@example.org", NULL)) &&
        strlen(between) > 6 && strpbrk(between, LETTERS))
        HOLDS(!strstr(esign_redact(p, apr_pstrcat(p, "550 ", between, " unknown", NULL),
                                   apr_pstrcat(p, between, "@example.org", NULL)),
                      between));
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    fuzz_rest_t rest = { data, size };
    const char *said = fuzz_line(&rest, p), *between = fuzz_text(&rest, p);
    header(said, p);
    redact(said, between, p);
}
