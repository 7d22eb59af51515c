/* SPDX-License-Identifier: Apache-2.0 */
/* word_hash.h: the slow hash of a security word. store/sealed.h seals it, so that a stolen database
 * does not even give hashes to guess on. */
#ifndef ESIGN_CORE_WORD_HASH_H
#define ESIGN_CORE_WORD_HASH_H

#include "result.h"

/* Argon2id's cost. Its bounds are in defaults.h; the parallelism is 1. */
typedef struct {
    int memory_kib;
    int passes;
} esign_word_cost_t;

/* Initialises libsodium. Called once in a process, before the other functions. */
esign_result_t esign_word_hash_init(void);

/* Hashes a word that esign_word_normalize gave with Argon2id (RFC 9106). `*hash` is a PHC string in
 * `p`, wiped with it. */
esign_result_t esign_word_hash_make(esign_word_cost_t cost, const char *word, const char **hash,
                                    apr_pool_t *p);

/* Compares a word with a stored hash, and sets `*matches`. `hash` is NULL for an unknown subscriber
 * and for one without a word: then the same work is done against a hash that no word has. The work
 * is always `cost`. So its time tells neither whether the subscriber exists, nor what the stored
 * hash cost, nor whether the word is right. APR_EINVAL: the stored hash cannot be used; `*matches`
 * is 0.
 * `*stale` becomes 1 when the word matches, but its hash has another parallelism or less than
 * `cost`, so the caller should hash the word again. */
esign_result_t esign_word_hash_verify(esign_word_cost_t cost, const char *word, const char *hash,
                                      int *matches, int *stale, apr_pool_t *p);

/* Why an imported PHC string is refused: it is not of Argon2id, malformed, or costs more than
 * `cost`. NULL when it is accepted. */
const char *esign_word_hash_refusal(const char *phc, esign_word_cost_t cost);

#endif
