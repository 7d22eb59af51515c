/* SPDX-License-Identifier: Apache-2.0 */
/* word.h: checks whether a new security word is acceptable (NIST SP 800-63B-4 section 3.1.1.2). */
#ifndef ESIGN_CORE_WORD_H
#define ESIGN_CORE_WORD_H

#include "result.h"

typedef struct esign_blocklist_t esign_blocklist_t;

typedef struct {
    int min, max;                       /* length in code points, in NFC */
    const esign_blocklist_t *blocklist; /* NULL: none */
} esign_word_policy_t;

typedef enum {
    ESIGN_WORD_OK,
    ESIGN_WORD_EMPTY,
    ESIGN_WORD_SHORT,
    ESIGN_WORD_LONG,
    ESIGN_WORD_MALFORMED, /* not UTF-8, or with control characters */
    ESIGN_WORD_COMMON,    /* on the blocklist */
    ESIGN_WORD_PERSONAL   /* contains data of the subscriber, or the service's name */
} esign_word_verdict_e;

/* The word in NFC, in `p`, wiped with it. NULL when it is not UTF-8 or has control characters. It
 * is neither trimmed nor truncated, and its case is kept. */
char *esign_word_normalize(const char *typed, apr_pool_t *p);

/* Judges a word that esign_word_normalize gave; NULL is malformed. `personal` is a NULL-terminated
 * array of texts of which the word must not contain parts: number, name, e-mail, phone, service. A
 * part is a run of at least 4 letters or digits. Case does not count, neither by Turkish rules nor
 * by those of other languages; the locale has no effect. */
esign_word_verdict_e esign_word_check(const esign_word_policy_t *policy, const char *word,
                                      const char *const *personal, apr_pool_t *p);

/* The name of a verdict in the catalogues' keys: "short", "long", … */
const char *esign_word_verdict_name(esign_word_verdict_e verdict);

/* Reads a blocklist: UTF-8, one word a line, lines that begin with `#` are comments, at most 10
 * million lines. Case does not count. Freed with `p`; read-only, so threads share it. */
esign_result_t esign_blocklist_load(esign_blocklist_t **blocklist, const char *path, apr_pool_t *p);

#endif
