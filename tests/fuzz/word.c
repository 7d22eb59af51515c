/* SPDX-License-Identifier: Apache-2.0 */
/* word.c: a security word, a blocklist, the subscriber's own data, and a hash from outside. No
 * Argon2 is run. */
#include "fuzz.h"

#include "core/word.h"
#include "core/word_hash.h"

#include <sodium.h>
#include <unistr.h>

static apr_size_t points(const char *text)
{
    return u8_mbsnlen((const uint8_t *)text, strlen(text));
}

/* Of valid UTF-8: one of the control characters beyond ASCII. */
static int has_c1(const char *text)
{
    for (; *text; text++)
        if (text[0] == '\xC2' && (unsigned char)text[1] < 0xA0)
            return 1;
    return 0;
}

static void judge(const char *typed, const char *own, apr_pool_t *p)
{
    const esign_word_policy_t any = { .min = 1, .max = 100000 };
    const char *const nothing[] = { NULL }, *const personal[] = { own, NULL };
    const char *word = esign_word_normalize(typed, p);
    HOLDS((word != NULL) == (fuzz_clean(typed, "") && !has_c1(typed)));
    if (!word)
        return;
    HOLDS(fuzz_clean(word, "") && strcmp(esign_word_normalize(word, p), word) == 0 &&
          strlen(word) <= 3 * strlen(typed));
    HOLDS(esign_word_check(&any, word, nothing, p) == (*word ? ESIGN_WORD_OK : ESIGN_WORD_EMPTY));
    /* Both ends of the length, in code points, are acceptable, and one beyond is not. */
    int length = (int)points(word);
    if (length > 1) {
        const esign_word_policy_t just = { .min = length, .max = length },
                                  longer = { .min = length + 1, .max = length + 1 },
                                  shorter = { .min = 1, .max = length - 1 };
        HOLDS(esign_word_check(&just, word, nothing, p) == ESIGN_WORD_OK);
        HOLDS(esign_word_check(&longer, word, nothing, p) == ESIGN_WORD_SHORT &&
              esign_word_check(&shorter, word, nothing, p) == ESIGN_WORD_LONG);
    }
    /* Whoever is called so cannot have a word with it inside. */
    if (*word)
        HOLDS(esign_word_verdict_name(esign_word_check(&any, word, personal, p)) != NULL);
    const char *name = esign_word_normalize(own, p);
    if (name && strlen(name) >= 4 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
            strlen(name))
        HOLDS(esign_word_check(&any,
                               esign_word_normalize(apr_pstrcat(p, word, " ", own, "!", NULL), p),
                               personal, p) == ESIGN_WORD_PERSONAL);
}

/* Every line of a blocklist that is taken in is refused as a word. */
static void blocklist(const char *list, apr_size_t size, apr_pool_t *p)
{
    esign_blocklist_t *loaded;
    const char *const nothing[] = { NULL };
    esign_result_t result = esign_blocklist_load(&loaded, fuzz_file("list", list, size), p);
    if (esign_failed(result)) {
        HOLDS(fuzz_clean(result.detail, "") && strstr(result.detail, " line "));
        return;
    }
    const esign_word_policy_t policy = { .min = 1, .max = 100000, .blocklist = loaded };
    fuzz_rest_t rest = { list, size };
    while (rest.size > 0) {
        char *line = fuzz_line(&rest, p);
        size_t length = strlen(line);
        while (length > 0 && line[length - 1] == '\r')
            line[--length] = '\0';
        if (length > 0 && line[0] != '#')
            HOLDS(esign_word_check(&policy, esign_word_normalize(line, p), nothing, p) ==
                  ESIGN_WORD_COMMON);
    }
}

/* What is taken in is what libsodium can compare with, at a bounded cost. */
static void hash(const char *phc)
{
    const esign_word_cost_t cost = { .memory_kib = 19456, .passes = 2 };
    const char *refusal = esign_word_hash_refusal(phc, cost);
    if (refusal)
        return;
    HOLDS(strncmp(phc, "$argon2id$v=19$m=", 17) == 0 && strlen(phc) < 256 && fuzz_clean(phc, "") &&
          strspn(phc + 1, "$argon2id=,vmtp+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZbcefhjklqsuwxyz") ==
              strlen(phc + 1));
    HOLDS(strlen(phc) >= crypto_pwhash_STRBYTES ||
          crypto_pwhash_argon2id_str_needs_rehash(phc, 2, 19456 * 1024) >= 0);
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    HOLDS(!esign_failed(esign_word_hash_init()));
    fuzz_rest_t rest = { data, size };
    const char *typed = fuzz_line(&rest, p), *own = fuzz_line(&rest, p);
    judge(typed, own, p);
    hash(typed);
    hash(apr_pstrcat(p, "$argon2id$", typed, NULL));
    blocklist(rest.size ? rest.data : "", rest.size, p);
}
