/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h: computes how much of each pixel a shape covers, with an accumulation buffer: each
 * side of the shape adds its share where it passes, and the sums down the columns are the coverage.
 * The method is R. Levien's ("Inside the fastest font renderer in the world", 2016), turned by 90
 * degrees, because compilers vectorise the sums of whole rows. */
#ifndef ESIGN_CHALLENGE_COVERAGE_H
#define ESIGN_CHALLENGE_COVERAGE_H

#include "captcha.h"

#include <stdint.h>

#define ESIGN_COVERAGE_PIXEL 256 /* units of a coordinate in a pixel's side */
#define ESIGN_COVERAGE_FULL 255  /* coverage of a pixel inside the shape */

/* The buffer, all zeros at first. Its last row, below the picture, gets the shares of sides that
 * end at the picture's bottom. */
typedef int16_t esign_coverage_t[ESIGN_CAPTCHA_HEIGHT + 1][ESIGN_CAPTCHA_WIDTH];

/* Adds one side of a shape, in units of 1/ESIGN_COVERAGE_PIXEL pixel; y grows downwards. Points may
 * lie outside the picture by up to its own size. The sides of a shape must form closed outlines.
 * The area inside is covered by the nonzero winding rule: an outline in the opposite direction is a
 * hole. At most a hundred outlines may overlap. */
void esign_coverage_add(esign_coverage_t coverage, int from_x, int from_y, int to_x, int to_y);

/* After the last side: turns the buffer into the coverage of each pixel, 0 to ESIGN_COVERAGE_FULL.
 */
void esign_coverage_sum(esign_coverage_t coverage);

#endif
