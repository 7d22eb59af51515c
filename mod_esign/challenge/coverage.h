/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h: how much of each pixel of the picture a shape covers, by an accumulation buffer:
 * every side of the shape leaves its share where it passes, and sums downwards are the coverage.
 * After R. Levien, "Inside the fastest font renderer in the world" (2016), turned round: running
 * sums of whole rows are what compilers make vectors of. */
#ifndef ESIGN_CHALLENGE_COVERAGE_H
#define ESIGN_CHALLENGE_COVERAGE_H

#include "captcha.h"

#include <stdint.h>

#define ESIGN_COVERAGE_PIXEL 256 /* units of a coordinate in a pixel's side */
#define ESIGN_COVERAGE_FULL 255

/* From all zeros; the row beneath the picture takes what ends at its bottom. */
typedef int16_t esign_coverage_t[ESIGN_CAPTCHA_HEIGHT + 1][ESIGN_CAPTCHA_WIDTH];

/* One side of a shape, from one point to the next; y grows downwards, and points may lie outside
 * the picture, by up to its own size. The sides of a shape must close. What they go round in one
 * direction is covered, however often (up to a hundred times); what they go round in both as often
 * is not, so a hole runs against its outline. */
void esign_coverage_add(esign_coverage_t coverage, int from_x, int from_y, int to_x, int to_y);

/* When all sides are there: makes of them each pixel's coverage, 0 to ESIGN_COVERAGE_FULL. */
void esign_coverage_sum(esign_coverage_t coverage);

#endif
