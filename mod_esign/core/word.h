/* SPDX-License-Identifier: Apache-2.0 */
/* word.h: the security word: which are acceptable (NIST SP 800-63B-4 section 3.1.1.2). */
#ifndef ESIGN_CORE_WORD_H
#define ESIGN_CORE_WORD_H

#include "result.h"

typedef struct esign_blocklist_t esign_blocklist_t;

typedef struct {
    int min, max;                       /* code points after NFC */
    const esign_blocklist_t *blocklist; /* NULL: none */
} esign_word_policy_t;

typedef enum {
    ESIGN_WORD_OK,
    ESIGN_WORD_EMPTY,
    ESIGN_WORD_SHORT,
    ESIGN_WORD_LONG,
    ESIGN_WORD_MALFORMED, /* not UTF-8, or with control characters */
    ESIGN_WORD_COMMON,    /* on the blocklist */
    ESIGN_WORD_PERSONAL   /* contains the subscriber's own data or the service's name */
} esign_word_verdict_e;

/* The word in NFC (libunistring), wiped with `p`; NULL when it is not UTF-8 or has control
 * characters. Nothing is trimmed, folded or cut. */
char *esign_word_normalize(const char *typed, apr_pool_t *p);

/* Judges a word that esign_word_normalize gave. `personal`: NULL-terminated texts that it must not
 * contain (number, name, e-mail, phone, service); of each the parts of 4 and more letters or digits
 * count, compared without regard to case by Turkish and by root rules, never by the locale. */
esign_word_verdict_e esign_word_check(const esign_word_policy_t *policy, const char *word,
                                      const char *const *personal, apr_pool_t *p);

/* The verdict's name as the catalogues know it: "short", "long", … */
const char *esign_word_verdict_name(esign_word_verdict_e verdict);

/* Reads a blocklist: one word a line, UTF-8, `#` comments, at most 10 million lines. Folded as
 * esign_word_check folds. */
esign_result_t esign_blocklist_load(esign_blocklist_t **blocklist, const char *path, apr_pool_t *p);

#endif
