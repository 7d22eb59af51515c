/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c: moves a fuzz target's inputs between a folder of files, as libFuzzer needs them, and a
 * text file, as the source tree keeps them.
 *
 *   pack unpack FINDS FOLDER         writes one file an input into FOLDER
 *   pack pack FINDS FOLDER NAMED     writes the inputs of FOLDER that no file of NAMED is into
 *                                    FINDS, sorted, each once */
#include "finds.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define FORM                                                                           \
    "# Inputs that libFuzzer found, one a line: printable ASCII as it is, other bytes" \
    " as \\xNN, \\n, \\t, \\\\ (tests/fuzz/finds.h).\n"

typedef struct {
    char **lines;
    size_t count;
} lines_t;

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "pack: %s: %s\n", path, what);
    exit(EXIT_FAILURE);
}

static void *some_memory(void *memory)
{
    if (!memory)
        fail("out of memory", "malloc");
    return memory;
}

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (!file)
        fail("cannot be opened", path);
    return file;
}

static char *path_in(const char *folder, const char *name)
{
    char *path = some_memory(malloc(strlen(folder) + strlen(name) + 2));
    sprintf(path, "%s/%s", folder, name);
    return path;
}

/* One file's input as a line. */
static char *line_of(const char *path)
{
    FILE *file = open_file(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, got;
    do {
        data = some_memory(realloc(data, size + BUFSIZ));
        got = fread(data + size, 1, BUFSIZ, file);
        size += got;
    } while (got > 0);
    if (ferror(file))
        fail("cannot be read", path);
    fclose(file);
    char *line = some_memory(finds_encode(data, size));
    free(data);
    return line;
}

static int compare_lines(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* A folder's inputs as lines, sorted. */
static lines_t read_folder(const char *folder)
{
    lines_t all = { NULL, 0 };
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, NULL);
    if (count < 0)
        fail("cannot be read", folder);
    all.lines = some_memory(calloc((size_t)count, sizeof(*all.lines)));
    for (int i = 0; i < count; i++) {
        char *path = path_in(folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            all.lines[all.count++] = line_of(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
    qsort(all.lines, all.count, sizeof(*all.lines), compare_lines);
    return all;
}

static void free_lines(lines_t all)
{
    for (size_t i = 0; i < all.count; i++)
        free(all.lines[i]);
    free(all.lines);
}

static void pack(const char *finds, const char *folder, const char *named)
{
    lines_t all = read_folder(folder), seeds = read_folder(named);
    char *fresh = path_in(finds, "new");
    fresh[strlen(finds)] = '.';
    FILE *file = open_file(fresh, "wb");
    fputs(FORM, file);
    for (size_t i = 0; i < all.count; i++) {
        int again = i > 0 && strcmp(all.lines[i - 1], all.lines[i]) == 0;
        if (!again &&
            !bsearch(&all.lines[i], seeds.lines, seeds.count, sizeof(*seeds.lines), compare_lines))
            fprintf(file, "%s\n", all.lines[i]);
    }
    if (fclose(file) != 0 || rename(fresh, finds) != 0)
        fail("cannot be written", finds);
    free(fresh);
    free_lines(all);
    free_lines(seeds);
}

static void unpack(const char *finds, const char *folder)
{
    FILE *file = open_file(finds, "rb");
    char *line = NULL, name[32];
    size_t capacity = 0, size;
    int number = 0;
    while (finds_next(file, &line, &capacity, &number)) {
        uint8_t *data = finds_decode(line, &size);
        snprintf(name, sizeof(name), "line-%d", number);
        if (!data)
            fail("malformed", name);
        char *path = path_in(folder, name);
        FILE *input = open_file(path, "wb");
        if (fwrite(data, 1, size, input) != size || fclose(input) != 0)
            fail("cannot be written", path);
        free(path);
        free(data);
    }
    free(line);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "pack") == 0)
        pack(argv[2], argv[3], argv[4]);
    else if (argc == 4 && strcmp(argv[1], "unpack") == 0)
        unpack(argv[2], argv[3]);
    else
        fail("usage: pack unpack FINDS FOLDER, or pack pack FINDS FOLDER NAMED", argv[0]);
    return EXIT_SUCCESS;
}
