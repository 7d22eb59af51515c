/* SPDX-License-Identifier: Apache-2.0 */
/* redact.c: removes addresses, numbers and links from what a server said. */
#include "redact.h"

#include "core/contact.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#define TEXT_MAX 200
#define NUMBER_MAX 15 /* digits of an E.164 number */
/* So many of a number's last digits show whose it is; a mask leaves two. */
#define TELLING_DIGITS 7
/* A token has 43 characters; queue ids and enhanced status codes have fewer than this. */
#define HARMLESS_RUN_MAX 31

static int is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Whether an e-mail address can have a character (RFC 5321 section 4.1.2, RFC 6531 section
 * 3.3). */
static int in_word(char c)
{
    return is_alphanumeric(c) || (c & 0x80) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.@", c) != NULL);
}

static int has_long_run(const char *word)
{
    int run = 0;
    for (; *word != '\0'; word++) {
        run = is_alphanumeric(*word) || *word == '-' || *word == '_' ? run + 1 : 0;
        if (run > HARMLESS_RUN_MAX)
            return 1;
    }
    return 0;
}

/* Whether a word is the phone number, or so much of its end that it shows whose it is. Gateways
 * repeat numbers without the plus sign or the country code, with a 0 before them, with hyphens or
 * dots. */
static int names_number(const char *word, apr_size_t word_length, const char *number)
{
    char digits[NUMBER_MAX + 1];
    apr_size_t count = 0, length = strlen(number);
    for (const char *end = word + word_length; word < end; word++) {
        if (strchr("+-./", *word) != NULL || (*word == '0' && count == 0))
            continue;
        if (*word < '0' || *word > '9' || count == NUMBER_MAX)
            return 0;
        digits[count++] = *word;
    }
    return count >= TELLING_DIGITS && count <= length &&
           memcmp(number + length - count, digits, count) == 0;
}

/* Leaves out what stands around a name: quotes, full stops and the like. */
static void trim_word(const char **start, const char **end)
{
    while (*start < *end && !is_alphanumeric(**start) && !(**start & 0x80) && **start != '+')
        ++*start;
    while (*end > *start && !is_alphanumeric((*end)[-1]) && !((*end)[-1] & 0x80))
        --*end;
}

/* Whether a trimmed word without an @ is the recipient: the number, or the part of the address
 * before its @, which is trimmed too. */
static int names_recipient(const char *word, apr_size_t word_length, const char *recipient)
{
    const char *name = recipient, *end = recipient + strcspn(recipient, "@");
    if (recipient[0] == '+' && *end == '\0')
        return names_number(word, word_length, recipient + 1);
    trim_word(&name, &end);
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
    trim_word(&start, &end);
    if (!names_recipient(start, (apr_size_t)(end - start), recipient))
        return word;
    return apr_psprintf(p, "%.*s***%s", (int)(start - word), word, end);
}

/* Replaces all that is not printable ASCII by spaces. */
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
    while (*text != '\0' && strlen(words) < TEXT_MAX) {
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
    return flatten(apr_pstrndup(p, words, TEXT_MAX));
}
