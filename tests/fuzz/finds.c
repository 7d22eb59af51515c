/* SPDX-License-Identifier: Apache-2.0 */
/* finds.c: writes inputs of a fuzz target as lines of text, and reads them back. */
#include "finds.h"

#include <stdlib.h>
#include <string.h>

#define WIDEST 4 /* \xNN */

char *finds_encode(const uint8_t *data, size_t size)
{
    char *line = malloc(WIDEST * size + 1), *at = line;
    for (size_t i = 0; line && i < size; i++) {
        int hidden = (data[i] == '#' && i == 0) || (data[i] == ' ' && i == size - 1);
        if (data[i] == '\n' || data[i] == '\t' || data[i] == '\\') {
            *at++ = '\\';
            *at++ = data[i] == '\n' ? 'n' : data[i] == '\t' ? 't' : '\\';
        } else if (data[i] >= ' ' && data[i] < 0x7f && !hidden) {
            *at++ = (char)data[i];
        } else {
            at += sprintf(at, "\\x%02x", data[i]);
        }
    }
    if (line)
        *at = '\0';
    return line;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a line and how many characters it takes there; 0: malformed. */
static size_t decode_byte(const char *at, uint8_t *byte)
{
    static const char names[] = "nt\\", bytes[] = "\n\t\\";
    *byte = (uint8_t)*at;
    if (*at != '\\')
        return *at >= ' ' && *at < 0x7f;
    const char *name = at[1] ? strchr(names, at[1]) : NULL;
    if (name) {
        *byte = (uint8_t)bytes[name - names];
        return 2;
    }
    if (at[1] != 'x' || digit_of(at[2]) < 0 || digit_of(at[3]) < 0)
        return 0;
    *byte = (uint8_t)(digit_of(at[2]) << 4 | digit_of(at[3]));
    return WIDEST;
}

uint8_t *finds_decode(const char *line, size_t *size)
{
    uint8_t byte;
    size_t length;
    *size = 0;
    for (const char *at = line; *at; at += length, ++*size)
        if ((length = decode_byte(at, &byte)) == 0)
            return NULL;
    uint8_t *data = malloc(*size);
    for (size_t i = 0; data && i < *size; i++)
        line += decode_byte(line, &data[i]);
    return data;
}

int finds_next(FILE *file, char **line, size_t *capacity, int *number)
{
    ssize_t length;
    while ((length = getline(line, capacity, file)) >= 0) {
        ++*number;
        if ((*line)[0] == '#')
            continue;
        if (length > 0 && (*line)[length - 1] == '\n')
            (*line)[length - 1] = '\0';
        return 1;
    }
    return 0;
}
