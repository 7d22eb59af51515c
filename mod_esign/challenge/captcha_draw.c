/* SPDX-License-Identifier: Apache-2.0 */
/* captcha_draw.c: draws an answer and packs it as PNG. The characters are turned and stand close
 * together, a band across them is white on black, and everything is bent along a wave. */
#include "captcha.h"
#include "core/digest.h"
#include "core/secret.h"
#include "coverage.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define PROBLEM "picture"
#define STEP 34.0      /* pixels from one character to the next: wide ones touch */
#define TOLERANCE 0.15 /* how far a chord may lie from its curve, in pixels */
#define SPECKS 260     /* pixels of noise */
#define DEPTH 4        /* bits a pixel; with 8 the noise takes most of the file */
#define WHITE ((1 << DEPTH) - 1)
#define ROW (ESIGN_CAPTCHA_WIDTH * DEPTH / 8)
#define MAX_PNG 6144 /* bytes; more than the pixels take, so it holds even incompressible ones */

/* xorshift64* of Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016). It
 * is fast, and distortion needs no stronger numbers: its seed is secret. */
typedef struct {
    uint64_t state;
} generator_t;

typedef struct {
    double x, y;
} point_t;

/* A cubic Bézier curve: from, two control points, to. */
typedef struct {
    point_t points[4];
} curve_t;

/* A step of an outline, in 1/64 pixels from the character's centre; a quadratic curve is two steps.
 */
typedef struct {
    enum { END, MOVE, LINE, CONTROL, CURVE } kind;
    int x, y;
} step_t;

typedef struct {
    char letter;
    const step_t *outline;
} glyph_t;

static const glyph_t glyphs[] = {
#include "challenge/glyphs.inc"
};

/* Two sine waves that bend the picture. */
typedef struct {
    double height, length, phase; /* moves points downwards, depending on x */
    double sway, pitch, offset;   /* moves points to the right, depending on y */
} wave_t;

/* The centre, angle and size of a character in the picture. */
typedef struct {
    double x, y, sine, cosine, scale;
} placement_t;

typedef struct {
    char *bytes;
    apr_size_t length;
} buffer_t;

static generator_t make_generator(const char *answer, const char *seed)
{
    unsigned char digest[ESIGN_DIGEST_SIZE];
    generator_t generator;
    esign_digest_sha256(seed, strlen(seed), digest);
    esign_digest_hmac(digest, answer, strlen(answer), digest);
    memcpy(&generator.state, digest, sizeof(generator.state));
    generator.state |= 1; /* xorshift yields only zeros from 0 */
    return generator;
}

static uint32_t next_number(generator_t *generator)
{
    generator->state ^= generator->state >> 12;
    generator->state ^= generator->state << 25;
    generator->state ^= generator->state >> 27;
    return (uint32_t)(generator->state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static double random_between(generator_t *generator, double low, double high)
{
    return low + (high - low) * next_number(generator) / UINT32_MAX;
}

static wave_t make_wave(generator_t *generator)
{
    wave_t wave;
    wave.height = random_between(generator, 3.0, 5.0);
    wave.length = random_between(generator, 70.0, 120.0);
    wave.phase = random_between(generator, 0.0, 2 * M_PI);
    wave.sway = random_between(generator, 1.5, 3.0);
    wave.pitch = random_between(generator, 35.0, 60.0);
    wave.offset = random_between(generator, 0.0, 2 * M_PI);
    return wave;
}

static point_t bend_point(const wave_t *wave, double x, double y)
{
    return (point_t){ x + wave->sway * sin(2 * M_PI * y / wave->pitch + wave->offset),
                      y + wave->height * sin(2 * M_PI * x / wave->length + wave->phase) };
}

/* Where a step of an outline lies in the picture. */
static point_t place_step(const placement_t *placement, const wave_t *wave, const step_t *step)
{
    double x = step->x / 64.0, y = step->y / 64.0;
    return bend_point(
        wave, placement->x + placement->scale * (x * placement->cosine - y * placement->sine),
        placement->y + placement->scale * (x * placement->sine + y * placement->cosine));
}

static void draw_side(esign_coverage_t coverage, point_t from, point_t to)
{
    esign_coverage_add(coverage, (int)(from.x * ESIGN_COVERAGE_PIXEL),
                       (int)(from.y * ESIGN_COVERAGE_PIXEL), (int)(to.x * ESIGN_COVERAGE_PIXEL),
                       (int)(to.y * ESIGN_COVERAGE_PIXEL));
}

static point_t on_curve(const curve_t *curve, double t)
{
    const point_t *p = curve->points;
    double s = 1 - t, a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, d = t * t * t;
    return (point_t){ a * p[0].x + b * p[1].x + c * p[2].x + d * p[3].x,
                      a * p[0].y + b * p[1].y + c * p[2].y + d * p[3].y };
}

/* hypot guards against overflow, which cannot happen here, and takes three times as long. */
static double vector_length(double x, double y)
{
    return sqrt(x * x + y * y);
}

/* How many chords approximate a curve within the tolerance, by Wang's formula. */
static int count_chords(const curve_t *curve)
{
    const point_t *p = curve->points;
    double first = vector_length(p[0].x - 2 * p[1].x + p[2].x, p[0].y - 2 * p[1].y + p[2].y),
           second = vector_length(p[1].x - 2 * p[2].x + p[3].x, p[1].y - 2 * p[2].y + p[3].y);
    return (int)sqrt(0.75 / TOLERANCE * (first > second ? first : second)) + 1;
}

static void draw_curve(esign_coverage_t coverage, const curve_t *curve)
{
    int count = count_chords(curve);
    point_t from = curve->points[0];
    for (int i = 1; i <= count; i++) {
        point_t to = i < count ? on_curve(curve, (double)i / count) : curve->points[3];
        draw_side(coverage, from, to);
        from = to;
    }
}

/* Draws a quadratic curve, raised to a cubic one. */
static void draw_quadratic(esign_coverage_t coverage, point_t from, point_t control, point_t to)
{
    draw_curve(coverage,
               &(curve_t){ { from,
                             { (from.x + 2 * control.x) / 3, (from.y + 2 * control.y) / 3 },
                             { (to.x + 2 * control.x) / 3, (to.y + 2 * control.y) / 3 },
                             to } });
}

static void draw_letter(esign_coverage_t coverage, const step_t *step, const placement_t *placement,
                        const wave_t *wave)
{
    point_t at = { 0, 0 }, control = at;
    for (; step->kind != END; step++) {
        point_t to = place_step(placement, wave, step);
        if (step->kind == CONTROL) {
            control = to;
            continue;
        }
        if (step->kind == LINE)
            draw_side(coverage, at, to);
        else if (step->kind == CURVE)
            draw_quadratic(coverage, at, control, to);
        at = to;
    }
}

static const step_t *find_outline(char letter)
{
    for (size_t i = 0; i < sizeof(glyphs) / sizeof(*glyphs); i++)
        if (glyphs[i].letter == letter)
            return glyphs[i].outline;
    return NULL;
}

/* Returns 0 when a character has no outline. */
static int draw_letters(esign_coverage_t coverage, const char *answer, const wave_t *wave,
                        generator_t *generator)
{
    const double left = (ESIGN_CAPTCHA_WIDTH - STEP * ESIGN_CAPTCHA_LENGTH) / 2;
    for (int i = 0; i < ESIGN_CAPTCHA_LENGTH && answer[i] != '\0'; i++) {
        double angle = random_between(generator, -0.30, 0.30);
        placement_t placement = { .sine = sin(angle),
                                  .cosine = cos(angle),
                                  .scale = random_between(generator, 0.92, 1.12) };
        placement.x = left + STEP * (i + 0.5) + random_between(generator, -2.5, 2.5);
        placement.y = ESIGN_CAPTCHA_HEIGHT / 2.0 + random_between(generator, -4.0, 4.0);
        const step_t *outline = find_outline(answer[i]);
        if (!outline)
            return 0;
        draw_letter(coverage, outline, &placement, wave);
    }
    return 1;
}

static void bend_curve(const wave_t *wave, curve_t *curve)
{
    for (int i = 0; i < 4; i++)
        curve->points[i] = bend_point(wave, curve->points[i].x, curve->points[i].y);
}

/* The point at `distance` pixels to the right of a point of the curve. */
static point_t offset_point(const curve_t *curve, double t, double distance)
{
    point_t at = on_curve(curve, t), behind = on_curve(curve, t - 0.01),
            ahead = on_curve(curve, t + 0.01);
    double part = distance / vector_length(ahead.x - behind.x, ahead.y - behind.y);
    return (point_t){ at.x - part * (ahead.y - behind.y), at.y + part * (ahead.x - behind.x) };
}

/* Draws the outline of a stroke: along one side of the curve and back along the other. */
static void draw_stroke(esign_coverage_t coverage, const curve_t *curve, double width)
{
    int count = count_chords(curve);
    point_t start = offset_point(curve, 0, -width / 2), from = start;
    for (int i = 1; i < 2 * (count + 1); i++) {
        point_t to = i <= count
                         ? offset_point(curve, (double)i / count, -width / 2)
                         : offset_point(curve, (double)(2 * count + 1 - i) / count, width / 2);
        draw_side(coverage, from, to);
        from = to;
    }
    draw_side(coverage, from, start);
}

/* Draws a line through the letters, so that they are hard to separate. Its outline runs in the
 * direction of theirs; in the other direction it would cut holes into them. */
static void draw_line(esign_coverage_t coverage, const wave_t *wave, generator_t *generator)
{
    double from = random_between(generator, 14.0, ESIGN_CAPTCHA_HEIGHT - 14.0),
           to = random_between(generator, 14.0, ESIGN_CAPTCHA_HEIGHT - 14.0);
    double bulge = random_between(generator, -25.0, 25.0);
    curve_t curve = { { { 4, from },
                        { ESIGN_CAPTCHA_WIDTH / 3.0, from + bulge },
                        { ESIGN_CAPTCHA_WIDTH * 2 / 3.0, to - bulge },
                        { ESIGN_CAPTCHA_WIDTH - 4, to } } };
    bend_curve(wave, &curve);
    draw_stroke(coverage, &curve, random_between(generator, 2.0, 2.8));
}

/* An edge of the band, from y `from` to y `to`. It is bent, so that no search for straight lines
 * finds it. */
static curve_t make_edge(const wave_t *wave, double x, double from, double lean, double bulge,
                         double to)
{
    double third = (to - from) / 3;
    curve_t edge = { { { x, from },
                       { x + bulge, from + third },
                       { x + lean - bulge, to - third },
                       { x + lean, to } } };
    bend_curve(wave, &edge);
    return edge;
}

/* Draws the band in which black and white are exchanged. The eye follows a letter across the edges
 * of the band, a threshold on grey does not. */
static void draw_band(esign_coverage_t coverage, const wave_t *wave, generator_t *generator)
{
    const double top = -10.0, bottom = ESIGN_CAPTCHA_HEIGHT + 10.0;
    double left = random_between(generator, 15.0, 75.0),
           right = left + random_between(generator, 60.0, 95.0);
    double lean_left = random_between(generator, -35.0, 35.0),
           lean_right = random_between(generator, -35.0, 35.0);
    curve_t down =
        make_edge(wave, left, top, lean_left, random_between(generator, -20.0, 20.0), bottom);
    curve_t up = make_edge(wave, right + lean_right, bottom, -lean_right,
                           random_between(generator, -20.0, 20.0), top);
    draw_curve(coverage, &down);
    draw_side(coverage, down.points[3], up.points[0]);
    draw_curve(coverage, &up);
    draw_side(coverage, up.points[3], down.points[0]);
}

/* Makes a row of pixels: black where either ink or band covers, white where both or neither do.
 * Only eight of the sixteen shades occur, and a speck turns one of them into another. Fewer kinds
 * of bytes make less work for zlib, which spends most of its time on edges and noise. */
static void shade_row(const int16_t ink[ESIGN_CAPTCHA_WIDTH],
                      const int16_t band[ESIGN_CAPTCHA_WIDTH], unsigned char row[ROW])
{
    uint16_t shades[ESIGN_CAPTCHA_WIDTH];
    /* A loop of its own, so that compilers vectorise it. */
    for (int x = 0; x < ESIGN_CAPTCHA_WIDTH; x++) {
        uint16_t both = (uint16_t)(ink[x] * band[x]);
        uint16_t black = (uint16_t)(ink[x] + band[x] - (both >> 7)) >> 5;
        shades[x] = (uint16_t)(WHITE - (black << 1 | (black >> 1 & 1)));
    }
    for (int i = 0; i < ROW; i++)
        row[i] = (unsigned char)(shades[2 * i] << DEPTH | shades[2 * i + 1]);
}

/* Draws into `rows`, DEPTH bits a pixel, 0 is black. Returns 0 when a character has no outline. */
static int draw_rows(const char *answer, generator_t *generator,
                     unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW])
{
    esign_coverage_t ink = { 0 }, band = { 0 };
    wave_t wave = make_wave(generator);
    int drawn = draw_letters(ink, answer, &wave, generator);
    draw_line(ink, &wave, generator);
    draw_band(band, &wave, generator);
    esign_coverage_sum(ink);
    esign_coverage_sum(band);
    for (int y = 0; y < ESIGN_CAPTCHA_HEIGHT; y++)
        shade_row(ink[y], band[y], rows[y]);
    esign_secret_wipe(ink, sizeof(ink));
    return drawn;
}

/* Inverts three of the four bits of some pixels: light specks on black, grey ones on white. */
static void add_specks(unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW], generator_t *generator)
{
    for (int i = 0; i < SPECKS; i++) {
        uint32_t place = next_number(generator) % (ESIGN_CAPTCHA_WIDTH * ESIGN_CAPTCHA_HEIGHT);
        unsigned char *pair = &rows[place / ESIGN_CAPTCHA_WIDTH][place % ESIGN_CAPTCHA_WIDTH / 2];
        *pair ^= place % 2 == 0 ? 0x70 : 0x07;
    }
}

static void append_png(png_structp png, png_bytep bytes, size_t length)
{
    buffer_t *buffer = png_get_io_ptr(png);
    if (length > MAX_PNG - buffer->length)
        png_error(png, "too long");
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

/* Replace libpng's functions for errors and warnings, which write to stderr. */
static void stop_png(png_structp png, png_const_charp message)
{
    (void)message;
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* Returns 0 when libpng fails. */
static int pack_png(unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW], buffer_t *buffer)
{
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, stop_png, ignore_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (!info || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return 0;
    }
    png_set_write_fn(png, buffer, append_png, NULL);
    png_set_IHDR(png, info, ESIGN_CAPTCHA_WIDTH, ESIGN_CAPTCHA_HEIGHT, DEPTH, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_strategy(png, Z_RLE); /* a search in noise finds nothing longer than runs */
    png_set_compression_window_bits(png, 13); /* 8 KiB, which holds all pixels */
    png_set_compression_mem_level(png, 7);
    png_write_info(png, info);
    for (int y = 0; y < ESIGN_CAPTCHA_HEIGHT; y++)
        png_write_row(png, rows[y]);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 1;
}

esign_result_t esign_captcha_draw(const char *answer, const char *seed, const char **png,
                                  apr_size_t *length, apr_pool_t *p)
{
    unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW];
    generator_t generator = make_generator(answer, seed);
    if (!draw_rows(answer, &generator, rows))
        return esign_result_make(p, APR_EINVAL, PROBLEM, "a character has no outline");
    add_specks(rows, &generator);
    buffer_t buffer = { apr_palloc(p, MAX_PNG), 0 };
    if (!pack_png(rows, &buffer))
        return esign_result_make(p, APR_EGENERAL, PROBLEM, "libpng cannot pack the picture");
    *png = buffer.bytes;
    *length = buffer.length;
    return ESIGN_OK;
}
