/* SPDX-License-Identifier: Apache-2.0 */
/* finds.h: inputs of a fuzz target as lines of text, one an input, so that they diff and grep.
 *
 * Printable ASCII stands as it is. A line feed is \n, a tab \t, a backslash \\, every other byte
 * \xNN. So are a space at the end of a line, which editors remove, and a # at its start, which
 * begins a comment. An empty line is the empty input. */
#ifndef ESIGN_FUZZ_FINDS_H
#define ESIGN_FUZZ_FINDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The line of an input, without its line feed: from malloc, the caller's to free. NULL without
 * memory. */
char *finds_encode(const uint8_t *data, size_t size);

/* The input of a line, in memory from malloc that ends where the input ends, so that a sanitizer
 * sees a read beyond it; the caller's to free. NULL for a line that is malformed, or without
 * memory. */
uint8_t *finds_decode(const char *line, size_t *size);

/* The next line of a file that is no comment, without its line feed: in `*line`, of getline's
 * `capacity`. 0 at the end of the file. `number` counts lines. */
int finds_next(FILE *file, char **line, size_t *capacity, int *number);

#endif
