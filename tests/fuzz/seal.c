/* SPDX-License-Identifier: Apache-2.0 */
/* seal.c: sealed values that an attacker changes: of memcached, of a cookie, of a column, and the
 * picture's challenge with its typed answer. */
#include "fuzz.h"

#include "challenge/captcha.h"
#include "challenge/work.h"
#include "core/base64.h"
#include "core/otp.h"
#include "core/record.h"
#include "core/seal.h"

#define NOW apr_time_from_sec(1795529225)
#define LIFE apr_time_from_sec(300)
#define WORK 7

/* A text of ours with some of its characters changed, cut or added to, as the input says. */
static char *change(const char *sealed, fuzz_rest_t *rest, apr_pool_t *p)
{
    char *changed = apr_pstrdup(p, sealed);
    apr_size_t length = strlen(changed);
    for (unsigned char steps = fuzz_byte(rest) % 4; steps > 0 && length > 0; steps--) {
        unsigned char place = fuzz_byte(rest);
        changed[place % length] = (char)(fuzz_byte(rest) | 1);
    }
    switch (fuzz_byte(rest) % 4) {
    case 0:
        return apr_pstrndup(p, changed, fuzz_byte(rest));
    case 1:
        return apr_pstrcat(p, changed, fuzz_line(rest, p), NULL);
    default:
        return changed;
    }
}

/* A seal opens only unchanged, at its place and for its purpose, and gives the text that was
 * sealed. */
static void opens_once(const char *place, const char *clear, apr_size_t size, fuzz_rest_t *rest,
                       apr_pool_t *p)
{
    const char *sealed;
    char *opened;
    apr_size_t length;
    HOLDS(!esign_failed(
        esign_seal(fuzz_keyring(), ESIGN_KEY_MEMCACHED, place, clear, size, &sealed, p)));
    HOLDS(!esign_failed(
        esign_unseal(fuzz_keyring(), ESIGN_KEY_MEMCACHED, place, sealed, &opened, &length, p)));
    HOLDS(length == size && memcmp(opened, clear, size) == 0 && opened[length] == '\0' &&
          esign_seal_key_id(sealed) == 2);
    HOLDS(esign_failed(
        esign_unseal(fuzz_keyring(), ESIGN_KEY_COOKIE, place, sealed, &opened, &length, p)));
    HOLDS(
        esign_failed(esign_unseal(fuzz_keyring(), ESIGN_KEY_MEMCACHED,
                                  apr_pstrcat(p, place, "x", NULL), sealed, &opened, &length, p)));
    const char *changed = change(sealed, rest, p);
    int fails = esign_failed(
        esign_unseal(fuzz_keyring(), ESIGN_KEY_MEMCACHED, place, changed, &opened, &length, p));
    HOLDS(fails == (strcmp(changed, sealed) != 0));
}

/* What comes from outside was never sealed: it does not open, and is no challenge. Its key id is
 * one byte. */
static void foreign(const char *text, apr_pool_t *p)
{
    char *opened, answer[ESIGN_CAPTCHA_LENGTH + 1];
    const char *target;
    apr_size_t length;
    apr_time_t expires;
    int id = esign_seal_key_id(text);
    HOLDS(esign_failed(
        esign_unseal(fuzz_keyring(), ESIGN_KEY_MEMCACHED, "place", text, &opened, &length, p)));
    HOLDS(esign_captcha_read(fuzz_keyring(), text, NOW, answer, &expires, p) ==
          ESIGN_CAPTCHA_FORGED);
    HOLDS(id >= 0 && id <= 255);
    HOLDS((esign_captcha_seed(fuzz_keyring(), text, p) != NULL) == (id == 1 || id == 2));
    HOLDS(esign_failed(esign_work_target(fuzz_keyring(), text, WORK, &target, p)) ==
          (id != 1 && id != 2));
    unsigned char *bytes = esign_base64_url_decode(p, text, &length);
    HOLDS(!bytes || strcmp(esign_base64_url_encode(p, bytes, length), text) ==
                        0); /* one text for the same bytes */
}

static void challenge(const char *typed, fuzz_rest_t *rest, apr_pool_t *p)
{
    const char *issued;
    char answer[ESIGN_CAPTCHA_LENGTH + 1];
    apr_time_t expires;
    HOLDS(!esign_failed(esign_captcha_issue(fuzz_keyring(), NOW, LIFE, &issued, p)) &&
          strlen(issued) < 100);
    HOLDS(esign_captcha_read(fuzz_keyring(), issued, NOW, answer, &expires, p) ==
              ESIGN_CAPTCHA_OPEN &&
          expires == NOW + LIFE);
    HOLDS(esign_captcha_read(fuzz_keyring(), issued, NOW + LIFE, answer, &expires, p) ==
          ESIGN_CAPTCHA_EXPIRED);
    HOLDS(strlen(answer) == ESIGN_CAPTCHA_LENGTH && esign_captcha_matches(answer, answer));
    HOLDS(!esign_captcha_matches(answer, apr_pstrcat(p, answer, typed, NULL)) ||
          strspn(typed, " \t\xC2\xA0") == strlen(typed));
    HOLDS(!esign_captcha_matches("ACDEH", typed) || strlen(typed) >= ESIGN_CAPTCHA_LENGTH);
    /* Of the numbers of the work one is right, and it has one way to be written. */
    int right = 0;
    for (int number = 0; number <= WORK; number++) {
        const char *written = apr_itoa(p, number);
        if (!esign_work_matches(fuzz_keyring(), issued, WORK, written))
            continue;
        right++;
        HOLDS(strcmp(typed, written) == 0 ||
              !esign_work_matches(fuzz_keyring(), issued, WORK, typed));
        HOLDS(*typed == '\0' || (!esign_work_matches(fuzz_keyring(), issued, WORK,
                                                     apr_pstrcat(p, typed, written, NULL)) &&
                                 !esign_work_matches(fuzz_keyring(), issued, WORK,
                                                     apr_pstrcat(p, written, typed, NULL))));
    }
    HOLDS(right == 1);
    const char *changed = change(issued, rest, p);
    if (strcmp(changed, issued) != 0)
        HOLDS(esign_captcha_read(fuzz_keyring(), changed, NOW, answer, &expires, p) ==
              ESIGN_CAPTCHA_FORGED);
}

static void code(const char *session, const char *typed, fuzz_rest_t *rest)
{
    unsigned char seed[ESIGN_OTP_SEED_SIZE] = { fuzz_byte(rest) };
    char right[ESIGN_OTP_MAX_DIGITS + 1], again[ESIGN_OTP_MAX_DIGITS + 1];
    int digits = 6 + fuzz_byte(rest) % 5;
    int key = esign_keyring_active(fuzz_keyring());
    HOLDS(esign_otp_code(fuzz_keyring(), key, session, seed, digits, right) &&
          esign_otp_code(fuzz_keyring(), key, session, seed, digits, again));
    HOLDS(strcmp(right, again) == 0 && strlen(right) == (size_t)digits &&
          strspn(right, "0123456789") == (size_t)digits);
    HOLDS(esign_otp_well_formed(right, digits) && esign_otp_matches(right, right));
    HOLDS(!esign_otp_matches(right, typed) || esign_otp_well_formed(typed, digits));
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    fuzz_rest_t rest = { data, size };
    const char *place = fuzz_line(&rest, p), *typed = fuzz_line(&rest, p);
    fuzz_rest_t changes = { rest.data, rest.size };
    foreign(typed, p);
    opens_once(place, rest.size ? rest.data : "", rest.size, &changes, p);
    challenge(typed, &changes, p);
    code(place, typed, &changes);
}
