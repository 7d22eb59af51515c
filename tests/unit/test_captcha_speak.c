/* SPDX-License-Identifier: Apache-2.0 */
/* test_captcha_speak.c: the spoken form of the picture. */
#include "challenge/captcha.h"
#include "keys.h"
#include "render/catalogue.h"

#define HEADER 44

static const unsigned char *speak(const char *answer, const char *challenge, const char *language,
                                  apr_size_t *length)
{
    const char *wav = NULL;
    CU_ASSERT_FATAL(
        !esign_failed(esign_captcha_speak(answer, challenge, language, &wav, length, pool)));
    return (const unsigned char *)wav;
}

static unsigned int number(const unsigned char *wav, int place, int bytes)
{
    unsigned int value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | wav[place + i];
    return value;
}

static int sample(const unsigned char *wav, apr_size_t i)
{
    return (short)(wav[HEADER + 2 * i] | wav[HEADER + 2 * i + 1] << 8);
}

/* The loudness of ten milliseconds. */
static int loudness(const unsigned char *wav, apr_size_t slice)
{
    const apr_size_t samples = ESIGN_CAPTCHA_RATE / 100;
    apr_int64_t sum = 0;
    for (apr_size_t i = 0; i < samples; i++)
        sum += abs(sample(wav, slice * samples + i));
    return (int)(sum / (apr_int64_t)samples);
}

/* Counts stretches of speech with at least a quarter of a second between them. */
static int stretches(const unsigned char *wav, apr_size_t length)
{
    int found = 0, silence = 1000;
    for (apr_size_t slice = 0; (slice + 1) * (ESIGN_CAPTCHA_RATE / 100) <= (length - HEADER) / 2;
         slice++) {
        if (loudness(wav, slice) < 250) {
            silence++;
            continue;
        }
        found += silence >= 25;
        silence = 0;
    }
    return found;
}

static void test_header(void)
{
    apr_size_t length;
    const unsigned char *wav = speak("ACD39", "a challenge", "tr", &length);
    CU_ASSERT(memcmp(wav, "RIFF", 4) == 0 && memcmp(wav + 8, "WAVEfmt ", 8) == 0 &&
              memcmp(wav + 36, "data", 4) == 0);
    CU_ASSERT_EQUAL(number(wav, 4, 4), length - 8);
    CU_ASSERT_EQUAL(number(wav, 16, 4), 16);
    CU_ASSERT_EQUAL(number(wav, 20, 2), 1); /* PCM */
    CU_ASSERT_EQUAL(number(wav, 22, 2), 1); /* one channel */
    CU_ASSERT_EQUAL(number(wav, 24, 4), ESIGN_CAPTCHA_RATE);
    CU_ASSERT_EQUAL(number(wav, 28, 4), ESIGN_CAPTCHA_RATE * 2);
    CU_ASSERT_EQUAL(number(wav, 32, 2), 2);
    CU_ASSERT_EQUAL(number(wav, 34, 2), 16);
    CU_ASSERT_EQUAL(number(wav, 40, 4), length - HEADER);
}

static void test_same(void)
{
    apr_size_t first, again, other;
    const unsigned char *sound = speak("ACD39", "a challenge", "tr", &first),
                        *repeated = speak("ACD39", "a challenge", "tr", &again);
    CU_ASSERT(first == again && memcmp(sound, repeated, first) == 0);
    const unsigned char *elsewhere = speak("ACD39", "another one", "tr", &other);
    CU_ASSERT(first != other || memcmp(sound, elsewhere, first) != 0);
    const unsigned char *english = speak("ACD39", "a challenge", "en", &other);
    CU_ASSERT(first != other || memcmp(sound, english, first) != 0);
}

/* The noise depends on the answer, even before its first letter, so it cannot be computed from the
 * seed alone. */
static void test_noise(void)
{
    apr_size_t length;
    const unsigned char *one = speak("ACD39", "a challenge", "tr", &length),
                        *other = speak("ACD3T", "a challenge", "tr", &length);
    int differing = 0;
    for (apr_size_t i = 0; i < 2000; i++) {
        differing += sample(one, i) != sample(other, i);
        CU_ASSERT(abs(sample(one, i)) <= 200);
    }
    CU_ASSERT(differing > 1800);
}

/* Each answer becomes five sounds in each language, and no two characters have the same sound. */
static void test_letters(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    int seen[128] = { 0 }, letters = 0;
    apr_size_t longest = 0, length, lengths[128];
    for (int i = 0; i < 200; i++) {
        const char *challenge;
        char answer[ESIGN_CAPTCHA_LENGTH + 1];
        apr_time_t expires;
        CU_ASSERT_FATAL(!esign_failed(esign_captcha_issue(keyring, 0, 1, &challenge, pool)));
        CU_ASSERT_EQUAL_FATAL(esign_captcha_read(keyring, challenge, 0, answer, &expires, pool),
                              ESIGN_CAPTCHA_OPEN);
        for (const char *c = answer; *c; c++)
            letters += !seen[(int)*c]++;
        for (int language = 0; language < ESIGN_LANGUAGES; language++) {
            const unsigned char *wav =
                speak(answer, challenge, esign_catalogue_languages[language], &length);
            CU_ASSERT(stretches(wav, length) >= ESIGN_CAPTCHA_LENGTH);
            longest = length > longest ? length : longest;
        }
    }
    CU_ASSERT(letters > 10);
    CU_ASSERT(longest < 205 * 1024);
    for (int language = 0; language < ESIGN_LANGUAGES; language++)
        for (int c = 0; c < 128; c++) {
            if (!seen[c])
                continue;
            char answer[] = { (char)c, (char)c, (char)c, (char)c, (char)c, '\0' };
            speak(answer, "a challenge", esign_catalogue_languages[language], &lengths[c]);
            for (int other = 0; other < c; other++)
                CU_ASSERT(!seen[other] || lengths[other] != lengths[c]);
        }
    apr_size_t none;
    const char *wav;
    CU_ASSERT(esign_failed(esign_captcha_speak("ACD?9", "a challenge", "tr", &wav, &none, pool)));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a WAV file of 16 bits on one channel", test_header },
        { "a challenge always gives its own sound, one for each language", test_same },
        { "the noise depends on the answer too", test_noise },
        { "every character of every picture is spoken in both languages", test_letters },
        CU_TEST_INFO_NULL
    };
    return suite_run("captcha_speak", tests);
}
