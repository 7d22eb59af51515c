/* SPDX-License-Identifier: Apache-2.0 */
/* captcha_speak.c: joins spoken characters, which the build has made, to the spoken form of an
 * answer, and packs it as WAV. */
#include "captcha.h"
#include "core/digest.h"
#include "core/secret.h"
#include "render/catalogue.h"

#include <apr_strings.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define PROBLEM "spoken picture"
#define RATE ESIGN_CAPTCHA_RATE
#define HEADER 44
#define MILLISECONDS(n) ((n)*RATE / 1000)
#define NOISE 200 /* its highest sample; a character's is 15000 */

/* A character as espeak-ng spoke it in one of the catalogues' languages; two bytes a sample, the
 * low one first. */
typedef struct {
    char letter;
    int language;
    int count;
    const char *samples;
} spoken_t;

static const spoken_t alphabet[] = {
#include "challenge/speech.inc"
};

/* What chance decides about one answer. */
typedef struct {
    unsigned char lead;
    struct {
        unsigned char pause, loudness;
    } letters[ESIGN_CAPTCHA_LENGTH];
} chance_t;

static void seed(const char *answer, const char *chance, const char *language,
                 unsigned char key[randombytes_SEEDBYTES])
{
    _Static_assert(randombytes_SEEDBYTES == ESIGN_DIGEST_SIZE, "a digest is no seed");
    char text[ESIGN_CAPTCHA_LENGTH + 16];
    esign_digest_sha256(chance, strlen(chance), key);
    int length =
        apr_snprintf(text, sizeof(text), "sound %.2s %.*s", language, ESIGN_CAPTCHA_LENGTH, answer);
    esign_digest_hmac(key, text, (apr_size_t)length, key);
    esign_secret_wipe(text, sizeof(text));
}

static int between(unsigned char chance, int low, int high)
{
    return low + (high - low) * chance / UINT8_MAX;
}

static const spoken_t *find(char letter, int language)
{
    for (size_t i = 0; i < sizeof(alphabet) / sizeof(*alphabet); i++)
        if (alphabet[i].letter == letter && alphabet[i].language == language)
            return &alphabet[i];
    return NULL;
}

/* Adds a character at a loudness in percent to what sounds already. */
static void mix(unsigned char *samples, const spoken_t *spoken, int loudness)
{
    const unsigned char *from = (const unsigned char *)spoken->samples;
    for (int i = 0; i < 2 * spoken->count; i += 2) {
        int sample = (int16_t)(from[i] | from[i + 1] << 8) * loudness / 100 +
                     (int16_t)(samples[i] | samples[i + 1] << 8);
        samples[i] = (unsigned char)(sample & 0xff);
        samples[i + 1] = (unsigned char)(sample >> 8 & 0xff);
    }
}

/* Bytes of chance become a quiet hiss: of each two one is the sample, from -NOISE to NOISE. */
static void soften(unsigned char *samples, apr_size_t size)
{
    for (apr_size_t i = 0; i < size; i += 2) {
        int sample = (samples[i] - 128) * NOISE / 128;
        samples[i] = (unsigned char)(sample & 0xff);
        samples[i + 1] = (unsigned char)(sample >> 8 & 0xff);
    }
}

static unsigned char *put(unsigned char *place, apr_uint32_t number, int bytes)
{
    for (; bytes > 0; bytes--, number >>= 8)
        *place++ = (unsigned char)(number & 0xff);
    return place;
}

/* RIFF: PCM, one channel, 16 bits. */
static void put_header(unsigned char *wav, apr_uint32_t size)
{
    memcpy(wav, "RIFF", 4);
    put(wav + 4, HEADER - 8 + size, 4);
    memcpy(wav + 8, "WAVEfmt ", 8);
    unsigned char *place = put(put(put(wav + 16, 16, 4), 1, 2), 1, 2);
    place = put(put(put(put(place, RATE, 4), RATE * 2, 4), 2, 2), 16, 2);
    memcpy(place, "data", 4);
    put(place + 4, size, 4);
}

static int language_index(const char *language)
{
    for (int i = 0; i < ESIGN_LANGUAGES; i++)
        if (strcmp(esign_catalogue_languages[i], language) == 0)
            return i;
    return 0;
}

esign_result_t esign_captcha_speak(const char *answer, const char *chance, const char *language,
                                   const char **wav, apr_size_t *length, apr_pool_t *p)
{
    const spoken_t *letters[ESIGN_CAPTCHA_LENGTH];
    int starts[ESIGN_CAPTCHA_LENGTH], end;
    unsigned char key[randombytes_SEEDBYTES];
    chance_t decided;
    seed(answer, chance, language, key);
    randombytes_buf_deterministic(&decided, sizeof(decided), key);
    end = MILLISECONDS(between(decided.lead, 250, 400));
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH; i++) {
        if ((letters[i] = find(answer[i], language_index(language))) == NULL)
            return esign_result_make(p, APR_EINVAL, PROBLEM, "a character has no sound");
        starts[i] = end;
        end += letters[i]->count + MILLISECONDS(between(decided.letters[i].pause, 300, 550));
    }
    apr_size_t size = 2 * (apr_size_t)end;
    unsigned char *bytes = esign_secret_alloc(p, HEADER + size), *samples = bytes + HEADER;
    put_header(bytes, (apr_uint32_t)size);
    randombytes_buf_deterministic(samples, size, key);
    soften(samples, size);
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH; i++)
        mix(samples + 2 * starts[i], letters[i], between(decided.letters[i].loudness, 60, 100));
    esign_secret_wipe(key, sizeof(key));
    *wav = (const char *)bytes;
    *length = HEADER + size;
    return ESIGN_OK;
}
