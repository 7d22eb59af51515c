/* SPDX-License-Identifier: Apache-2.0 */
/* captcha_draw.c: draws an answer, its characters turned and close together, part of them white on black, all bent along a wave, and packs it as PNG. */
#include "core/captcha.h"
#include "core/digest.h"
#include "core/secret.h"

#include <cairo.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define PROBLEM "picture"
#define FONT "DejaVu Sans"
#define FONT_SIZE 40.0
#define STEP 34.0                /* from one character to the next: wide ones touch */
#define SPECKS 260
#define DEPTH 4                  /* bits a pixel: with more the noise takes most of the file */
#define WHITE ((1 << DEPTH) - 1)
#define ROW (ESIGN_CAPTCHA_WIDTH * DEPTH / 8)
#define MAX_PNG 6144             /* above the size of all pixels, which is what the worst noise would take */

/* xorshift64* of Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016): quick, and distortion asks for no more. */
typedef struct {
    uint64_t state;
} generator_t;

/* How far a point moves: downwards along x, and to the right along y. */
typedef struct {
    double height, length, phase;
    double sway, pitch, offset;
} wave_t;

/* A character's centre, angle and size. */
typedef struct {
    double x, y, sine, cosine, scale;
} placement_t;

typedef struct {
    char *bytes;
    apr_size_t length;
} buffer_t;

static generator_t seed(const char *answer, const char *chance)
{
    unsigned char digest[ESIGN_DIGEST_SIZE];
    generator_t generator;
    esign_digest_sha256(chance, strlen(chance), digest);
    esign_digest_hmac(digest, answer, strlen(answer), digest);
    memcpy(&generator.state, digest, sizeof generator.state);
    generator.state |= 1;   /* from 0 it would never leave */
    return generator;
}

static uint32_t next(generator_t *generator)
{
    generator->state ^= generator->state >> 12;
    generator->state ^= generator->state << 25;
    generator->state ^= generator->state >> 27;
    return (uint32_t)(generator->state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static double between(generator_t *generator, double low, double high)
{
    return low + (high - low) * next(generator) / UINT32_MAX;
}

static wave_t make_wave(generator_t *generator)
{
    wave_t wave;
    wave.height = between(generator, 3.0, 5.0);
    wave.length = between(generator, 70.0, 120.0);
    wave.phase = between(generator, 0.0, 2 * M_PI);
    wave.sway = between(generator, 1.5, 3.0);
    wave.pitch = between(generator, 35.0, 60.0);
    wave.offset = between(generator, 0.0, 2 * M_PI);
    return wave;
}

/* Moves every point of the current path: to its place when there is one, then along the wave. */
static void bend(cairo_t *cairo, const placement_t *placement, const wave_t *wave)
{
    cairo_path_t *path = cairo_copy_path(cairo);
    for (int i = 0; i < path->num_data; i += path->data[i].header.length)
        for (int j = 1; j < path->data[i].header.length; j++) {
            double x = path->data[i + j].point.x, y = path->data[i + j].point.y;
            if (placement != NULL) {
                double turned = placement->x + placement->scale * (x * placement->cosine - y * placement->sine);
                y = placement->y + placement->scale * (x * placement->sine + y * placement->cosine);
                x = turned;
            }
            path->data[i + j].point.x = x + wave->sway * sin(2 * M_PI * y / wave->pitch + wave->offset);
            path->data[i + j].point.y = y + wave->height * sin(2 * M_PI * x / wave->length + wave->phase);
        }
    cairo_new_path(cairo);
    cairo_append_path(cairo, path);
    cairo_path_destroy(path);
}

/* The character's outline around the origin. The font has one size for all, so cairo finds the outlines in its cache. */
static void outline(cairo_t *cairo, char letter)
{
    const char text[] = { letter, '\0' };
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, text, &extents);
    cairo_new_path(cairo);
    cairo_move_to(cairo, -extents.x_bearing - extents.width / 2, -extents.y_bearing - extents.height / 2);
    cairo_text_path(cairo, text);
}

static void draw_letters(cairo_t *cairo, const char *answer, const wave_t *wave, generator_t *generator)
{
    const double left = (ESIGN_CAPTCHA_WIDTH - STEP * ESIGN_CAPTCHA_LENGTH) / 2;
    cairo_select_font_face(cairo, FONT, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cairo, FONT_SIZE);
    for (int i = 0; answer[i] != '\0' && i < ESIGN_CAPTCHA_LENGTH; i++) {
        double angle = between(generator, -0.30, 0.30);
        placement_t placement = { .sine = sin(angle), .cosine = cos(angle), .scale = between(generator, 0.92, 1.12) };
        placement.x = left + STEP * (i + 0.5) + between(generator, -2.5, 2.5);
        placement.y = ESIGN_CAPTCHA_HEIGHT / 2.0 + between(generator, -4.0, 4.0);
        outline(cairo, answer[i]);
        bend(cairo, &placement, wave);
        cairo_fill(cairo);
    }
}

/* A line through the letters makes it hard to cut them apart. */
static void draw_line(cairo_t *cairo, const wave_t *wave, generator_t *generator)
{
    double from = between(generator, 14.0, ESIGN_CAPTCHA_HEIGHT - 14.0), to = between(generator, 14.0, ESIGN_CAPTCHA_HEIGHT - 14.0);
    double bulge = between(generator, -25.0, 25.0);
    cairo_new_path(cairo);
    cairo_move_to(cairo, 4, from);
    cairo_curve_to(cairo, ESIGN_CAPTCHA_WIDTH / 3.0, from + bulge, ESIGN_CAPTCHA_WIDTH * 2 / 3.0, to - bulge, ESIGN_CAPTCHA_WIDTH - 4, to);
    bend(cairo, NULL, wave);
    cairo_set_line_width(cairo, between(generator, 2.0, 2.8));
    cairo_stroke(cairo);
}

/* One side of the band, from where the path stands at `from` to `to`; it is bent, so that no straight edge tells where it runs. */
static void draw_side(cairo_t *cairo, double x, double from, double lean, double bulge, double to)
{
    double third = (to - from) / 3;
    cairo_line_to(cairo, x, from);
    cairo_curve_to(cairo, x + bulge, from + third, x + lean - bulge, to - third, x + lean, to);
}

/* A band in which ink and paper change places: the eye follows a letter across its sides, a threshold does not. */
static void draw_band(cairo_t *cairo, const wave_t *wave, generator_t *generator)
{
    const double top = -10.0, bottom = ESIGN_CAPTCHA_HEIGHT + 10.0;
    double left = between(generator, 15.0, 75.0), right = left + between(generator, 60.0, 95.0);
    double lean_left = between(generator, -35.0, 35.0), lean_right = between(generator, -35.0, 35.0);
    cairo_new_path(cairo);
    draw_side(cairo, left, top, lean_left, between(generator, -20.0, 20.0), bottom);
    draw_side(cairo, right + lean_right, bottom, -lean_right, between(generator, -20.0, 20.0), top);
    cairo_close_path(cairo);
    bend(cairo, NULL, wave);
    cairo_fill(cairo);
}

/* Letters and line in the upper half, the band in the lower one: cairo's own way to combine the two takes as long as all the rest. */
static void draw(cairo_t *cairo, const char *answer, generator_t *generator)
{
    wave_t wave = make_wave(generator);
    cairo_set_source_rgba(cairo, 0, 0, 0, 1);
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_FAST);   /* 16 shades, and no more are shown */
    cairo_set_tolerance(cairo, 0.3);
    cairo_rectangle(cairo, 0, 0, ESIGN_CAPTCHA_WIDTH, ESIGN_CAPTCHA_HEIGHT);
    cairo_clip(cairo);
    draw_letters(cairo, answer, &wave, generator);
    draw_line(cairo, &wave, generator);
    cairo_reset_clip(cairo);
    cairo_translate(cairo, 0, ESIGN_CAPTCHA_HEIGHT);
    cairo_rectangle(cairo, 0, 0, ESIGN_CAPTCHA_WIDTH, ESIGN_CAPTCHA_HEIGHT);
    cairo_clip(cairo);
    draw_band(cairo, &wave, generator);
}

/* Of ink and of the band, 0 to 255 each: what is of one alone. Few pixels are on a side of the band. */
static int part(int ink, int band)
{
    return band == 0 ? ink : band == 255 ? 255 - ink : (ink * (255 - band) + band * (255 - ink)) / 255;
}

/* Into `rows`, DEPTH bits a pixel, 0 black; 0 when cairo could not. */
static int draw_rows(const char *answer, generator_t *generator, unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW])
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, ESIGN_CAPTCHA_WIDTH, 2 * ESIGN_CAPTCHA_HEIGHT);
    cairo_t *cairo = cairo_create(surface);
    draw(cairo, answer, generator);
    int done = cairo_status(cairo) == CAIRO_STATUS_SUCCESS, stride = cairo_image_surface_get_stride(surface);
    cairo_surface_flush(surface);
    if (done) {
        const unsigned char *ink = cairo_image_surface_get_data(surface), *band = ink + ESIGN_CAPTCHA_HEIGHT * stride;
        for (int y = 0; y < ESIGN_CAPTCHA_HEIGHT; y++, ink += stride, band += stride)
            for (int x = 0; x < ESIGN_CAPTCHA_WIDTH; x += 2)
                rows[y][x / 2] = (unsigned char)((WHITE - (part(ink[x], band[x]) >> DEPTH)) << DEPTH | (WHITE - (part(ink[x + 1], band[x + 1]) >> DEPTH)));
    }
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return done;
}

/* Pixels turned halfway to the other end: light on ink, grey on paper. */
static void sprinkle(unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW], generator_t *generator)
{
    for (int i = 0; i < SPECKS; i++) {
        uint32_t place = next(generator) % (ESIGN_CAPTCHA_WIDTH * ESIGN_CAPTCHA_HEIGHT);
        unsigned char *pair = &rows[place / ESIGN_CAPTCHA_WIDTH][place % ESIGN_CAPTCHA_WIDTH / 2];
        *pair ^= place % 2 == 0 ? 0x70 : 0x07;
    }
}

static void append(png_structp png, png_bytep bytes, size_t length)
{
    buffer_t *buffer = png_get_io_ptr(png);
    if (length > MAX_PNG - buffer->length)
        png_error(png, "too long");
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

/* libpng's own functions for these write to stderr. */
static void stop(png_structp png, png_const_charp message)
{
    (void)message;
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static int pack(unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW], buffer_t *buffer)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, stop, ignore);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return 0;
    }
    png_set_write_fn(png, buffer, append, NULL);
    png_set_IHDR(png, info, ESIGN_CAPTCHA_WIDTH, ESIGN_CAPTCHA_HEIGHT, DEPTH, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_strategy(png, Z_RLE);   /* noise has no longer repetitions worth a search */
    png_set_compression_window_bits(png, 13);   /* all pixels in one block, and no memory beyond that */
    png_set_compression_mem_level(png, 7);
    png_write_info(png, info);
    for (int y = 0; y < ESIGN_CAPTCHA_HEIGHT; y++)
        png_write_row(png, rows[y]);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 1;
}

esign_result_t esign_captcha_draw(const char *answer, const char *chance, const char **png, apr_size_t *length, apr_pool_t *p)
{
    unsigned char rows[ESIGN_CAPTCHA_HEIGHT][ROW];
    generator_t generator = seed(answer, chance);
    if (!draw_rows(answer, &generator, rows))
        return esign_result_make(p, APR_ENOMEM, PROBLEM, "cairo cannot draw; is the font %s installed?", FONT);
    sprinkle(rows, &generator);
    buffer_t buffer = { apr_palloc(p, MAX_PNG), 0 };
    if (!pack(rows, &buffer))
        return esign_result_make(p, APR_EGENERAL, PROBLEM, "libpng cannot pack the picture");
    *png = buffer.bytes;
    *length = buffer.length;
    return ESIGN_OK;
}
