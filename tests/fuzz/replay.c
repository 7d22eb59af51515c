/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: gives a target every input of its corpus: the files of corpus/TARGET/, and the lines of
 * corpus/TARGET.finds. Where the program is linked with libFuzzer, libFuzzer's main replaces this
 * one. */
#include "finds.h"
#include "fuzz.h"

#include <dirent.h>

#define CORPUS ESIGN_TEST_SRCDIR "/tests/fuzz/corpus/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

/* `name` says where the input is; the last one in the log is the one that fails. Frees `data`. */
static void replay(const char *name, uint8_t *data, size_t size)
{
    HOLDS(data);
    puts(name);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

/* In memory that ends where the input ends, so that a sanitizer sees a read beyond it. */
static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    HOLDS(file && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    uint8_t *data = malloc(size);
    rewind(file);
    HOLDS(data && fread(data, 1, size, file) == size);
    fclose(file);
    replay(path, data, size);
}

static void replay_folder(const char *target)
{
    char folder[1024], path[sizeof(folder) + 260];
    struct dirent **entries;
    snprintf(folder, sizeof(folder), CORPUS "%s", target);
    int count = scandir(folder, &entries, NULL, alphasort);
    HOLDS(count >= 0);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            replay_file(path);
        free(entries[i]);
    }
    free(entries);
}

static void replay_finds(const char *target)
{
    char path[1024], name[sizeof(path) + 32], *line = NULL;
    size_t capacity = 0, size;
    int number = 0;
    snprintf(path, sizeof(path), CORPUS "%s.finds", target);
    FILE *file = fopen(path, "rb");
    HOLDS(file);
    while (finds_next(file, &line, &capacity, &number)) {
        uint8_t *data = finds_decode(line, &size);
        snprintf(name, sizeof(name), "%s:%d", path, number);
        replay(name, data, size);
    }
    free(line);
    fclose(file);
}

__attribute__((weak)) int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *target = slash ? slash + 1 : argv[0];
    (void)argc;
    replay_folder(target);
    replay_finds(target);
    printf("%d inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
