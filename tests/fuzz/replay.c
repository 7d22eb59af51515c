/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: gives a target every file of its corpus. Where the program is linked with libFuzzer,
 * libFuzzer's main stands in the place of this one. */
#include "fuzz.h"

#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory that ends where the input ends, so that a sanitizer sees a read behind it. */
static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    HOLDS(file && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    uint8_t *data = malloc(size);
    rewind(file);
    HOLDS(data && fread(data, 1, size, file) == size);
    fclose(file);
    puts(path); /* the last one of the log is the one that fails */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

__attribute__((weak)) int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *target = slash ? slash + 1 : argv[0];
    char folder[1024], path[sizeof(folder) + 260];
    struct dirent **entries;
    int replayed = 0;
    (void)argc;
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", ESIGN_TEST_SRCDIR, target);
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replay(path);
            replayed++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("%d inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
