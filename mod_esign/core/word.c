/* SPDX-License-Identifier: Apache-2.0 */
/* word.c: checks a security word's form, its absence from the blocklist, and that it contains no
 * data of the subscriber. */
#include "word.h"
#include "ascii.h"
#include "digest.h"
#include "secret.h"

#include <apr_strings.h>

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#define PROBLEM "blocklist"
#define MAX_LINES 10000000
#define MIN_PART 4         /* shorter parts of personal texts occur in too many good words */
#define COUNTRY_CODE_MAX 3 /* digits, ITU-T E.164 */
#define FOLDS 2

/* Case folding by Turkish rules (I and ı, İ and i) and by those of other languages (I and i), as
 * libunistring names them. */
static const char *const fold_languages[FOLDS] = { "tr", "" };

/* A hash table with open addressing. It holds keyed hashes instead of the words, 11 to 21 bytes for
 * each word, because a quarter of the table stays free. With 10 million words, the probability that
 * a good word is refused is 1 in 10^12. */
struct esign_blocklist_t {
    unsigned char key[crypto_shorthash_KEYBYTES];
    apr_size_t count, places; /* `places` is a power of two */
    uint64_t *hashes;         /* each at the place of its low bits, or at the next that was free */
};

#define FREE 0           /* the value of a free place */
#define PLACES_MIN 16384 /* for 12,288 words */

/* A word in both folds. */
typedef struct {
    const char *fold[FOLDS];
} folded_t;

/* Folds ASCII text as libunistring does, but a hundred times as fast. Nearly all words of a
 * blocklist are ASCII. */
static const char *fold_ascii(const char *composed, apr_size_t length, int turkish, apr_pool_t *p)
{
    char *folded = esign_secret_alloc(p, 2 * length + 1), *end = folded;
    for (apr_size_t i = 0; i < length; i++)
        if (turkish && composed[i] == 'I')
            end = apr_cpystrn(end, "\xc4\xb1", 3); /* U+0131 */
        else
            *end++ = (char)(composed[i] >= 'A' && composed[i] <= 'Z' ? composed[i] - 'A' + 'a'
                                                                     : composed[i]);
    return folded;
}

/* The NFC of valid UTF-8. A code point grows at most threefold, so the buffer is large enough for
 * any text, and libunistring leaves no copy on the heap. */
static char *compose_text(const char *text, apr_size_t length, apr_pool_t *p)
{
    if (esign_ascii(text, length))
        return esign_secret_copy(p, text, length);
    size_t size = 3 * length + 16;
    uint8_t *composed = esign_secret_alloc(p, size);
    uint8_t *result = u8_normalize(UNINORM_NFC, (const uint8_t *)text, length, composed, &size);
    return result == composed ? (char *)composed : NULL;
}

static const char *fold_text(const char *composed, apr_size_t length, const char *language,
                             apr_pool_t *p)
{
    if (esign_ascii(composed, length))
        return fold_ascii(composed, length, *language != '\0', p);
    size_t size = 3 * length + 16;
    uint8_t *folded = esign_secret_alloc(p, size);
    uint8_t *result = u8_casefold((const uint8_t *)composed, length, language, NULL, folded, &size);
    return result == folded ? (const char *)folded : NULL;
}

/* Folds by both rules. Returns 0 when libunistring had no memory. */
static int fold_all(folded_t *folded, const char *composed, apr_size_t length, apr_pool_t *p)
{
    for (int i = 0; i < FOLDS; i++)
        if ((folded->fold[i] = fold_text(composed, length, fold_languages[i], p)) == NULL)
            return 0;
    return 1;
}

char *esign_word_normalize(const char *typed, apr_pool_t *p)
{
    apr_size_t length = strlen(typed);
    if (u8_check((const uint8_t *)typed, length) != NULL)
        return NULL;
    ucs4_t c;
    for (const uint8_t *next = (const uint8_t *)typed; (next = u8_next(&c, next)) != NULL;)
        if (c < 0x80 ? c < 0x20 || c == 0x7f : uc_is_general_category(c, UC_CONTROL))
            return NULL;
    return compose_text(typed, length, p);
}

static uint64_t hash_text(const esign_blocklist_t *blocklist, const char *folded)
{
    uint64_t value;
    crypto_shorthash((unsigned char *)&value, (const unsigned char *)folded, strlen(folded),
                     blocklist->key);
    return value == FREE ? 1 : value;
}

/* The place of a hash in the table, or the free place for it. */
static uint64_t *find_hash(const esign_blocklist_t *blocklist, uint64_t value)
{
    apr_size_t place = value & (blocklist->places - 1);
    while (blocklist->hashes[place] != FREE && blocklist->hashes[place] != value)
        place = (place + 1) & (blocklist->places - 1);
    return &blocklist->hashes[place];
}

static int is_common(const esign_blocklist_t *blocklist, const folded_t *word)
{
    for (int i = 0; i < FOLDS; i++)
        if (blocklist->count > 0 &&
            *find_hash(blocklist, hash_text(blocklist, word->fold[i])) != FREE)
            return 1;
    return 0;
}

/* Whether the word contains a part, in any combination of folds: on a keyboard without İ, the name
 * İPEK is typed as IPEK. */
static int contains_part(const folded_t *word, const char *part, apr_size_t length, apr_pool_t *p)
{
    folded_t folded;
    if (!fold_all(&folded, part, length, p))
        return 1; /* without memory the word is refused, not let through */
    for (int i = 0; i < FOLDS; i++)
        for (int j = 0; j < FOLDS; j++)
            if (strstr(word->fold[i], folded.fold[j]) != NULL)
                return 1;
    return 0;
}

static int is_letter_or_digit(ucs4_t c)
{
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
                                                   UC_CATEGORY_MASK_Nd);
}

/* Whether the word contains a run of letters and digits of `text`. Of an e-mail address only the
 * local part counts, because the provider's name is not personal. A phone number is compared
 * without its first three digits, so that it is found with and without a country code. */
static int is_personal(const folded_t *word, const char *text, apr_pool_t *p)
{
    apr_size_t length = strcspn(text, "@");
    if (u8_check((const uint8_t *)text, length) != NULL)
        return 0;
    char *composed = compose_text(text, length, p);
    if (!composed)
        return 1;
    const char *from = composed;
    if (from[0] == '+' && strspn(from + 1, "0123456789") > COUNTRY_CODE_MAX)
        from += 1 + COUNTRY_CODE_MAX;

    ucs4_t c;
    int run = 0;
    for (const char *at = from;;) {
        const char *next = (const char *)u8_next(&c, (const uint8_t *)at);
        if (next && is_letter_or_digit(c)) {
            run++;
        } else {
            if (run >= MIN_PART && contains_part(word, from, (apr_size_t)(at - from), p))
                return 1;
            if (!next)
                return 0;
            from = next;
            run = 0;
        }
        at = next;
    }
}

esign_word_verdict_e esign_word_check(const esign_word_policy_t *policy, const char *word,
                                      const char *const *personal, apr_pool_t *p)
{
    if (!word)
        return ESIGN_WORD_MALFORMED;
    apr_size_t length = strlen(word);
    apr_size_t points = u8_mbsnlen((const uint8_t *)word, length);
    if (points == 0)
        return ESIGN_WORD_EMPTY;
    if (points < (apr_size_t)policy->min)
        return ESIGN_WORD_SHORT;
    if (points > (apr_size_t)policy->max)
        return ESIGN_WORD_LONG;

    folded_t folded;
    if (!fold_all(&folded, word, length, p))
        return ESIGN_WORD_MALFORMED;
    if (policy->blocklist && is_common(policy->blocklist, &folded))
        return ESIGN_WORD_COMMON;
    for (; *personal != NULL; personal++)
        if (is_personal(&folded, *personal, p))
            return ESIGN_WORD_PERSONAL;
    return ESIGN_WORD_OK;
}

const char *esign_word_verdict_name(esign_word_verdict_e verdict)
{
    static const char *const names[] = { [ESIGN_WORD_OK] = "ok",
                                         [ESIGN_WORD_EMPTY] = "empty",
                                         [ESIGN_WORD_SHORT] = "short",
                                         [ESIGN_WORD_LONG] = "long",
                                         [ESIGN_WORD_MALFORMED] = "malformed",
                                         [ESIGN_WORD_COMMON] = "common",
                                         [ESIGN_WORD_PERSONAL] = "personal" };
    return names[verdict];
}

/* Doubles the table. Returns 0 without memory. */
static int grow_table(esign_blocklist_t *blocklist)
{
    esign_blocklist_t larger = *blocklist;
    larger.places = blocklist->places > 0 ? 2 * blocklist->places : PLACES_MIN;
    larger.hashes = calloc(larger.places, sizeof(*larger.hashes));
    if (!larger.hashes)
        return 0;
    for (apr_size_t i = 0; i < blocklist->places; i++)
        if (blocklist->hashes[i] != FREE)
            *find_hash(&larger, blocklist->hashes[i]) = blocklist->hashes[i];
    free(blocklist->hashes);
    *blocklist = larger;
    return 1;
}

/* Adds a folded word. Returns 0 without memory. */
static int add_word(esign_blocklist_t *blocklist, const char *folded)
{
    if (blocklist->count >= blocklist->places / 4 * 3 && !grow_table(blocklist))
        return 0;
    uint64_t value = hash_text(blocklist, folded), *place = find_hash(blocklist, value);
    blocklist->count += *place == FREE;
    *place = value;
    return 1;
}

/* Whether a line is printable ASCII without capitals, as nearly all lines are. Both folds of such a
 * line are the line itself. */
static int is_folded(const char *line, apr_size_t length)
{
    int all = 1;
    for (apr_size_t i = 0; i < length; i++)
        all &= line[i] >= ' ' && line[i] <= '~' && !(line[i] >= 'A' && line[i] <= 'Z');
    return all;
}

/* Adds the word of a line. Returns why the line is refused; NULL when it is not. */
static const char *add_line(esign_blocklist_t *blocklist, char *line, apr_size_t length,
                            apr_pool_t *scratch)
{
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        line[--length] = '\0';
    if (length == 0 || line[0] == '#')
        return NULL;
    folded_t folded = { { line, line } };
    if (!is_folded(line, length)) {
        const char *word = strlen(line) == length ? esign_word_normalize(line, scratch) : NULL;
        if (!word || !fold_all(&folded, word, strlen(word), scratch))
            return "it is not UTF-8, or has control characters";
    }
    for (int i = 0; i < FOLDS; i++)
        if ((i == 0 || strcmp(folded.fold[i], folded.fold[0]) != 0) &&
            !add_word(blocklist, folded.fold[i]))
            return "no memory for this many words";
    return NULL;
}

static esign_result_t read_lines(esign_blocklist_t *blocklist, FILE *file, const char *path,
                                 apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    apr_pool_t *scratch;
    apr_pool_create(&scratch, p);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    for (int number = 1; !esign_failed(result) && (length = getline(&line, &size, file)) >= 0;
         number++) {
        const char *refusal = number > MAX_LINES
                                  ? "a blocklist has at most 10 million lines"
                                  : add_line(blocklist, line, (apr_size_t)length, scratch);
        if (refusal)
            result =
                esign_result_make(p, APR_EINVAL, PROBLEM, "%s line %d: %s", path, number, refusal);
        apr_pool_clear(scratch);
    }
    if (!esign_failed(result) && !feof(file)) {
        int error = errno;
        result =
            esign_result_make(p, error, PROBLEM, "%s cannot be read: %s", path, strerror(error));
    }
    free(line);
    apr_pool_destroy(scratch);
    return result;
}

static apr_status_t free_blocklist(void *data)
{
    esign_blocklist_t *blocklist = data;
    free(blocklist->hashes);
    return APR_SUCCESS;
}

esign_result_t esign_blocklist_load(esign_blocklist_t **blocklist, const char *path, apr_pool_t *p)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        int error = errno;
        return esign_result_make(p, error, PROBLEM, "%s cannot be opened: %s", path,
                                 strerror(error));
    }
    esign_blocklist_t *made = apr_pcalloc(p, sizeof(*made));
    apr_pool_cleanup_register(p, made, free_blocklist, apr_pool_cleanup_null);
    esign_digest_random(made->key, sizeof(made->key));

    esign_result_t result = read_lines(made, file, path, p);
    fclose(file);
    if (!esign_failed(result))
        *blocklist = made;
    return result;
}
