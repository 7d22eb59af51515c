/* SPDX-License-Identifier: Apache-2.0 */
/* contact.c: checks and masks e-mail addresses and phone numbers. */
#include "core/contact.h"

#include <apr_strings.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS_DIGITS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define MAX_ADDRESS 254   /* RFC 5321 section 4.5.3.1.3, without the angle brackets */
#define MAX_LOCAL 64
#define MAX_LABEL 63

/* How many digits the country code has: ITU-T E.164 gives zones 1 and 7 one, the countries listed two, all others three. */
static int country_code_length(const char *digits)
{
    static const char two[] = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 "
                              "81 82 83 84 86 90 91 92 93 94 95 98 ";
    if (digits[0] == '1' || digits[0] == '7')
        return 1;
    const char code[] = { ' ', digits[0], digits[1], ' ', '\0' };
    return strstr(two, code) != NULL ? 2 : 3;
}

const char *esign_contact_mask_phone(apr_pool_t *p, const char *phone)
{
    if (!esign_contact_phone_valid(phone))
        return "***";
    int code = country_code_length(phone + 1);
    int hidden = (int)strlen(phone) - 1 - code - 2;
    char stars[24], *end = stars;
    for (int i = 0; i < hidden; i++) {
        if (i % 3 == 0)
            *end++ = ' ';
        *end++ = '*';
    }
    *end = '\0';
    return apr_psprintf(p, "%.*s%s %s", code + 1, phone, stars, phone + strlen(phone) - 2);
}

const char *esign_contact_mask_email(apr_pool_t *p, const char *email)
{
    const char *at = strrchr(email, '@');
    if (at == NULL || at == email)
        return "***";
    int first = 1;
    while (((unsigned char)email[first] & 0xC0) == 0x80)   /* the rest of a UTF-8 character */
        first++;
    return apr_psprintf(p, "%.*s***%s", first, email, at);
}

/* Runs of `allowed` characters, each 1 to `longest` long, with single dots between them. */
static int dotted(const char *text, apr_size_t length, const char *allowed, apr_size_t longest)
{
    for (const char *end = text + length;; text++) {
        apr_size_t run = strspn(text, allowed);
        if (run == 0 || run > longest)
            return 0;
        text += run;
        if (text == end)
            return 1;
        if (*text != '.')
            return 0;
    }
}

/* Only RFC 5321's Dot-string: quoted local parts and address literals are where injection hides. */
int esign_contact_email_valid(const char *email)
{
    const char *at = strchr(email, '@');
    if (at == NULL || strlen(email) > MAX_ADDRESS)
        return 0;
    const char *host = at + 1;
    return at - email <= MAX_LOCAL
        && dotted(email, (apr_size_t)(at - email), LETTERS_DIGITS "!#$%&'*+-/=?^_`{|}~", MAX_LOCAL)
        && dotted(host, strlen(host), LETTERS_DIGITS "-", MAX_LABEL)
        && host[0] != '-' && host[strlen(host) - 1] != '-' && strstr(host, "-.") == NULL && strstr(host, ".-") == NULL;
}

int esign_contact_phone_valid(const char *phone)
{
    if (phone[0] != '+' || phone[1] == '0')
        return 0;
    apr_size_t count = strspn(phone + 1, DIGITS);
    return count >= 7 && count <= 15 && phone[1 + count] == '\0';
}
