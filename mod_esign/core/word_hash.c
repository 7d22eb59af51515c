/* SPDX-License-Identifier: Apache-2.0 */
/* word_hash.c: Argon2id by libsodium. Each comparison takes the same time, whatever its result. */
#include "word_hash.h"
#include "base64.h"
#include "defaults.h"
#include "secret.h"

#include <apr_strings.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>

#define PROBLEM "security word hash"

/* The numbers in a PHC string. */
typedef struct {
    apr_int64_t memory_kib, passes, lanes;
} phc_t;

esign_result_t esign_word_hash_init(void)
{
    if (sodium_init() < 0)
        return (esign_result_t){ APR_EGENERAL, PROBLEM, "libsodium cannot be initialised" };
    return ESIGN_OK;
}

/* Reads `name` and a decimal number without leading zeros at `*text`, and moves `*text` past them.
 */
static int read_number(const char **text, const char *name, apr_int64_t *number)
{
    apr_size_t length = strlen(name);
    if (strncmp(*text, name, length) != 0)
        return 0;
    const char *digits = *text + length;
    apr_size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 10 || digits[0] == '0')
        return 0;
    *number = apr_atoi64(digits);
    *text = digits + count;
    return 1;
}

/* Reads `$` and base64 text of `min` to 64 bytes at `*text`, and moves `*text` past them. */
static int read_bytes(const char **text, apr_size_t min)
{
    unsigned char bytes[64];
    apr_size_t length;
    if (**text != '$')
        return 0;
    const char *start = *text + 1;
    apr_size_t given = strcspn(start, "$");
    *text = start + given;
    return esign_base64_read_unpadded(bytes, sizeof(bytes), start, given, &length) && length >= min;
}

/* Reads a PHC string, and returns why it is refused; NULL when it is not. It accepts exactly what
 * libsodium's verification accepts, with salt and hash at least as long as RFC 9106 and libsodium
 * require. */
static const char *parse_phc(const char *phc, phc_t *numbers)
{
    static const char malformed[] =
        "it is malformed: write it as $argon2id$v=19$m=KIB,t=PASSES,p=1$SALT$HASH";
    static const char name[] = "$argon2id$";
    if (strncmp(phc, name, sizeof(name) - 1) != 0)
        return "it is not of argon2id";
    apr_int64_t version;
    const char *rest = phc + sizeof(name) - 1;
    if (!read_number(&rest, "v=", &version) || version != 19 ||
        !read_number(&rest, "$m=", &numbers->memory_kib) ||
        !read_number(&rest, ",t=", &numbers->passes) ||
        !read_number(&rest, ",p=", &numbers->lanes) || !read_bytes(&rest, 8) ||
        !read_bytes(&rest, 16) || *rest != '\0')
        return malformed;
    if (numbers->memory_kib > ESIGN_HASH_MEMORY_MAX)
        return "it asks for more than 1 GiB of memory";
    if (numbers->passes > ESIGN_HASH_PASSES_MAX)
        return "it asks for more than 16 passes";
    if (numbers->lanes > 64 || numbers->memory_kib < 8 * numbers->lanes)
        return "its parallelism is more than 64, or has less than 8 KiB of memory for each lane";
    return NULL;
}

const char *esign_word_hash_refusal(const char *phc, esign_word_cost_t cost)
{
    phc_t numbers;
    const char *refusal = parse_phc(phc, &numbers);
    if (!refusal &&
        numbers.memory_kib * numbers.passes > (apr_int64_t)cost.memory_kib * cost.passes)
        refusal = "it costs more than this portal's hashes, and its slowness would tell who is "
                  "registered: raise EsignHashMemory or EsignHashPasses first";
    return refusal;
}

esign_result_t esign_word_hash_make(esign_word_cost_t cost, const char *word, const char **hash,
                                    apr_pool_t *p)
{
    if (cost.memory_kib < ESIGN_HASH_MEMORY_MIN || cost.memory_kib > ESIGN_HASH_MEMORY_MAX ||
        cost.passes < ESIGN_HASH_PASSES_MIN || cost.passes > ESIGN_HASH_PASSES_MAX)
        return esign_result_make(p, APR_EINVAL, PROBLEM,
                                 "Argon2id's cost must be %d to %d KiB and %d to %d passes",
                                 ESIGN_HASH_MEMORY_MIN, ESIGN_HASH_MEMORY_MAX,
                                 ESIGN_HASH_PASSES_MIN, ESIGN_HASH_PASSES_MAX);
    char *phc = esign_secret_alloc(p, crypto_pwhash_STRBYTES);
    if (crypto_pwhash_str_alg(phc, word, strlen(word), (unsigned long long)cost.passes,
                              (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return esign_result_make(p, APR_ENOMEM, PROBLEM, "no memory for Argon2id (%d KiB)",
                                 cost.memory_kib);
    *hash = phc;
    return ESIGN_OK;
}

/* A hash that no word has, 32 zero bytes, to spend the time of a real comparison on. */
static const char *make_dummy(esign_word_cost_t cost, apr_pool_t *p)
{
    return apr_psprintf(p,
                        "$argon2id$v=19$m=%d,t=%d,p=1$bW9kX2VzaWduIGR1bW15IQ$"
                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                        cost.memory_kib, cost.passes);
}

/* Whether this much memory can be allocated. When it cannot, libsodium reports only that the hash
 * differs, but the word may be right. */
static int has_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && munmap(memory, size) == 0;
}

/* Spends the difference between `cost` and the cost of a stored hash on the dummy. Without that,
 * the time of a cheaper, older hash would tell that the subscriber is registered. It does so for
 * right words too, because a right word is refused like a wrong one while the subscriber has to
 * wait. The time of Argon2id is proportional to memory times passes. */
static void spend_rest(esign_word_cost_t cost, const phc_t *numbers, const char *word,
                       apr_pool_t *p)
{
    apr_int64_t rest =
        (apr_int64_t)cost.memory_kib * cost.passes - numbers->memory_kib * numbers->passes;
    esign_word_cost_t missing = { .memory_kib = (int)(rest / cost.passes), .passes = cost.passes };
    int differs = missing.memory_kib >= 8
                      ? crypto_pwhash_str_verify(make_dummy(missing, p), word, strlen(word))
                      : 1;
    (void)differs; /* every word differs from the dummy */
}

esign_result_t esign_word_hash_verify(esign_word_cost_t cost, const char *word, const char *hash,
                                      int *matches, int *stale, apr_pool_t *p)
{
    phc_t numbers = { 0, 0, 0 };
    const char *refusal = hash == NULL ? NULL : parse_phc(hash, &numbers);
    int real = hash != NULL && !refusal;
    *matches = *stale = 0;
    errno = 0;
    int verified = crypto_pwhash_str_verify(real ? hash : make_dummy(cost, p), word, strlen(word));
    apr_int64_t memory = (real ? numbers.memory_kib : cost.memory_kib) * 1024;
    if (verified != 0 && (errno != EINVAL || !has_memory((size_t)memory)))
        return esign_result_make(p, APR_ENOMEM, PROBLEM, "no memory for Argon2id");
    *matches = verified == 0 && real && word[0] != '\0';
    if (real)
        spend_rest(cost, &numbers, word, p);
    if (refusal)
        return esign_result_make(p, APR_EINVAL, PROBLEM, "a stored hash cannot be used: %s",
                                 refusal);
    *stale = *matches && (numbers.lanes != 1 || numbers.memory_kib < cost.memory_kib ||
                          numbers.passes < cost.passes);
    return ESIGN_OK;
}
