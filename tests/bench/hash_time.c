/* SPDX-License-Identifier: Apache-2.0 */
/* hash_time.c: stands before libsodium's comparison of a word with its hash (LD_PRELOAD), and adds its processor time up in the file that HASH_TIME names. */
#include <dlfcn.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Of all processes, in nanoseconds: they inherit the mapping of the first one. */
static _Atomic uint64_t *sum;
static int (*compare)(const char *, const char *, unsigned long long);

__attribute__((constructor)) static void open_sum(void)
{
    const char *path = getenv("HASH_TIME");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *sum, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED)
        sum = memory;
    if (file >= 0)
        close(file);
    *(void **)&compare = dlsym(RTLD_NEXT, "crypto_pwhash_str_verify");
    /* Its version is asked so that the linker keeps libsodium, which is then the next one behind this. */
    if (!compare || !sodium_version_string())
        abort();
}

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int crypto_pwhash_str_verify(const char hash[crypto_pwhash_STRBYTES], const char *word, unsigned long long length)
{
    uint64_t begin = nanoseconds();
    int result = compare(hash, word, length);
    if (sum)
        *sum += nanoseconds() - begin;
    return result;
}
