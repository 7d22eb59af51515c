/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.c: cuts a side at the edges of columns, and each part at the edges of rows. A piece then
 * lies in one pixel, and covers the pixels below it by its width. */
#include "coverage.h"

#include <stdlib.h>

#define PIXEL ESIGN_COVERAGE_PIXEL

/* Adds a piece within one pixel, `width` units from left to right, negative from right to left. The
 * pixel is covered below the middle of the piece, and the pixels below it by the whole width. */
static void add_piece(esign_coverage_t coverage, int row, int column, int width, int top,
                      int bottom)
{
    int above = width * (top + bottom - 2 * row * PIXEL) / (2 * PIXEL);
    coverage[row][column] = (int16_t)(coverage[row][column] + width - above);
    coverage[row + 1][column] = (int16_t)(coverage[row + 1][column] + above);
}

/* Adds the part of a side within one column. A part above the picture covers the whole column. */
static void add_column(esign_coverage_t coverage, int column, int width, int top, int bottom)
{
    if (top < 0) {
        int outside = bottom > 0 ? width * -top / (bottom - top) : width;
        add_piece(coverage, 0, column, outside, 0, 0);
        width -= outside;
        top = 0;
    }
    for (int row = top / PIXEL; row < ESIGN_CAPTCHA_HEIGHT; row++) {
        int end = (row + 1) * PIXEL;
        if (bottom <= end) {
            add_piece(coverage, row, column, width, top, bottom);
            return;
        }
        int here = width * (end - top) / (bottom - top);
        add_piece(coverage, row, column, here, top, end);
        width -= here;
        top = end;
    }
}

void esign_coverage_add(esign_coverage_t coverage, int from_x, int from_y, int to_x, int to_y)
{
    int right = to_x > from_x, x = right ? from_x : to_x, y = right ? from_y : to_y,
        end_x = right ? to_x : from_x, end_y = right ? to_y : from_y;
    int left = x > 0 ? x : 0,
        stop = end_x < ESIGN_CAPTCHA_WIDTH * PIXEL ? end_x : ESIGN_CAPTCHA_WIDTH * PIXEL;
    if (left >= stop)
        return;
    y += (int)((int64_t)(end_y - y) * (left - x) / (end_x - x));
    x = left;
    while (x < stop) {
        int column = x / PIXEL, end = (column + 1) * PIXEL;
        int next_x = end < stop ? end : stop, next_y = y + (end_y - y) * (next_x - x) / (end_x - x);
        add_column(coverage, column, right ? next_x - x : x - next_x, y < next_y ? y : next_y,
                   y < next_y ? next_y : y);
        x = next_x;
        y = next_y;
    }
}

void esign_coverage_sum(esign_coverage_t coverage)
{
    int16_t sums[ESIGN_CAPTCHA_WIDTH] = { 0 };
    for (int row = 0; row < ESIGN_CAPTCHA_HEIGHT; row++)
        for (int x = 0; x < ESIGN_CAPTCHA_WIDTH; x++) {
            sums[x] = (int16_t)(sums[x] + coverage[row][x]);
            int16_t covered = (int16_t)abs(sums[x]);
            coverage[row][x] = covered < ESIGN_COVERAGE_FULL ? covered : ESIGN_COVERAGE_FULL;
        }
}
