/* SPDX-License-Identifier: Apache-2.0 */
/* hash_memory.c: gives Argon2id huge pages, for which libsodium does not ask: pages of 4 KiB cost a
 * third of a hash's time. libsodium is linked statically, and ld's --wrap=mmap sends its calls of
 * mmap to __wrap_mmap here. */
#include <sys/mman.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* The size on x86-64, and on arm64 with 4 KiB pages. Where huge pages are larger, small ones are
 * used. */
#define HUGE_PAGE ((size_t)2 << 20)

void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

/* The distance from an address to the next huge page. */
static size_t offset_of_huge_page(const char *memory)
{
    return (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
}

/* Maps memory aligned to huge pages, and unmaps what it mapped too much. A kernel that has no huge
 * pages, or no free ones, uses small ones. MADV_DONTDUMP keeps the blocks of hashes out of core
 * files. */
static void *map_huge(size_t size, int protection, int flags)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    /* Whole pages, as mmap maps them: munmap refuses an address inside a page. */
    size = (size + page - 1) / page * page;
    char *memory = __real_mmap(NULL, size + HUGE_PAGE, protection, flags & ~MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return MAP_FAILED;
    size_t head = offset_of_huge_page(memory);
    if (head > 0)
        munmap(memory, head);
    munmap(memory + head + size, HUGE_PAGE - head);
    memory += head;
    madvise(memory, size, MADV_DONTDUMP);
    madvise(memory, size, MADV_HUGEPAGE);
    madvise(memory, size, MADV_POPULATE_WRITE);
    return memory;
}

/* Argon2id is the only caller that maps with MAP_POPULATE; the flag identifies it. */
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    const int argon2id = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = MAP_FAILED;
    if ((flags & argon2id) == argon2id && size >= HUGE_PAGE && !address)
        memory = map_huge(size, protection, flags);
    return memory != MAP_FAILED ? memory
                                : __real_mmap(address, size, protection, flags, file, offset);
}
