/* SPDX-License-Identifier: Apache-2.0 */
/* test_captcha.c: challenges that hold their own answer, and the pictures drawn from it. */
#include "challenge/captcha.h"
#include "core/seal.h"
#include "keys.h"

#include <png.h>

#define NOW apr_time_from_sec(1795529225)
#define LIFE apr_time_from_sec(300)

static const char *issue(const esign_keyring_t *keyring)
{
    const char *challenge = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_captcha_issue(keyring, NOW, LIFE, &challenge, pool)));
    return challenge;
}

static esign_captcha_state_e read_at(const esign_keyring_t *keyring, const char *challenge,
                                     apr_time_t now)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1];
    apr_time_t expires;
    return esign_captcha_read(keyring, challenge, now, answer, &expires, pool);
}

static void test_issued(void)
{
    static const char alike[] = "0OQ1ILJ2Z5S8B6GUV";
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    int seen[128] = { 0 }, letters = 0;
    for (int i = 0; i < 400; i++) {
        char answer[ESIGN_CAPTCHA_LENGTH + 1];
        apr_time_t expires = 0;
        const char *challenge = issue(keyring);
        CU_ASSERT_EQUAL(
            strspn(challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            strlen(challenge));
        CU_ASSERT_EQUAL_FATAL(esign_captcha_read(keyring, challenge, NOW, answer, &expires, pool),
                              ESIGN_CAPTCHA_OPEN);
        CU_ASSERT_EQUAL(expires, NOW + LIFE);
        CU_ASSERT_EQUAL_FATAL(strspn(answer, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                              ESIGN_CAPTCHA_LENGTH);
        CU_ASSERT_EQUAL(strcspn(answer, alike), ESIGN_CAPTCHA_LENGTH);
        for (const char *c = answer; *c; c++)
            letters += !seen[(int)*c]++;
    }
    /* 2000 draws of 11 characters: about 182 each, with a deviation of 13. */
    CU_ASSERT_EQUAL(letters, 11);
    for (int c = 0; c < 128; c++)
        CU_ASSERT(seen[c] == 0 || (seen[c] > 100 && seen[c] < 270));
    CU_ASSERT_STRING_NOT_EQUAL(issue(keyring), issue(keyring));
}

static void test_expired(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *challenge = issue(keyring);
    char open[ESIGN_CAPTCHA_LENGTH + 1], expired[ESIGN_CAPTCHA_LENGTH + 1];
    apr_time_t expires = 0;
    CU_ASSERT_EQUAL(esign_captcha_read(keyring, challenge, NOW + LIFE - 1, open, &expires, pool),
                    ESIGN_CAPTCHA_OPEN);
    CU_ASSERT_EQUAL(esign_captcha_read(keyring, challenge, NOW + LIFE, expired, &expires, pool),
                    ESIGN_CAPTCHA_EXPIRED);
    CU_ASSERT_STRING_EQUAL(open, expired); /* an expired picture is still drawn */
    CU_ASSERT_EQUAL(expires, NOW + LIFE);
}

static void test_forged(void)
{
    static const char *const others[] = { "", "A", "no base64url!", "Zm9yLXRoZS1waWN0dXJl" };
    static const char *const shapes[] = { "", "ACD", "ACDEF", "ACDEFH1795529525000000",
                                          "ACDE 1795529525000000" };
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *challenge = issue(keyring), *sealed;
    for (apr_size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        CU_ASSERT_EQUAL(read_at(keyring, others[i], NOW), ESIGN_CAPTCHA_FORGED);
    for (apr_size_t i = 0; i < strlen(challenge); i++) {
        char *tampered = apr_pstrdup(pool, challenge);
        /* Four apart, so that they differ in the bits that the last character keeps. */
        tampered[i] = tampered[i] == 'A' ? 'E' : 'A';
        CU_ASSERT_EQUAL(read_at(keyring, tampered, NOW), ESIGN_CAPTCHA_FORGED);
        CU_ASSERT_EQUAL(read_at(keyring, apr_pstrmemdup(pool, challenge, i), NOW),
                        ESIGN_CAPTCHA_FORGED);
    }
    for (apr_size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        CU_ASSERT_FATAL(!esign_failed(esign_seal(keyring, ESIGN_KEY_CHALLENGE, "captcha", shapes[i],
                                                 strlen(shapes[i]), &sealed, pool)));
        CU_ASSERT_EQUAL(read_at(keyring, sealed, NOW), ESIGN_CAPTCHA_FORGED);
    }
    /* Values that the portal seals for other purposes or places are no challenges. */
    CU_ASSERT_FATAL(!esign_failed(esign_seal(keyring, ESIGN_KEY_COOKIE, "captcha",
                                             "ACDEF 9999999999999999", 22, &sealed, pool)));
    CU_ASSERT_EQUAL(read_at(keyring, sealed, NOW), ESIGN_CAPTCHA_FORGED);
    CU_ASSERT_FATAL(!esign_failed(esign_seal(keyring, ESIGN_KEY_CHALLENGE, "elsewhere",
                                             "ACDEF 9999999999999999", 22, &sealed, pool)));
    CU_ASSERT_EQUAL(read_at(keyring, sealed, NOW), ESIGN_CAPTCHA_FORGED);
}

static void test_keys(void)
{
    const char *challenge = issue(keys_load("key 1 " KEY_A "\n"));
    CU_ASSERT_EQUAL(read_at(keys_load("key 1 " KEY_B "\n"), challenge, NOW), ESIGN_CAPTCHA_FORGED);
    CU_ASSERT_EQUAL(read_at(keys_load("key 2 " KEY_A "\n"), challenge, NOW), ESIGN_CAPTCHA_FORGED);
    CU_ASSERT_EQUAL(read_at(keys_load("key 1 " KEY_A "\nkey 2 " KEY_B "\n"), challenge, NOW),
                    ESIGN_CAPTCHA_OPEN);
}

static void test_matches(void)
{
    static const char *const right[] = { "KIT34",
                                         "kit34",
                                         "kıt34",
                                         "KİT34",
                                         " k I t 3 4 ",
                                         "\tKIT\xC2\xA0"
                                         "34" };
    static const char *const wrong[] = { "",      " ",        "KIT3",  "KIT345", "KT34",
                                         "KIT43", "KIT3\xC4", "KÎT34", "K1T34" };
    for (apr_size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
        CU_ASSERT(esign_captcha_matches("KIT34", right[i]));
    for (apr_size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CU_ASSERT(!esign_captcha_matches("KIT34", wrong[i]));
}

static const char *draw(const char *answer, const char *challenge, apr_size_t *length)
{
    const char *png = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_captcha_draw(answer, challenge, &png, length, pool)));
    return png;
}

#define PIXELS (ESIGN_CAPTCHA_WIDTH * ESIGN_CAPTCHA_HEIGHT)

/* The pixels of the picture, 0 is black. */
static void draw_pixels(const char *answer, const char *challenge, unsigned char pixels[PIXELS])
{
    apr_size_t length;
    const char *png = draw(answer, challenge, &length);
    png_image image = { .version = PNG_IMAGE_VERSION };
    CU_ASSERT_FATAL(png_image_begin_read_from_memory(&image, png, length));
    CU_ASSERT_FATAL(image.width == 200 && image.height == 60);
    CU_ASSERT_EQUAL(image.format &
                        (PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_COLORMAP),
                    0);
    image.format = PNG_FORMAT_GRAY;
    CU_ASSERT(png_image_finish_read(&image, NULL, pixels, 0, NULL));
}

static void test_picture(void)
{
    for (int i = 0; i < 50; i++) {
        unsigned char pixels[PIXELS];
        int dark = 0;
        draw_pixels("NCRK9", apr_psprintf(pool, "challenge-%d", i), pixels);
        for (int pixel = 0; pixel < PIXELS; pixel++)
            dark += pixels[pixel] < 96;
        /* Five bold letters and the inverted band: neither an empty picture nor a black one. */
        CU_ASSERT(dark > PIXELS / 5 && dark < PIXELS * 4 / 5);
    }
}

static void test_seed(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n"),
                          *other = keys_load("key 1 " KEY_B "\n");
    const char *challenge = issue(keyring), *seed = esign_captcha_seed(keyring, challenge, pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(seed);
    CU_ASSERT_STRING_EQUAL(seed, esign_captcha_seed(keyring, challenge, pool));
    CU_ASSERT_STRING_NOT_EQUAL(seed, esign_captcha_seed(keyring, issue(keyring), pool));
    CU_ASSERT_STRING_NOT_EQUAL(seed, esign_captcha_seed(other, challenge, pool));
    CU_ASSERT_PTR_NULL(esign_captcha_seed(keys_load("key 2 " KEY_A "\n"), challenge, pool));
}

/* Another last letter changes the distortion of the first ones too. */
static void test_distortion(void)
{
    unsigned char one[PIXELS], other[PIXELS];
    int differing = 0;
    draw_pixels("ACDEN", "a challenge", one);
    draw_pixels("ACDEH", "a challenge", other);
    for (int pixel = 0; pixel < PIXELS; pixel++)
        differing +=
            pixel % ESIGN_CAPTCHA_WIDTH < ESIGN_CAPTCHA_WIDTH / 2 && one[pixel] != other[pixel];
    CU_ASSERT(differing > PIXELS / 2 / 10);
}

static void test_same_picture(void)
{
    apr_size_t first, again, other;
    const char *picture = draw("ACDEN", "a challenge", &first);
    const char *repeated = draw("ACDEN", "a challenge", &again);
    CU_ASSERT(first == again && memcmp(picture, repeated, first) == 0);
    const char *elsewhere = draw("ACDEN", "another one", &other);
    CU_ASSERT(first != other || memcmp(picture, elsewhere, first) != 0);
    const char *answer = draw("ACDEH", "a challenge", &other);
    CU_ASSERT(first != other || memcmp(picture, answer, first) != 0);
}

static void test_no_outline(void)
{
    const char *png;
    apr_size_t length;
    CU_ASSERT(esign_failed(esign_captcha_draw("ACDEF", "a challenge", &png, &length, pool)));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a challenge holds its answer, of letters that do not look alike",
                              test_issued },
                            { "a challenge expires", test_expired },
                            { "a forged or changed challenge is refused", test_forged },
                            { "a challenge opens with the key that sealed it", test_keys },
                            { "spaces, case and the kind of i do not matter", test_matches },
                            { "the picture is a grey PNG with ink on it", test_picture },
                            { "the seed of a challenge depends on the key", test_seed },
                            { "the distortion depends on the answer too", test_distortion },
                            { "a challenge always gives its own picture", test_same_picture },
                            { "a character outside the alphabet is refused", test_no_outline },
                            CU_TEST_INFO_NULL };
    return suite_run("captcha", tests);
}
