/* SPDX-License-Identifier: Apache-2.0 */
/* contact.c: checks and masks e-mail addresses and phone numbers. */
#include "contact.h"
#include "ascii.h"

#include <apr_strings.h>

#include <idn2.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#define DIGITS "0123456789"
#define LETTERS_DIGITS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define MAX_ADDRESS 254 /* RFC 5321 section 4.5.3.1.3, without the angle brackets */
#define MAX_LOCAL 64
#define MAX_LABEL 63

/* The number of digits of the country code: ITU-T E.164 gives zones 1 and 7 one digit, the
 * countries listed here two, all others three. */
static int country_code_length(const char *digits)
{
    static const char two[] = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 "
                              "55 56 57 58 60 61 62 63 64 65 66 "
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
    if (!at || at == email)
        return "***";
    int first = 1;
    while (((unsigned char)email[first] & 0xC0) == 0x80) /* a continuation byte of UTF-8 */
        first++;
    return apr_psprintf(p, "%.*s***%s", first, email, at);
}

int esign_contact_ascii(const char *text)
{
    return esign_ascii(text, strlen(text));
}

/* The length of the leading part of `text` that consists of `allowed` ASCII characters, and of
 * letters, marks and digits beyond ASCII. */
static apr_size_t span_allowed(const char *text, const char *allowed)
{
    const uint8_t *at = (const uint8_t *)text;
    for (;;) {
        ucs4_t point;
        int size = *at & 0x80 ? u8_mbtouc(&point, at, strlen((const char *)at)) : 1;
        if (*at < 0x80 ? *at == '\0' || !strchr(allowed, *at)
                       : point == 0xFFFD || !uc_is_general_category_withtable(
                                                point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
                                                           UC_CATEGORY_MASK_N))
            return (apr_size_t)(at - (const uint8_t *)text);
        at += size;
    }
}

/* Whether a text consists of runs of these characters, each 1 to `longest` bytes long, with single
 * dots between them. */
static int is_dotted(const char *text, apr_size_t length, const char *allowed, apr_size_t longest)
{
    for (const char *end = text + length;; text++) {
        apr_size_t run = span_allowed(text, allowed);
        if (run == 0 || run > longest)
            return 0;
        text += run;
        if (text == end)
            return 1;
        if (*text != '.')
            return 0;
    }
}

/* The A-label of a host name, freed by idn2_free; NULL when IDNA 2008 gives it none. */
static char *make_a_label(const char *host)
{
    char *ascii = NULL;
    return idn2_to_ascii_8z(host, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) == IDN2_OK ? ascii
                                                                                            : NULL;
}

static int is_host_valid(const char *host)
{
    return is_dotted(host, strlen(host), LETTERS_DIGITS "-", MAX_LABEL) && host[0] != '-' &&
           host[strlen(host) - 1] != '-' && !strstr(host, "-.") && !strstr(host, ".-");
}

/* Quoted local parts and address literals are refused, because they can carry injected commands.
 * Lengths are those of the transmitted form. */
int esign_contact_email_valid(const char *email)
{
    const char *at = strchr(email, '@');
    if (!at || strlen(email) > MAX_ADDRESS || at - email > MAX_LOCAL ||
        !is_dotted(email, (apr_size_t)(at - email), LETTERS_DIGITS "!#$%&'*+-/=?^_`{|}~",
                   MAX_LOCAL))
        return 0;
    if (esign_contact_ascii(at))
        return is_host_valid(at + 1);
    char *ascii = make_a_label(at + 1);
    int valid = ascii && is_host_valid(ascii) &&
                (apr_size_t)(at - email) + 1 + strlen(ascii) <= MAX_ADDRESS;
    idn2_free(ascii);
    return valid;
}

const char *esign_contact_email_wire(apr_pool_t *p, const char *email)
{
    const char *at = strchr(email, '@');
    if (esign_contact_ascii(at))
        return apr_pstrdup(p, email);
    char *ascii = make_a_label(at + 1);
    const char *wire = apr_psprintf(p, "%.*s@%s", (int)(at - email), email, ascii ? ascii : "");
    idn2_free(ascii);
    return wire;
}

int esign_contact_phone_valid(const char *phone)
{
    if (phone[0] != '+' || phone[1] == '0')
        return 0;
    apr_size_t count = strspn(phone + 1, DIGITS);
    return count >= 7 && count <= 15 && phone[1 + count] == '\0';
}
