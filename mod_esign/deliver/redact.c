/* SPDX-License-Identifier: Apache-2.0 */
/* redact.c: takes addresses, numbers and links out of what a server said. */
#include "redact.h"

#include "core/contact.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#define MAX_WORDS_LENGTH 200
#define MAX_NUMBER 15    /* digits of E.164 */
#define TELLING_DIGITS 7 /* a mask leaves two */
#define LONGEST_HARMLESS_RUN \
    31 /* a token has 43 characters; queue ids and enhanced status codes have fewer */

static int alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A character that can stand in an e-mail address (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
 */
static int in_word(char c)
{
    return alphanumeric(c) || (c & 0x80) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.@", c) != NULL);
}

static int has_long_run(const char *word)
{
    int run = 0;
    for (; *word != '\0'; word++) {
        run = alphanumeric(*word) || *word == '-' || *word == '_' ? run + 1 : 0;
        if (run > LONGEST_HARMLESS_RUN)
            return 1;
    }
    return 0;
}

/* Whether a word is a phone number, or so much of its end that it tells whose: gateways repeat it
 * without the plus sign, without the country code, with a 0 before it, with hyphens or dots. */
static int names_number(const char *word, apr_size_t word_length, const char *number)
{
    char digits[MAX_NUMBER + 1];
    apr_size_t count = 0, length = strlen(number);
    for (const char *end = word + word_length; word < end; word++) {
        if (strchr("+-./", *word) != NULL || (*word == '0' && count == 0))
            continue;
        if (*word < '0' || *word > '9' || count == MAX_NUMBER)
            return 0;
        digits[count++] = *word;
    }
    return count >= TELLING_DIGITS && count <= length &&
           memcmp(number + length - count, digits, count) == 0;
}

/* Moves the ends of a text together, over quotes, full stops and whatever else stands around a
 * name. */
static void trim(const char **start, const char **end)
{
    while (*start < *end && !alphanumeric(**start) && !(**start & 0x80) && **start != '+')
        ++*start;
    while (*end > *start && !alphanumeric((*end)[-1]) && !((*end)[-1] & 0x80))
        --*end;
}

/* Whether a trimmed word without @ is the recipient: its number, or the part before its @, which
 * may itself begin or end with such characters. */
static int names_recipient(const char *word, apr_size_t word_length, const char *recipient)
{
    const char *name = recipient, *end = recipient + strcspn(recipient, "@");
    if (recipient[0] == '+' && *end == '\0')
        return names_number(word, word_length, recipient + 1);
    trim(&name, &end);
    return end > name && word_length == (apr_size_t)(end - name) &&
           apr_cstr_casecmpn(word, name, word_length) == 0;
}

static const char *redact_word(apr_pool_t *p, const char *word, const char *recipient)
{
    if (has_long_run(word))
        return "***";
    if (strchr(word, '@') != NULL)
        return esign_contact_mask_email(p, word);
    const char *start = word, *end = word + strlen(word);
    trim(&start, &end);
    if (!names_recipient(start, (apr_size_t)(end - start), recipient))
        return word;
    return apr_psprintf(p, "%.*s***%s", (int)(start - word), word, end);
}

/* What is not printable ASCII becomes a space. */
static const char *flatten(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = ' ';
    return text;
}

const char *esign_redact(apr_pool_t *p, const char *text, const char *recipient)
{
    const char *words = "";
    while (*text != '\0' && strlen(words) < MAX_WORDS_LENGTH) {
        apr_size_t length = 0;
        while (in_word(text[length]))
            length++;
        if (length > 0) {
            words = apr_pstrcat(p, words,
                                redact_word(p, apr_pstrmemdup(p, text, length), recipient), NULL);
            text += length;
        } else {
            const char other[] = { *text++, '\0' };
            words = apr_pstrcat(p, words, other, NULL);
        }
    }
    return flatten(apr_pstrndup(p, words, MAX_WORDS_LENGTH));
}
