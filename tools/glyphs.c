/* SPDX-License-Identifier: Apache-2.0 */
/* glyphs.c: a program of the build: reads the outlines of the picture's characters from a font
 * file, and prints them as rows of C for captcha_draw.c. */
#include "challenge/captcha.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_BBOX_H
#include FT_OUTLINE_H

#include <stdio.h>
#include <stdlib.h>

#define SIZE 40 /* pixels of an em; FreeType counts in 1/64 of a pixel */

/* The point of the font that becomes 0, 0. */
typedef struct {
    FT_Pos x, y;
} centre_t;

static const char *font;

static void require(int done, const char *problem)
{
    if (done)
        return;
    fprintf(stderr, "glyphs-make: %s: %s; on Debian: apt-get install fonts-dejavu-core\n", font,
            problem);
    exit(EXIT_FAILURE);
}

/* Prints a step of an outline. The font's y grows upwards, the picture's downwards. */
static int print_step(const char *kind, const FT_Vector *point, const void *data)
{
    const centre_t *centre = data;
    printf(" { %s, %ld, %ld },", kind, point->x - centre->x, centre->y - point->y);
    return 0;
}

static int print_move(const FT_Vector *to, void *centre)
{
    return print_step("MOVE", to, centre);
}

static int print_line(const FT_Vector *to, void *centre)
{
    return print_step("LINE", to, centre);
}

static int print_curve(const FT_Vector *control, const FT_Vector *to, void *centre)
{
    print_step("CONTROL", control, centre);
    return print_step("CURVE", to, centre);
}

/* TrueType fonts have no cubic curves. */
static int refuse_cubic(const FT_Vector *control, const FT_Vector *other, const FT_Vector *to,
                        void *centre)
{
    (void)control, (void)other, (void)to, (void)centre;
    return 1;
}

/* Prints one row of the table: a character and its closed outlines. Hinting is off, because it
 * fits outlines to upright pixels and captcha_draw.c turns and scales them. */
static void print_glyph(FT_Face face, char letter)
{
    static const FT_Outline_Funcs printers = { print_move,   print_line, print_curve,
                                               refuse_cubic, 0,          0 };
    FT_BBox box;
    require(FT_Load_Char(face, (FT_ULong)letter, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) == 0 &&
                FT_Outline_Get_BBox(&face->glyph->outline, &box) == 0 && box.xMax > box.xMin,
            "the font lacks a character");
    centre_t centre = { (box.xMin + box.xMax) / 2, (box.yMin + box.yMax) / 2 };
    printf("{ '%c', (const step_t[]){", letter);
    require(FT_Outline_Decompose(&face->glyph->outline, &printers, &centre) == 0,
            "the font is not TrueType");
    printf(" { END, 0, 0 } } },\n");
}

int main(int count, char **arguments)
{
    FT_Library library;
    FT_Face face;
    if (count != 2) {
        fprintf(stderr, "usage: glyphs-make FONTFILE\n");
        return EXIT_FAILURE;
    }
    font = arguments[1];
    require(FT_Init_FreeType(&library) == 0 && FT_New_Face(library, font, 0, &face) == 0 &&
                FT_Set_Pixel_Sizes(face, 0, SIZE) == 0,
            "the font cannot be read");
    for (const char *letter = ESIGN_CAPTCHA_ALPHABET; *letter != '\0'; letter++)
        print_glyph(face, *letter);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
