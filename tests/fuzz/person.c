/* SPDX-License-Identifier: Apache-2.0 */
/* person.c: what a person types or an administrator registers: identity number, e-mail address,
 * phone number, code, and moments. */
#include "fuzz.h"

#include "core/contact.h"
#include "core/digits.h"
#include "core/iso_time.h"
#include "core/national_id.h"
#include "core/otp.h"

#include <unistr.h>

#define DIGITS "0123456789"

static void number(const char *scheme_name, const char *typed, apr_pool_t *p)
{
    const esign_national_id_scheme_t *scheme;
    char id[ESIGN_NATIONAL_ID_MAX + 1], again[ESIGN_NATIONAL_ID_MAX + 1];
    if (esign_failed(esign_national_id_scheme(&scheme, scheme_name, p)))
        HOLDS(!esign_failed(esign_national_id_scheme(&scheme, "tckn", p)));
    HOLDS(scheme->min_digits >= 1 && scheme->min_digits <= scheme->max_digits &&
          scheme->max_digits <= ESIGN_NATIONAL_ID_MAX);
    if (!esign_national_id_parse(scheme, typed, id)) {
        HOLDS(id[0] == '\0');
        return;
    }
    int length = (int)strlen(id);
    HOLDS(length >= scheme->min_digits && length <= scheme->max_digits &&
          strspn(id, DIGITS) == (size_t)length);
    HOLDS(esign_national_id_parse(scheme, id, again) && strcmp(id, again) == 0);
    HOLDS(esign_national_id_parse(scheme, apr_pstrcat(p, "\xE2\x80\xAA", typed, " - ", NULL),
                                  again) &&
          strcmp(id, again) == 0);
    if (scheme->valid) { /* each of the digits is covered by the check digits */
        for (int i = 0; i < 11; i++) {
            char other[ESIGN_NATIONAL_ID_MAX + 1];
            strcpy(other, id);
            other[i] = (char)('0' + (id[i] - '0' + 1) % 10);
            HOLDS(!esign_national_id_parse(scheme, other, again));
        }
    }
}

static void email(const char *text, apr_pool_t *p)
{
    const char *masked = esign_contact_mask_email(p, text);
    HOLDS(strstr(masked, "***") != NULL && strlen(masked) <= strlen(text) + 3);
    if (!esign_contact_email_valid(text))
        return;
    HOLDS(fuzz_clean(text, "") && strlen(text) <= 254 && strpbrk(text, " <>\"\\,;:()[]") == NULL &&
          strchr(text, '@') == strrchr(text, '@'));
    int first = u8_mblen((const uint8_t *)text, strlen(text)); /* bytes of the first character */
    HOLDS(first > 0 && strncmp(masked, text, (size_t)first) == 0 &&
          strncmp(masked + first, "***@", 4) == 0 &&
          strcmp(masked + first + 3, strchr(text, '@')) == 0);
}

static void phone(const char *text, apr_pool_t *p)
{
    const char *masked = esign_contact_mask_phone(p, text);
    if (!esign_contact_phone_valid(text)) {
        HOLDS(strcmp(masked, "***") == 0);
        return;
    }
    size_t length = strlen(text), digits = 0, stars = 0;
    HOLDS(text[0] == '+' && strspn(text + 1, DIGITS) == length - 1 && length >= 8 && length <= 16);
    for (const char *c = masked; *c; c++) {
        digits += *c >= '0' && *c <= '9';
        stars += *c == '*';
    }
    HOLDS(digits <= 5 && digits + stars == length - 1 &&
          strcmp(masked + strlen(masked) - 2, text + length - 2) == 0);
}

static void moment(const char *text, apr_int64_t any, apr_pool_t *p)
{
    apr_time_t time, again;
    for (int date_only = 0; date_only <= 1; date_only++)
        if (esign_iso_time_parse(text, date_only, &time)) {
            const char *written = esign_iso_time(p, time);
            HOLDS(strncmp(written, text, strlen(text)) == 0 &&
                  strlen(text) == (date_only ? 10 : 20));
        }
    const char *written = esign_iso_time(p, any);
    HOLDS(strlen(written) >= 20);
    if (any >= 0 && any < apr_time_from_sec(253402300800)) /* to the end of 9999 */
        HOLDS(esign_iso_time_parse(written, 0, &again) && again == any - any % APR_USEC_PER_SEC);
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    fuzz_rest_t rest = { data, size };
    apr_uint64_t any = 0;
    for (size_t i = 0; i < sizeof(any); i++)
        any = any << 8 | fuzz_byte(&rest);
    const char *scheme = fuzz_line(&rest, p), *text = fuzz_text(&rest, p);
    number(scheme, text, p);
    email(text, p);
    phone(text, p);
    moment(text, (apr_int64_t)any, p);
    for (const char *c = text; *c;) {
        apr_size_t skip = esign_digits_separator(c);
        HOLDS(skip <= strlen(c) && skip <= 3 && (skip == 0 || *c < '0' || *c > '9'));
        c += skip ? skip : 1;
    }
    for (int digits = 6; digits <= ESIGN_OTP_MAX_DIGITS; digits++)
        HOLDS(!esign_otp_matches(apr_pstrmemdup(p, "1234567890", (apr_size_t)digits), text) ||
              esign_otp_well_formed(text, digits));
}
