/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: what every target has: an input as texts, a pool for it, keys, files, and an assertion. A
 * target is one function, fuzz_one. */
#ifndef ESIGN_TESTS_FUZZ_H
#define ESIGN_TESTS_FUZZ_H

#include "core/keyring.h"

#include <apr_pools.h>
#include <apr_strings.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A property that every input must keep; the input that breaks it is kept by libFuzzer, or named by
 * the replay. */
#define HOLDS(property)                                                                          \
    ((property) ? (void)0                                                                        \
                : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property), \
                   abort()))

/* The target: `data` is what came from outside; `p` goes after the call. */
void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p);

/* The rest of an input, whose parts are taken from its front. */
typedef struct {
    const char *data;
    apr_size_t size;
} fuzz_rest_t;

/* One byte, 0 at the end. */
unsigned char fuzz_byte(fuzz_rest_t *rest);

/* Up to the next line feed, or the end; a text stops at a NUL as everywhere. In `p`, with nothing
 * after its end. */
char *fuzz_line(fuzz_rest_t *rest, apr_pool_t *p);

/* All that is left, as a text. */
char *fuzz_text(fuzz_rest_t *rest, apr_pool_t *p);

/* The path of a file of this name with mode 0600 that holds just these bytes; in a folder of the
 * program's own, gone with it. Static until the next call with another name. */
const char *fuzz_file(const char *name, const void *data, apr_size_t size);

/* Where fuzz_file's files are. */
const char *fuzz_folder(void);

/* Two keys, loaded from a key file once; the second is active. */
const esign_keyring_t *fuzz_keyring(void);

/* Makes libxml2 and libxslt ready, once. */
void fuzz_libraries(void);

/* Whether a text is UTF-8 and has no control character but those of `allowed`. */
int fuzz_clean(const char *text, const char *allowed);

#endif
