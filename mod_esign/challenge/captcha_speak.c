/* SPDX-License-Identifier: Apache-2.0 */
/* captcha_speak.c: joins the sounds of characters, which tools/speech.c made during the build, to
 * the spoken form of an answer, and packs it as WAV. */
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
#define NOISE 200 /* its highest sample; a character's is 15000 (PEAK of tools/speech.c) */

/* The sound of a character in one language. */
typedef struct {
    char letter;
    int language;        /* its index in esign_catalogue_languages */
    int count;           /* of samples */
    const char *samples; /* two bytes each, the low one first */
} sound_t;

static const sound_t alphabet[] = {
#include "challenge/speech.inc"
};

/* The random bytes of one answer: the pause before it, and the pause after each character and its
 * loudness. */
typedef struct {
    unsigned char lead;
    struct {
        unsigned char pause, loudness;
    } letters[ESIGN_CAPTCHA_LENGTH];
} variation_t;

/* The key of libsodium's generator. It depends on the answer too: an attacker who had the seed
 * could not compute the noise and subtract it. */
static void derive_key(const char *answer, const char *seed, const char *language,
                       unsigned char key[randombytes_SEEDBYTES])
{
    _Static_assert(randombytes_SEEDBYTES == ESIGN_DIGEST_SIZE, "a digest is not a key's size");
    char text[ESIGN_CAPTCHA_LENGTH + 16];
    esign_digest_sha256(seed, strlen(seed), key);
    int length =
        apr_snprintf(text, sizeof(text), "sound %.2s %.*s", language, ESIGN_CAPTCHA_LENGTH, answer);
    esign_digest_hmac(key, text, (apr_size_t)length, key);
    esign_secret_wipe(text, sizeof(text));
}

/* Maps a random byte to low … high. */
static int scale_byte(unsigned char byte, int low, int high)
{
    return low + (high - low) * byte / UINT8_MAX;
}

static const sound_t *find_sound(char letter, int language)
{
    for (size_t i = 0; i < sizeof(alphabet) / sizeof(*alphabet); i++)
        if (alphabet[i].letter == letter && alphabet[i].language == language)
            return &alphabet[i];
    return NULL;
}

/* Adds the sound of a character to the samples, at a loudness in percent. */
static void mix_sound(unsigned char *samples, const sound_t *sound, int loudness)
{
    const unsigned char *from = (const unsigned char *)sound->samples;
    for (int i = 0; i < 2 * sound->count; i += 2) {
        int sample = (int16_t)(from[i] | from[i + 1] << 8) * loudness / 100 +
                     (int16_t)(samples[i] | samples[i + 1] << 8);
        samples[i] = (unsigned char)(sample & 0xff);
        samples[i + 1] = (unsigned char)(sample >> 8 & 0xff);
    }
}

/* Turns random bytes into quiet noise: of each two bytes, the first becomes a sample from -NOISE to
 * NOISE. */
static void make_noise(unsigned char *samples, apr_size_t size)
{
    for (apr_size_t i = 0; i < size; i += 2) {
        int sample = (samples[i] - 128) * NOISE / 128;
        samples[i] = (unsigned char)(sample & 0xff);
        samples[i + 1] = (unsigned char)(sample >> 8 & 0xff);
    }
}

/* Writes a number, the low byte first, and returns the end. */
static unsigned char *put_number(unsigned char *place, apr_uint32_t number, int bytes)
{
    for (; bytes > 0; bytes--, number >>= 8)
        *place++ = (unsigned char)(number & 0xff);
    return place;
}

/* The header of a RIFF file: PCM, one channel, 16 bits. `size`: of the samples, in bytes. */
static void put_header(unsigned char *wav, apr_uint32_t size)
{
    memcpy(wav, "RIFF", 4);
    put_number(wav + 4, HEADER - 8 + size, 4);
    memcpy(wav + 8, "WAVEfmt ", 8);
    unsigned char *place = put_number(put_number(put_number(wav + 16, 16, 4), 1, 2), 1, 2);
    place =
        put_number(put_number(put_number(put_number(place, RATE, 4), RATE * 2, 4), 2, 2), 16, 2);
    memcpy(place, "data", 4);
    put_number(place + 4, size, 4);
}

static int language_index(const char *language)
{
    for (int i = 0; i < ESIGN_LANGUAGES; i++)
        if (strcmp(esign_catalogue_languages[i], language) == 0)
            return i;
    return 0;
}

esign_result_t esign_captcha_speak(const char *answer, const char *seed, const char *language,
                                   const char **wav, apr_size_t *length, apr_pool_t *p)
{
    const sound_t *letters[ESIGN_CAPTCHA_LENGTH];
    int starts[ESIGN_CAPTCHA_LENGTH], end;
    unsigned char key[randombytes_SEEDBYTES];
    variation_t variation;
    derive_key(answer, seed, language, key);
    randombytes_buf_deterministic(&variation, sizeof(variation), key);
    end = MILLISECONDS(scale_byte(variation.lead, 250, 400));
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH; i++) {
        if ((letters[i] = find_sound(answer[i], language_index(language))) == NULL)
            return esign_result_make(p, APR_EINVAL, PROBLEM, "a character has no sound");
        starts[i] = end;
        end += letters[i]->count + MILLISECONDS(scale_byte(variation.letters[i].pause, 300, 550));
    }
    apr_size_t size = 2 * (apr_size_t)end;
    unsigned char *bytes = esign_secret_alloc(p, HEADER + size), *samples = bytes + HEADER;
    put_header(bytes, (apr_uint32_t)size);
    randombytes_buf_deterministic(samples, size, key);
    make_noise(samples, size);
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH; i++)
        mix_sound(samples + 2 * starts[i], letters[i],
                  scale_byte(variation.letters[i].loudness, 60, 100));
    esign_secret_wipe(key, sizeof(key));
    *wav = (const char *)bytes;
    *length = HEADER + size;
    return ESIGN_OK;
}
