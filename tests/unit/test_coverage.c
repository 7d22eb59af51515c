/* SPDX-License-Identifier: Apache-2.0 */
/* test_coverage.c: shapes whose areas are known. */
#include "challenge/coverage.h"
#include "suite.h"

#include <math.h>
#include <string.h>

#define PIXEL ESIGN_COVERAGE_PIXEL
#define FULL ESIGN_COVERAGE_FULL
#define WIDTH ESIGN_CAPTCHA_WIDTH
#define HEIGHT ESIGN_CAPTCHA_HEIGHT

static esign_coverage_t coverage;

/* Adds a shape of `count` corners, in pixels: pairs of x and y. */
static void add(int count, const double corners[][2])
{
    for (int i = 0; i < count; i++) {
        const double *from = corners[i], *to = corners[(i + 1) % count];
        esign_coverage_add(coverage, (int)(from[0] * PIXEL), (int)(from[1] * PIXEL),
                           (int)(to[0] * PIXEL), (int)(to[1] * PIXEL));
    }
}

/* Adds a rectangle: clockwise, or counter-clockwise when `right` is less than `left`. */
static void add_rectangle(double left, double top, double right, double bottom)
{
    add(4,
        (const double[][2]){ { left, top }, { right, top }, { right, bottom }, { left, bottom } });
}

static void clear(void)
{
    memset(coverage, 0, sizeof(coverage));
}

/* The covered area, in pixels. */
static double area(void)
{
    double sum = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            CU_ASSERT(coverage[y][x] >= 0 && coverage[y][x] <= FULL);
            sum += coverage[y][x];
        }
    return sum / FULL;
}

static int is_near(double is, double should)
{
    return fabs(is - should) <= 0.02 * should + 0.01;
}

static void test_rectangle(void)
{
    clear();
    add_rectangle(10, 20, 30, 25);
    esign_coverage_sum(coverage);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            CU_ASSERT_EQUAL(coverage[y][x], y >= 20 && y < 25 && x >= 10 && x < 30 ? FULL : 0);
}

static void test_parts_of_pixels(void)
{
    clear();
    add_rectangle(10.5, 20.25, 12, 21.75);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(coverage[20][10], 96);
    CU_ASSERT_EQUAL(coverage[20][11], 192);
    CU_ASSERT_EQUAL(coverage[21][10], 96);
    CU_ASSERT_EQUAL(coverage[21][11], 192);
    CU_ASSERT(is_near(area(), 1.5 * 1.5));
}

/* Flat and steep sides, through many columns and rows, with corners inside pixels. */
static void test_slopes(void)
{
    static const double triangles[][3][2] = {
        { { 10, 10 }, { 110, 10 }, { 10, 50 } },
        { { 3.3, 2.1 }, { 190.7, 7.9 }, { 5.5, 12.25 } },
        { { 50.5, 1.5 }, { 55.25, 58.75 }, { 48.1, 57.3 } },
        { { 7.1, 7.1 }, { 7.9, 7.2 }, { 7.3, 7.8 } },
    };
    for (int i = 0; i < 4; i++) {
        const double(*t)[2] = triangles[i];
        clear();
        add(3, t);
        esign_coverage_sum(coverage);
        CU_ASSERT(is_near(area(), fabs((t[1][0] - t[0][0]) * (t[2][1] - t[0][1]) -
                                       (t[2][0] - t[0][0]) * (t[1][1] - t[0][1])) /
                                      2));
    }
}

/* A diagonal covers half of each of its pixels. */
static void test_diagonal(void)
{
    clear();
    add(3, (const double[][2]){ { 20, 10 }, { 40, 30 }, { 20, 30 } });
    esign_coverage_sum(coverage);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT(abs(coverage[10 + i][20 + i] - FULL / 2) <= 2);
        CU_ASSERT_EQUAL(coverage[10 + i][21 + i], 0);
        CU_ASSERT(i == 0 || coverage[10 + i][19 + i] == FULL);
    }
}

static void test_outside(void)
{
    clear();
    add_rectangle(-100, -40, WIDTH + 150, HEIGHT + 20);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(area(), WIDTH * HEIGHT);
    /* A quarter of a rhombus around each corner lies inside the picture. */
    for (int corner = 0; corner < 4; corner++) {
        double x = corner & 1 ? WIDTH : 0, y = corner & 2 ? HEIGHT : 0;
        clear();
        add(4, (const double[][2]){
                   { x - 30.3, y }, { x, y - 20.7 }, { x + 30.3, y }, { x, y + 20.7 } });
        esign_coverage_sum(coverage);
        CU_ASSERT(is_near(area(), 30.3 * 20.7 / 2));
    }
    clear();
    add_rectangle(10, -30, 20, -10);
    add_rectangle(10, HEIGHT, 20, HEIGHT + 10);
    add_rectangle(-30, 10, -10, 20);
    add_rectangle(WIDTH, 10, WIDTH + 10, 20);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(area(), 0);
}

/* A side that leaves the picture within one column. */
static void test_leaving(void)
{
    clear();
    add(3, (const double[][2]){ { 50, -20 }, { 51, 20 }, { 50, 20 } });
    esign_coverage_sum(coverage);
    CU_ASSERT(is_near(area(), 15));
    CU_ASSERT(abs(coverage[0][50] - FULL / 2) <= 4);
    CU_ASSERT(coverage[19][50] >= FULL - 4);
}

static void test_twice_and_holes(void)
{
    clear();
    add_rectangle(10, 10, 30, 30);
    add_rectangle(20, 20, 40, 40);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(area(), 400 + 400 - 100);
    clear();
    add_rectangle(10, 10, 30, 30);
    add_rectangle(25, 15, 15, 25);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(area(), 400 - 100);
    /* Counter-clockwise it is the same shape. */
    clear();
    add_rectangle(30, 10, 10, 30);
    esign_coverage_sum(coverage);
    CU_ASSERT_EQUAL(area(), 400);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a rectangle of whole pixels covers exactly these", test_rectangle },
                            { "pixels are covered in part", test_parts_of_pixels },
                            { "slopes have the area of their triangle", test_slopes },
                            { "a diagonal covers half of its pixels", test_diagonal },
                            { "parts outside the picture are cut off", test_outside },
                            { "a side can leave the picture within a column", test_leaving },
                            { "an area covered twice counts once, a hole not at all",
                              test_twice_and_holes },
                            CU_TEST_INFO_NULL };
    return suite_run("coverage", tests);
}
