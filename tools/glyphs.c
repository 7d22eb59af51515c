/* SPDX-License-Identifier: Apache-2.0 */
/* glyphs.c: a program of the build: takes the outline of every character of the picture from a
 * font, and writes them as rows of C for captcha_draw.c. A library that draws text brings
 * fontconfig, FreeType and X11 into httpd, and twice the time. */
#include "challenge/captcha.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_BBOX_H
#include FT_OUTLINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY "DejaVu Sans"
#define SIZE 40 /* pixels of an em; FreeType counts in 1/64 of a pixel */

/* The point that comes to lie at 0, 0. */
typedef struct {
    FT_Pos x, y;
} centre_t;

static void require(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "glyphs-make: %s; on Debian: apt-get install fonts-dejavu-core\n", what);
    exit(EXIT_FAILURE);
}

/* A step of the outline, y downwards. */
static int print(const char *kind, const FT_Vector *point, const void *centre)
{
    printf(" { %s, %ld, %ld },", kind, point->x - ((const centre_t *)centre)->x,
           ((const centre_t *)centre)->y - point->y);
    return 0;
}

static int print_move(const FT_Vector *to, void *centre)
{
    return print("MOVE", to, centre);
}

static int print_line(const FT_Vector *to, void *centre)
{
    return print("LINE", to, centre);
}

static int print_curve(const FT_Vector *control, const FT_Vector *to, void *centre)
{
    print("CONTROL", control, centre);
    return print("CURVE", to, centre);
}

/* TrueType has none. */
static int refuse_cubic(const FT_Vector *control, const FT_Vector *other, const FT_Vector *to,
                        void *centre)
{
    (void)control, (void)other, (void)to, (void)centre;
    return 1;
}

/* A row of the table: the character and its closed outlines, as they stand in the font, without
 * hints for a size: they are turned and scaled. */
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

/* The file of the bold face. */
static const char *find_font(void)
{
    FcResult result;
    FcChar8 *family, *file;
    FcPattern *wanted = FcNameParse((const FcChar8 *)FAMILY ":bold");
    FcConfigSubstitute(NULL, wanted, FcMatchPattern);
    FcDefaultSubstitute(wanted);
    FcPattern *found = FcFontMatch(NULL, wanted, &result);
    require(found != NULL && FcPatternGetString(found, FC_FAMILY, 0, &family) == FcResultMatch &&
                strcmp((const char *)family, FAMILY) == 0 &&
                FcPatternGetString(found, FC_FILE, 0, &file) == FcResultMatch,
            "there is no font " FAMILY);
    return (const char *)file;
}

int main(void)
{
    FT_Library library;
    FT_Face face;
    require(FT_Init_FreeType(&library) == 0 && FT_New_Face(library, find_font(), 0, &face) == 0 &&
                (face->style_flags & FT_STYLE_FLAG_BOLD) && FT_Set_Pixel_Sizes(face, 0, SIZE) == 0,
            "there is no bold font " FAMILY);
    for (const char *letter = ESIGN_CAPTCHA_ALPHABET; *letter != '\0'; letter++)
        print_glyph(face, *letter);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
