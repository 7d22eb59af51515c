/* SPDX-License-Identifier: Apache-2.0 */
/* speech.c: a program of the build: synthesises each character of the picture in each language with
 * libespeak-ng, and prints the samples as rows of C for captcha_speak.c. httpd does not load that
 * library: it starts a thread that outlives a reload, sets the locale of the process, and loads
 * libpulse and libX11. */
#include "challenge/captcha.h"
#include "render/catalogue.h"

#include <espeak-ng/espeak_ng.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 22050 /* samples a second of espeak-ng; the printed sound has half as many */
#define MAX_SAMPLES (3 * RATE)
#define WORDS_PER_MINUTE 155
#define SILENCE 90   /* quieter samples at either end are cut off */
#define PEAK 15000.0 /* loudest sample of a printed sound */

/* The spoken text of each character. Names of letters rhyme (ce, de, te; C, D, T), so a word that
 * begins with the letter follows, as in spelling on the telephone; in Turkish it is a town. Text in
 * [[ ]] is espeak-ng's phonemes. */
static const struct {
    char letter;
    const char *names[ESIGN_LANGUAGES]; /* in the order of esign_catalogue_languages: tr, en */
} alphabet[] = {
    { 'A', { "a, Adana", "[[eI]], alpha" } },
    { 'C', { "ce, Ceyhan", "[[si:]], charlie" } },
    { 'D', { "de, Denizli", "[[di:]], delta" } },
    { 'E', { "e, Edirne", "[[i:]], echo" } },
    { 'H', { "he, Hatay", "[[eItS]], hotel" } },
    { 'K', { "ke, Kayseri", "[[keI]], kilo" } },
    { 'N', { "ne, Nevşehir", "[[En]], november" } },
    { 'R', { "re, Rize", "[[A@]], romeo" } },
    { 'T', { "te, Trabzon", "[[ti:]], tango" } },
    { '3', { "üç", "three" } },
    { '9', { "dokuz", "nine" } },
};

_Static_assert(sizeof(alphabet) / sizeof(*alphabet) == sizeof(ESIGN_CAPTCHA_ALPHABET) - 1,
               "a character of the picture has no sound");

static const char *const voices[ESIGN_LANGUAGES] = { "tr", "en" };

typedef struct {
    int16_t samples[MAX_SAMPLES];
    int count;
} sound_t;

static void require(int done, const char *problem)
{
    if (done)
        return;
    fprintf(stderr, "speech-make: %s; on Debian: apt-get install espeak-ng-data\n", problem);
    exit(EXIT_FAILURE);
}

/* The callback of espeak-ng. Returns 1, which stops it, when a sound is too long. */
static int collect_samples(short *samples, int count, espeak_EVENT *events)
{
    sound_t *sound = events->user_data;
    if (!samples || count <= 0)
        return 0;
    if (count > MAX_SAMPLES - sound->count)
        return 1;
    memcpy(sound->samples + sound->count, samples, (size_t)count * sizeof(*samples));
    sound->count += count;
    return 0;
}

/* Halves the rate of a sound. A low-pass filter of 31 taps (a sinc in a Hamming window) first
 * removes the frequencies that the new rate cannot represent. */
static void halve_rate(const sound_t *from, sound_t *to)
{
    enum { TAPS = 31, MIDDLE = TAPS / 2 };
    double taps[TAPS];
    for (int i = 0; i < TAPS; i++) {
        double x = M_PI * (i - MIDDLE) * 0.47;
        taps[i] =
            (i == MIDDLE ? 1 : sin(x) / x) * 0.47 * (0.54 - 0.46 * cos(2 * M_PI * i / (TAPS - 1)));
    }
    to->count = from->count / 2;
    for (int i = 0; i < to->count; i++) {
        double sum = 0;
        for (int j = 0; j < TAPS; j++) {
            int place = 2 * i + j - MIDDLE;
            sum += place >= 0 && place < from->count ? taps[j] * from->samples[place] : 0;
        }
        to->samples[i] = (int16_t)lrint(fmax(INT16_MIN, fmin(INT16_MAX, sum)));
    }
}

/* Cuts off silence at both ends, and scales the sound to PEAK. */
static void trim_sound(sound_t *sound)
{
    int first = 0, last = sound->count, peak = 1;
    while (first < last && abs(sound->samples[first]) < SILENCE)
        first++;
    while (last > first && abs(sound->samples[last - 1]) < SILENCE)
        last--;
    sound->count = last - first;
    memmove(sound->samples, sound->samples + first, (size_t)sound->count * sizeof(*sound->samples));
    for (int i = 0; i < sound->count; i++)
        peak = abs(sound->samples[i]) > peak ? abs(sound->samples[i]) : peak;
    for (int i = 0; i < sound->count; i++)
        sound->samples[i] = (int16_t)lrint(sound->samples[i] * PEAK / peak);
}

/* Prints a row of the table: letter, language, number of samples, and these as a string of two
 * bytes each, the low one first, as in WAV. */
static void print_sound(char letter, int language, const sound_t *sound)
{
    printf("{ '%c', %d, %d, \"", letter, language, sound->count);
    for (int i = 0; i < sound->count; i++)
        printf("\\%03o\\%03o", (unsigned int)sound->samples[i] & 0xff,
               (unsigned int)sound->samples[i] >> 8 & 0xff);
    printf("\" },\n");
}

int main(void)
{
    static sound_t spoken, halved;
    espeak_ng_ERROR_CONTEXT context = NULL;
    espeak_ng_InitializePath(NULL);
    require(espeak_ng_Initialize(&context) == ENS_OK, "espeak-ng has no data");
    require(espeak_ng_InitializeOutput(ENOUTPUT_MODE_SYNCHRONOUS, 0, NULL) == ENS_OK &&
                espeak_ng_GetSampleRate() == RATE,
            "espeak-ng has no output");
    espeak_SetSynthCallback(collect_samples);
    for (int language = 0; language < ESIGN_LANGUAGES; language++) {
        require(espeak_ng_SetVoiceByName(voices[language]) == ENS_OK,
                "espeak-ng has no voice for a language");
        espeak_ng_SetParameter(espeakRATE, WORDS_PER_MINUTE, 0);
        for (size_t i = 0; i < sizeof(alphabet) / sizeof(*alphabet); i++) {
            const char *text = alphabet[i].names[language];
            spoken.count = 0;
            require(espeak_ng_Synthesize(text, strlen(text) + 1, 0, POS_CHARACTER, 0,
                                         espeakCHARS_UTF8 | espeakPHONEMES, NULL,
                                         &spoken) == ENS_OK,
                    text);
            halve_rate(&spoken, &halved);
            trim_sound(&halved);
            require(halved.count > RATE / 2 / 8, text);
            print_sound(alphabet[i].letter, language, &halved);
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
