/* SPDX-License-Identifier: Apache-2.0 */
/* hash_memory.c: stands between libsodium and mmap where it is linked in (ld's --wrap, which gives
 * both functions their names), and puts Argon2id's memory into huge pages, which libsodium does not
 * ask for: a third of a hash's time went into the pages of 4 KiB. */
#include <sys/mman.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Of x86-64, and of arm64 with pages of 4 KiB; where they are larger, these pages stay small. */
#define HUGE_PAGE ((size_t)2 << 20)

void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

/* The offset of the first huge page. */
static size_t before_huge(const char *memory)
{
    return (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
}

/* Aligned, and what is too much given back. A kernel without huge pages, or with none to spare,
 * gives small ones. Whoever steals a core file finds no block of a hash. */
static void *map_huge(size_t size, int protection, int flags)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size = (size + page - 1) / page *
           page; /* as mmap does: munmap would refuse what begins within a page */
    char *memory = __real_mmap(NULL, size + HUGE_PAGE, protection, flags & ~MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return MAP_FAILED;
    size_t head = before_huge(memory);
    if (head > 0)
        munmap(memory, head);
    munmap(memory + head + size, HUGE_PAGE - head);
    memory += head;
    madvise(memory, size, MADV_DONTDUMP);
    madvise(memory, size, MADV_HUGEPAGE);
    madvise(memory, size, MADV_POPULATE_WRITE);
    return memory;
}

/* Of all who are linked together with libsodium, Argon2id alone asks for all pages at once. */
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    const int wanted = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = MAP_FAILED;
    if ((flags & wanted) == wanted && size >= HUGE_PAGE && !address)
        memory = map_huge(size, protection, flags);
    return memory != MAP_FAILED ? memory
                                : __real_mmap(address, size, protection, flags, file, offset);
}
