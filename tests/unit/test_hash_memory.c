/* SPDX-License-Identifier: Apache-2.0 */
/* test_hash_memory.c: the memory that libsodium gets for a hash, and that it comes from
 * hash_memory. */
#include "core/word_hash.h"
#include "suite.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define ODD                                                                                       \
    (2 * MIB + 4096 + 1024) /* not whole pages, as Argon2id asks where they are larger than 4 KiB \
                             */
#define HASH (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)

static void *ask(size_t size, int flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    CU_ASSERT_FATAL(memory != MAP_FAILED);
    return memory;
}

/* Reads the size in KiB and the flags (VmFlags of proc(5)) of the mapping that begins at an
 * address. Returns 0 when no mapping begins there. */
static unsigned long look(const void *memory, const char **marks)
{
    char line[512], start[32];
    unsigned long size = 0;
    int here = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    CU_ASSERT_FATAL(maps != NULL);
    apr_snprintf(start, sizeof(start), "%08lx-", (unsigned long)(uintptr_t)memory);
    *marks = "";
    while (!**marks && fgets(line, sizeof(line), maps)) {
        here |= strncmp(line, start, strlen(start)) == 0;
        if (here && strncmp(line, "Size:", 5) == 0)
            size = strtoul(line + 5, NULL, 10);
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            *marks = apr_pstrdup(pool, line);
    }
    fclose(maps);
    return size;
}

static unsigned long pages(void)
{
    unsigned long all = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    CU_ASSERT_FATAL(statm != NULL && fscanf(statm, "%lu", &all) == 1);
    fclose(statm);
    return all;
}

static int kernel_has_huge_pages(void)
{
    char word[64] = "";
    FILE *enabled = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (enabled && !fgets(word, sizeof(word), enabled))
        word[0] = '\0';
    if (enabled)
        fclose(enabled);
    return strstr(word, "[always]") || strstr(word, "[madvise]");
}

/* Odd sizes too. */
static void test_memory(void)
{
    static const size_t sizes[] = { 2 * MIB, 19 * MIB, 8 * MIB + 3 * 4096, 64 * MIB };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        const char *marks;
        char *memory = ask(sizes[i], HASH);
        CU_ASSERT_EQUAL((uintptr_t)memory % (2 * MIB), 0);
        memory[0] = memory[sizes[i] - 1] = 1;
        CU_ASSERT_EQUAL(look(memory, &marks), sizes[i] / 1024);
        CU_ASSERT_PTR_NOT_NULL(strstr(marks, " dd"));
        CU_ASSERT(!kernel_has_huge_pages() || strstr(marks, " hg"));
        CU_ASSERT_EQUAL(munmap(memory, sizes[i]), 0);
    }
}

/* munmap removes the whole mapping. */
static void test_nothing_stays(void)
{
    unsigned long before = pages();
    for (int i = 0; i < 100; i++)
        munmap(ask(ODD, HASH), ODD);
    CU_ASSERT(pages() < before + 20 * MIB / (size_t)sysconf(_SC_PAGESIZE));
}

static void test_others_get_what_they_ask_for(void)
{
    static const struct {
        size_t size;
        int flags;
    } others[] = { { 1 * MIB, HASH },
                   { 19 * MIB, MAP_PRIVATE | MAP_ANONYMOUS },
                   { 19 * MIB, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE } };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        const char *marks;
        void *memory = ask(others[i].size, others[i].flags);
        look(memory, &marks);
        CU_ASSERT_PTR_NULL(strstr(marks, " dd"));
        CU_ASSERT_EQUAL(munmap(memory, others[i].size), 0);
    }
}

static long faults(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt;
}

static void test_a_hash_takes_few_pages(void)
{
    const esign_word_cost_t cost = { 19456, 2 };
    const char *hash;
    long before = faults();
    CU_ASSERT(!esign_failed(esign_word_hash_make(cost, "parola", &hash, pool)));
    CU_ASSERT(!kernel_has_huge_pages() ||
              faults() - before < 2500); /* 4,864 of 4 KiB; 265 with nine huge ones */
}

int main(void)
{
    CU_TestInfo tests[] = { { "memory for a hash is huge pages, in no core file", test_memory },
                            { "it is unmapped as a whole", test_nothing_stays },
                            { "other calls of mmap are unchanged",
                              test_others_get_what_they_ask_for },
                            { "a hash takes few pages", test_a_hash_takes_few_pages },
                            CU_TEST_INFO_NULL };
    if (esign_failed(esign_word_hash_init()))
        return EXIT_FAILURE;
    return suite_run("hash_memory", tests);
}
