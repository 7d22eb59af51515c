/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.c: calls a target for libFuzzer or for the replay, and makes pool memory visible to
 * sanitizers. */
#include "fuzz.h"

#include "render/render.h"

#include <apr_general.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unistr.h>

/* A pool hands out parts of large blocks, in which no sanitizer finds a step over the edge or a
 * leak. So all pool memory comes from malloc, each piece for itself. Memory of an input's pools is
 * freed after the input. Memory of lasting pools, such as a database's, stays. */
typedef struct piece_t {
    struct piece_t *next;
    _Alignas(16) char bytes[];
} piece_t;

static apr_pool_t *input_pool;
static piece_t *pieces, *lasting;

void *apr_palloc(apr_pool_t *p, apr_size_t size)
{
    piece_t **list = input_pool && apr_pool_is_ancestor(input_pool, p) ? &pieces : &lasting,
            *piece = malloc(sizeof(*piece) + size);
    if (!piece)
        abort();
    piece->next = *list;
    *list = piece;
    return piece->bytes;
}

static void free_pieces(void)
{
    while (pieces) {
        piece_t *next = pieces->next;
        free(pieces);
        pieces = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    if (!ready++)
        apr_initialize();
    apr_pool_create(&input_pool, NULL);
    fuzz_one((const char *)data, size, input_pool);
    apr_pool_t *p = input_pool;
    apr_pool_destroy(p);
    input_pool = NULL;
    free_pieces();
    return 0;
}

unsigned char fuzz_byte(fuzz_rest_t *rest)
{
    if (rest->size == 0)
        return 0;
    rest->size--;
    return (unsigned char)*rest->data++;
}

static char *take(fuzz_rest_t *rest, apr_size_t length, apr_pool_t *p)
{
    char *taken =
        length ? apr_pstrmemdup(p, rest->data, strnlen(rest->data, length)) : apr_pstrdup(p, "");
    rest->data += length;
    rest->size -= length;
    return taken;
}

char *fuzz_line(fuzz_rest_t *rest, apr_pool_t *p)
{
    const char *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    char *line = take(rest, end ? (apr_size_t)(end - rest->data) : rest->size, p);
    fuzz_byte(rest);
    return line;
}

char *fuzz_text(fuzz_rest_t *rest, apr_pool_t *p)
{
    return take(rest, rest->size, p);
}

static char folder[64];

static void remove_folder(void)
{
    char path[sizeof(folder) + 260];
    DIR *opened = opendir(folder);
    struct dirent *entry;
    while (opened && (entry = readdir(opened)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (opened)
        closedir(opened);
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    if (!folder[0]) {
        const char *above = getenv("TMPDIR");
        snprintf(folder, sizeof(folder), "%s/esign-fuzz-XXXXXX", above && *above ? above : "/tmp");
        HOLDS(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return folder;
}

const char *fuzz_file(const char *name, const void *data, apr_size_t size)
{
    static char path[sizeof(folder) + 64];
    snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    HOLDS(file >= 0 && write(file, data, size) == (ssize_t)size && close(file) == 0);
    return path;
}

const esign_keyring_t *fuzz_keyring(void)
{
    static const char lines[] = "key 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\nkey 2 "
                                "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
    static esign_keyring_t *keyring;
    if (!keyring) {
        apr_pool_t *p;
        apr_pool_create(&p, NULL);
        HOLDS(!esign_failed(
            esign_keyring_load(&keyring, fuzz_file("keyring", lines, sizeof(lines) - 1), p)));
    }
    return keyring;
}

void fuzz_libraries(void)
{
    static apr_pool_t *p;
    if (!p) {
        apr_pool_create(&p, NULL);
        HOLDS(!esign_failed(esign_render_init(p)));
    }
}

int fuzz_clean(const char *text, const char *allowed)
{
    for (const char *c = text; *c; c++)
        if (((unsigned char)*c < ' ' || *c == 0x7f) && !strchr(allowed, *c))
            return 0;
    return u8_check((const uint8_t *)text, strlen(text)) == NULL;
}
