/* SPDX-License-Identifier: Apache-2.0 */
/* word_hash.h: the slow hash of a security word; what keeps it from who steals a database is its
 * seal, store/sealed.h. */
#ifndef ESIGN_CORE_WORD_HASH_H
#define ESIGN_CORE_WORD_HASH_H

#include "result.h"

/* Argon2id's cost (OWASP Password Storage): at least 19456 KiB and 2 passes; parallelism is 1. */
typedef struct {
    int memory_kib;
    int passes;
} esign_word_cost_t;

/* Once a process, before any other function here. */
esign_result_t esign_word_hash_init(void);

/* Hashes a normalized word with Argon2id (RFC 9106). The text is a PHC string, wiped with `p`. */
esign_result_t esign_word_hash_make(esign_word_cost_t cost, const char *word, const char **hash,
                                    apr_pool_t *p);

/* Compares. `hash` NULL stands for a subscriber who does not exist or has no word: the same work is
 * done against a hash of no word and `*matches` is 0. A wrong word costs the same whatever the
 * stored hash was made with, and so does a stored hash that cannot be used (APR_EINVAL, `*matches`
 * 0).
 * `*stale`: it matches but was made elsewhere with another parallelism, or with less than `cost`,
 * so hash it anew. */
esign_result_t esign_word_hash_verify(esign_word_cost_t cost, const char *word, const char *hash,
                                      int *matches, int *stale, apr_pool_t *p);

/* Why a PHC string from outside cannot be taken in (not argon2id, malformed, costlier than `cost`);
 * NULL when it can. */
const char *esign_word_hash_refusal(const char *phc, esign_word_cost_t cost);

#endif
