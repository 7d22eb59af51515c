/* SPDX-License-Identifier: Apache-2.0 */
/* test_word_hash.c: hashes that match, do not match or are stale, and the equal time of all
 * results. */
#include "core/word_hash.h"
#include "suite.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORD "parola-ş"

/* WORD by the reference implementation (libargon2), in parameters that other systems use. */
#define IMPORTED_4_LANES                                     \
    "$argon2id$v=19$m=19456,t=2,p=4$c2FsdHNhbHRzYWx0c2FsdA$" \
    "GBv6dwmZbkORTkL1kWSqgdbsCMr9Zp0CzKb6ffnnHr8"
#define IMPORTED_SHORT "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg"
#define IMPORTED_LONG                                        \
    "$argon2id$v=19$m=19456,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$" \
    "2RfpIKWVdODeK7gfK92YZno5wq/E1plEo+peyQPUc6UuExTGoX3oF9cSSsvBinU8fDxtLBr4Dn7axKGD1cJo8g"

static const esign_word_cost_t dearest = { .memory_kib = 1048576, .passes = 16 };

static const esign_word_cost_t cost = { 19456, 2 };

static const char *make(esign_word_cost_t with, const char *word)
{
    const char *hash = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_word_hash_make(with, word, &hash, pool)));
    return hash;
}

static void expect(esign_word_cost_t with, const char *word, const char *hash, int matches,
                   int stale)
{
    int got_matches = -1, got_stale = -1;
    CU_ASSERT(
        !esign_failed(esign_word_hash_verify(with, word, hash, &got_matches, &got_stale, pool)));
    CU_ASSERT_EQUAL(got_matches, matches);
    CU_ASSERT_EQUAL(got_stale, stale);
}

static void test_make(void)
{
    const char *hash = make(cost, WORD);
    CU_ASSERT_EQUAL(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    CU_ASSERT_STRING_NOT_EQUAL(hash, make(cost, WORD));
    expect(cost, WORD, hash, 1, 0);
    expect(cost, "parola-s", hash, 0, 0);
    expect(cost, WORD " ", hash, 0, 0);
    expect(cost, "", hash, 0, 0);
    CU_ASSERT_EQUAL(crypto_pwhash_str_verify(hash, WORD, strlen(WORD)), 0);
}

static void test_long_words_differ_at_their_end(void)
{
    char word[513];
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *hash = make(cost, word);
    expect(cost, word, hash, 1, 0);
    word[sizeof(word) - 2] = 'b';
    expect(cost, word, hash, 0, 0);
}

static void test_cost_bounds(void)
{
    static const esign_word_cost_t bad[] = { { 19455, 2 }, { 19456, 1 },   { 19456, 0 }, { 0, 2 },
                                             { -1, -1 },   { 1048577, 2 }, { 19456, 17 } };
    const char *hash;
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_EQUAL(esign_word_hash_make(bad[i], WORD, &hash, pool).status, APR_EINVAL);
}

static void test_stale(void)
{
    const esign_word_cost_t more_memory = { 20480, 2 }, more_passes = { 19456, 3 };
    const char *hash = make(cost, WORD);
    expect(more_memory, WORD, hash, 1, 1);
    expect(more_passes, WORD, hash, 1, 1);
    expect(more_passes, "another", hash, 0, 0);
    expect(cost, WORD, make(more_passes, WORD), 1, 0); /* a costlier hash is not stale */
}

static void test_imported(void)
{
    static const char *const imported[] = { IMPORTED_SHORT, IMPORTED_4_LANES, IMPORTED_LONG };
    for (apr_size_t i = 0; i < sizeof(imported) / sizeof(*imported); i++) {
        CU_ASSERT_PTR_NULL(esign_word_hash_refusal(imported[i], dearest));
        expect(cost, WORD, imported[i], 1, strstr(imported[i], ",p=1$") == NULL);
        expect(cost, "another", imported[i], 0, 0);
    }
    char empty[crypto_pwhash_STRBYTES];
    CU_ASSERT_EQUAL(crypto_pwhash_str(empty, "", 0, 2, 19456 * 1024), 0);
    expect(cost, "", empty, 0, 0); /* an empty word never matches */
}

static void test_no_hash(void)
{
    expect(cost, WORD, NULL, 0, 0);
    expect(cost, "", NULL, 0, 0);
}

static void test_unusable(void)
{
    static const char *const bad[] = {
        "", "$", "$argon2id$", "k=1" IMPORTED_SHORT, "x", IMPORTED_SHORT "x", IMPORTED_SHORT "$"
    };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int matches = -1, stale = -1;
        esign_result_t result = esign_word_hash_verify(cost, WORD, bad[i], &matches, &stale, pool);
        CU_ASSERT(result.status == APR_EINVAL && matches == 0 && stale == 0);
        CU_ASSERT_PTR_NULL(strstr(result.detail, "171S9efr"));
    }
}

static void test_refusal(void)
{
    static const struct {
        const char *phc, *reason;
    } bad[] = {
        { "", "not of argon2id" },
        { "$2b$12$abcdefghijklmnopqrstuv", "not of argon2id" },
        { "k=1" IMPORTED_SHORT, "not of argon2id" },
        { "$argon2i$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "not of argon2id" },
        { "$argon2id$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nz\xC5\x9F$171S9efrxR7qbqLCB61Ksg",
          "malformed" }, /* letters beyond ASCII */
        { "$argon2id$v=16$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=19456,p=1,t=2$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=019456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=-1,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=99999999999999999999,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg",
          "malformed" },
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2$171S9efrxR7qbqLCB61Ksg",
          "malformed" }, /* a salt of 6 bytes */
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLC",
          "malformed" }, /* a hash of 12 bytes */
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg=$171S9efrxR7qbqLCB61Ksg", "malformed" },
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg", "malformed" },
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg$", "malformed" },
        { "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg\n", "malformed" },
        { "$argon2id$v=19$m=1048577,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "1 GiB" },
        { "$argon2id$v=19$m=4294967296,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "1 GiB" },
        { "$argon2id$v=19$m=19456,t=17,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "16 passes" },
        { "$argon2id$v=19$m=15,t=2,p=2$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "parallelism" },
        { "$argon2id$v=19$m=19456,t=2,p=65$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", "parallelism" }
    };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *refusal = esign_word_hash_refusal(bad[i].phc, dearest);
        CU_ASSERT(refusal != NULL && strstr(refusal, bad[i].reason) != NULL);
    }
    /* Hashes that cost more than this portal's are refused. */
    esign_word_cost_t least = { .memory_kib = 19456, .passes = 2 };
    CU_ASSERT_PTR_NULL(esign_word_hash_refusal(
        "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", least));
    CU_ASSERT_PTR_NOT_NULL(esign_word_hash_refusal(
        "$argon2id$v=19$m=19457,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", least));
    CU_ASSERT_PTR_NULL(esign_word_hash_refusal(
        "$argon2id$v=19$m=1048576,t=16,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg", dearest));
}

static double cpu_seconds(const char *word, const char *hash)
{
    struct timespec from, to;
    int matches, stale;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    esign_word_hash_verify(cost, word, hash, &matches, &stale, pool);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void test_equal_cost(void)
{
    enum { CASES = 5, RUNS = 11 };
    const char *real = make(cost, WORD);
    const struct {
        const char *word, *hash;
    } cases[CASES] = { { WORD, real },
                       { "another", real },
                       { WORD, NULL },
                       { "", real },
                       { WORD, "$argon2id$broken" } };
    double times[CASES][RUNS];
    for (int run = 0; run < RUNS; run++) /* interleaved, so that other load affects all of them */
        for (int i = 0; i < CASES; i++)
            times[i][run] = cpu_seconds(cases[i].word, cases[i].hash);
    for (int i = 0; i < CASES; i++)
        qsort(times[i], RUNS, sizeof(times[i][0]), compare);
    for (int i = 1; i < CASES; i++) {
        double ratio = times[i][RUNS / 2] / times[0][RUNS / 2];
        CU_ASSERT(ratio > 0.75 && ratio < 1.33);
    }
}

/* A lack of memory must not count as a wrong word. */
static void test_no_memory(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        unsigned long pages = 0;
        FILE *statm = fopen("/proc/self/statm", "r");
        if (!statm || fscanf(statm, "%lu", &pages) != 1)
            _exit(2);
        struct rlimit limit = { pages * (unsigned long)sysconf(_SC_PAGESIZE) + (256UL << 20),
                                RLIM_INFINITY };
        if (setrlimit(RLIMIT_AS, &limit) != 0)
            _exit(3);
        int matches = -1, stale = -1;
        const esign_word_cost_t huge = { 1048576, 2 };
        const char *hash;
        esign_result_t made = esign_word_hash_make(huge, WORD, &hash, pool);
        esign_result_t verified = esign_word_hash_verify(huge, WORD, NULL, &matches, &stale, pool);
        _exit(made.status == APR_ENOMEM && verified.status == APR_ENOMEM && matches == 0 ? 0 : 1);
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a word is hashed", test_make },
        { "long words are hashed whole", test_long_words_differ_at_their_end },
        { "weak and absurd costs are refused", test_cost_bounds },
        { "a higher cost makes a hash stale", test_stale },
        { "hashes from outside verify, and are stale with another parallelism", test_imported },
        { "no hash matches nothing", test_no_hash },
        { "an unusable hash matches nothing and says why", test_unusable },
        { "the reason is given for a hash that cannot be imported", test_refusal },
        { "all results take the same time", test_equal_cost },
        { "without memory it is an error, not a wrong word", test_no_memory },
        CU_TEST_INFO_NULL
    };
    if (esign_failed(esign_word_hash_init()))
        return EXIT_FAILURE;
    return suite_run("word_hash", tests);
}
