/* SPDX-License-Identifier: Apache-2.0 */
/* captcha.c: seals a random answer into a challenge, opens it, and compares answers. */
#include "captcha.h"
#include "core/base64.h"
#include "core/digest.h"
#include "core/seal.h"
#include "core/secret.h"

#include <apr_strings.h>
#include <string.h>

#define PLACE "captcha"

static const char alphabet[] = ESIGN_CAPTCHA_ALPHABET;
#define LETTERS (sizeof(alphabet) - 1)

static void pick_answer(char answer[ESIGN_CAPTCHA_LENGTH + 1])
{
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH;) {
        unsigned char byte;
        esign_digest_random(&byte, 1);
        if (byte < 256 / LETTERS * LETTERS) /* larger ones would favour the first letters */
            answer[i++] = alphabet[byte % LETTERS];
    }
    answer[ESIGN_CAPTCHA_LENGTH] = '\0';
}

esign_result_t esign_captcha_issue(const esign_keyring_t *keyring, apr_time_t now,
                                   apr_interval_time_t life, const char **challenge, apr_pool_t *p)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1], clear[ESIGN_CAPTCHA_LENGTH + 24];
    pick_answer(answer);
    int length = apr_snprintf(clear, sizeof(clear), "%s %" APR_TIME_T_FMT, answer, now + life);
    esign_result_t result =
        esign_seal(keyring, ESIGN_KEY_CHALLENGE, PLACE, clear, (apr_size_t)length, challenge, p);
    esign_secret_wipe(answer, sizeof(answer));
    esign_secret_wipe(clear, sizeof(clear));
    return result;
}

esign_captcha_state_e esign_captcha_read(const esign_keyring_t *keyring, const char *challenge,
                                         apr_time_t now, char answer[ESIGN_CAPTCHA_LENGTH + 1],
                                         apr_time_t *expires, apr_pool_t *p)
{
    char *clear;
    apr_size_t length;
    if (esign_failed(
            esign_unseal(keyring, ESIGN_KEY_CHALLENGE, PLACE, challenge, &clear, &length, p)) ||
        length <= ESIGN_CAPTCHA_LENGTH || clear[ESIGN_CAPTCHA_LENGTH] != ' ')
        return ESIGN_CAPTCHA_FORGED;
    apr_cpystrn(answer, clear, ESIGN_CAPTCHA_LENGTH + 1);
    *expires = apr_atoi64(clear + ESIGN_CAPTCHA_LENGTH + 1);
    return now < *expires ? ESIGN_CAPTCHA_OPEN : ESIGN_CAPTCHA_EXPIRED;
}

const char *esign_captcha_seed(const esign_keyring_t *keyring, const char *challenge, apr_pool_t *p)
{
    unsigned char mac[ESIGN_DIGEST_SIZE];
    const unsigned char *key =
        esign_keyring_key(keyring, ESIGN_KEY_CAPTCHA_SEED, esign_seal_key_id(challenge));
    if (!key)
        return NULL;
    esign_digest_hmac(key, challenge, strlen(challenge), mac);
    const char *seed = esign_base64_url_encode(p, mac, sizeof(mac));
    esign_secret_wipe(mac, sizeof(mac));
    return seed;
}

/* Moves `*text` past the next character that counts, and returns it: in upper case, ı and İ as I.
 * Other bytes above ASCII are returned one by one. 0 at the end. */
static unsigned char next_letter(const char **text)
{
    while (**text == ' ' || **text == '\t' || strncmp(*text, "\xC2\xA0", 2) == 0) /* U+00A0 */
        *text += **text == '\xC2' ? 2 : 1;
    if (strncmp(*text, "\xC4\xB1", 2) == 0 ||
        strncmp(*text, "\xC4\xB0", 2) == 0) { /* U+0131, U+0130 */
        *text += 2;
        return 'I';
    }
    unsigned char letter = (unsigned char)**text;
    if (letter != '\0')
        ++*text;
    return letter >= 'a' && letter <= 'z' ? (unsigned char)(letter - 'a' + 'A') : letter;
}

int esign_captcha_matches(const char *answer, const char *typed)
{
    unsigned char expected;
    do {
        expected = next_letter(&answer);
        if (next_letter(&typed) != expected)
            return 0;
    } while (expected != '\0');
    return 1;
}
