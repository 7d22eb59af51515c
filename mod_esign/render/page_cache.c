/* SPDX-License-Identifier: Apache-2.0 */
/* page_cache.c: a hash table of rendered documents, each cut into pieces at its copied values. */
#include "page_cache.h"

#include "core/secret.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256
/* More than there are pages with their error messages. Lists of events and remaining times make
 * further entries, so the least recently used one is removed. */
#define ENTRIES 256

/* Replaces copied value number 0 to 999 in a document. */
#define MARKER "copied-value-"
#define MARKER_DIGITS 3
#define MARKER_LENGTH (sizeof(MARKER "000-") - 1)

/* A piece of output, and the number of the copied value after it; -1: it is the last piece. */
typedef struct {
    apr_size_t at, length;
    int copy;
} piece_t;

typedef struct entry_t {
    struct entry_t *next;
    unsigned int hash;
    const char *name; /* the stylesheet's; the caller's memory */
    char *key;        /* the document without its copied values */
    apr_size_t key_length;
    enum { SEEN, CACHED, UNFIT } state; /* noted; with output and pieces; cannot be cached */
    char *output;                       /* with the markers in it */
    piece_t *pieces;
    atomic_uint used; /* the cache's `uses` at its last use */
} entry_t;

struct esign_page_cache_t {
    pthread_rwlock_t lock;
    entry_t *buckets[BUCKETS];
    int count; /* entries */
    atomic_uint uses;
};

static void free_entry(entry_t *entry)
{
    free(entry->key);
    free(entry->output);
    free(entry->pieces);
    free(entry);
}

static apr_status_t free_entries(void *data)
{
    esign_page_cache_t *cache = data;
    for (int i = 0; i < BUCKETS; i++)
        for (entry_t *entry = cache->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            free_entry(entry);
        }
    memset(cache->buckets, 0, sizeof(cache->buckets));
    return APR_SUCCESS;
}

esign_page_cache_t *esign_page_cache_create(apr_pool_t *p)
{
    esign_page_cache_t *cache = apr_pcalloc(p, sizeof(*cache));
    pthread_rwlock_init(&cache->lock, NULL);
    apr_pool_cleanup_register(p, cache, free_entries, apr_pool_cleanup_null);
    return cache;
}

/* The document with each copied value replaced: by its marker when `marked`, otherwise by a byte
 * that no XML document holds. */
static char *replace_copies(const esign_document_t *document, int marked, apr_size_t *length,
                            apr_pool_t *p)
{
    char *text = apr_palloc(p, document->length + (apr_size_t)document->count * MARKER_LENGTH + 1),
         *end = text;
    apr_size_t at = 0;
    for (int i = 0; i < document->count; i++) {
        const esign_document_copy_t *copy = &document->copies[i];
        memcpy(end, document->bytes + at, copy->at - at);
        end += copy->at - at;
        if (marked)
            end += apr_snprintf(end, MARKER_LENGTH + 1, MARKER "%0*d-", MARKER_DIGITS, i);
        else
            *end++ = '\1';
        at = copy->at + copy->length;
    }
    memcpy(end, document->bytes + at, document->length - at);
    *length = (apr_size_t)(end - text) + document->length - at;
    text[*length] = '\0';
    return text;
}

/* The caller holds the lock. */
static entry_t *find_entry(const esign_page_cache_t *cache, const char *name, unsigned int hash,
                           const char *key, apr_size_t length)
{
    entry_t *entry = cache->buckets[hash % BUCKETS];
    while (entry && (entry->hash != hash || entry->key_length != length ||
                     strcmp(entry->name, name) != 0 || memcmp(entry->key, key, length) != 0))
        entry = entry->next;
    return entry;
}

/* Notes a use. Several threads may do so at once, in any order. */
static void note_use(esign_page_cache_t *cache, entry_t *entry)
{
    entry->used = ++cache->uses;
}

/* Removes the least recently used entry. The caller holds the lock for writing. */
static void remove_oldest(esign_page_cache_t *cache)
{
    entry_t **oldest = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (entry_t **entry = &cache->buckets[i]; *entry; entry = &(*entry)->next)
            if (!oldest || cache->uses - (*entry)->used > cache->uses - (*oldest)->used)
                oldest = entry;
    entry_t *removed = *oldest;
    *oldest = removed->next;
    free_entry(removed);
    cache->count--;
}

/* Joins the pieces and the document's copied values. */
static void fill_values(const esign_document_t *document, const char *output, const piece_t *pieces,
                        char **filled, apr_size_t *length, apr_pool_t *p)
{
    const piece_t *piece = pieces;
    for (*length = 0; *length += piece->length, piece->copy >= 0; piece++)
        *length += document->copies[piece->copy].length;
    char *end = *filled = esign_secret_alloc(p, *length + 1);
    for (piece = pieces;; piece++) {
        memcpy(end, output + piece->at, piece->length);
        end += piece->length;
        if (piece->copy < 0)
            return;
        const esign_document_copy_t *copy = &document->copies[piece->copy];
        memcpy(end, document->bytes + copy->at, copy->length);
        end += copy->length;
    }
}

/* Cuts output at its markers. NULL when a marker did not come through the stylesheet whole. */
static piece_t *cut_pieces(const char *output, apr_size_t length, int copies, apr_pool_t *p)
{
    apr_array_header_t *pieces = apr_array_make(p, 32, sizeof(piece_t));
    const char *from = output, *marker;
    while ((marker = strstr(from, MARKER)) != NULL) {
        char *end;
        const char *number = marker + sizeof(MARKER) - 1;
        long copy = strtol(number, &end, 10);
        if (end != number + MARKER_DIGITS || *end != '-' || copy < 0 || copy >= copies)
            return NULL;
        APR_ARRAY_PUSH(pieces, piece_t) =
            (piece_t){ (apr_size_t)(from - output), (apr_size_t)(marker - from), (int)copy };
        from = marker + MARKER_LENGTH;
    }
    APR_ARRAY_PUSH(pieces, piece_t) =
        (piece_t){ (apr_size_t)(from - output), (apr_size_t)(output + length - from), -1 };
    return (piece_t *)pieces->elts;
}

static esign_result_t transform_text(const esign_render_t *render, const char *name,
                                     const char *bytes, apr_size_t size, char **output,
                                     apr_size_t *length, apr_pool_t *p)
{
    xmlDocPtr document = esign_render_parse(bytes, size);
    if (!document)
        return esign_result_make(p, APR_EINVAL, "stylesheet", "%s: the document cannot be read",
                                 name);
    esign_result_t result = esign_render_transform(render, name, document, output, length, p);
    xmlFreeDoc(document);
    return result;
}

/* Renders the document with markers. Returns 1 when filling in the values gives `right`, the
 * stylesheet's own output. */
static int render_marked(const esign_render_t *render, const char *name,
                         const esign_document_t *document, const char *right,
                         apr_size_t right_length, const char **output, apr_size_t *length,
                         const piece_t **pieces, apr_pool_t *p)
{
    apr_size_t size, filled_length;
    char *made, *filled;
    const char *marked = replace_copies(document, 1, &size, p);
    if (esign_failed(transform_text(render, name, marked, size, &made, length, p)) ||
        (*pieces = cut_pieces(made, *length, document->count, p)) == NULL)
        return 0;
    *output = made;
    fill_values(document, made, *pieces, &filled, &filled_length, p);
    return filled_length == right_length && memcmp(filled, right, right_length) == 0;
}

static void *copy_bytes(const void *bytes, apr_size_t length)
{
    void *copy = malloc(length);
    if (copy)
        memcpy(copy, bytes, length);
    return copy;
}

/* Adds an entry in the state SEEN. Without memory it adds none. */
static void add_entry(esign_page_cache_t *cache, const char *name, unsigned int hash,
                      const char *key, apr_size_t length)
{
    entry_t *entry = calloc(1, sizeof(*entry));
    if (!entry || (entry->key = copy_bytes(key, length)) == NULL) {
        free(entry);
        return;
    }
    entry->name = name;
    entry->hash = hash;
    entry->key_length = length;
    note_use(cache, entry);
    pthread_rwlock_wrlock(&cache->lock);
    if (find_entry(cache, name, hash, key, length)) {
        free_entry(entry);
    } else {
        if (cache->count == ENTRIES)
            remove_oldest(cache);
        entry->next = cache->buckets[hash % BUCKETS];
        cache->buckets[hash % BUCKETS] = entry;
        cache->count++;
    }
    pthread_rwlock_unlock(&cache->lock);
}

/* Moves an entry from SEEN to CACHED, or to UNFIT when `pieces` is NULL or there is no memory. */
static void complete_entry(esign_page_cache_t *cache, const char *name, unsigned int hash,
                           const char *key, apr_size_t key_length, const char *output,
                           apr_size_t length, const piece_t *pieces)
{
    int count = 0;
    while (pieces && pieces[count++].copy >= 0)
        ;
    pthread_rwlock_wrlock(&cache->lock);
    entry_t *entry = find_entry(cache, name, hash, key, key_length);
    if (entry && entry->state == SEEN) {
        entry->output = pieces ? copy_bytes(output, length) : NULL;
        entry->pieces = pieces ? copy_bytes(pieces, (apr_size_t)count * sizeof(*pieces)) : NULL;
        entry->state = entry->output && entry->pieces ? CACHED : UNFIT;
    }
    pthread_rwlock_unlock(&cache->lock);
}

esign_result_t esign_page_cache_render(esign_page_cache_t *cache, const esign_render_t *render,
                                       const char *name, const esign_document_t *document,
                                       char **output, apr_size_t *length, apr_pool_t *p)
{
    if (!cache || document->count < 0)
        return transform_text(render, name, document->bytes, document->length, output, length, p);
    apr_size_t key_length, marked_length = 0;
    const char *key = replace_copies(document, 0, &key_length, p), *marked = NULL;
    const piece_t *pieces = NULL;
    apr_ssize_t hashed = (apr_ssize_t)key_length;
    unsigned int hash = apr_hashfunc_default(key, &hashed);
    pthread_rwlock_rdlock(&cache->lock);
    entry_t *entry = find_entry(cache, name, hash, key, key_length);
    int known = entry != NULL, state = known ? (int)entry->state : SEEN;
    if (known)
        note_use(cache, entry);
    if (state == CACHED)
        fill_values(document, entry->output, entry->pieces, output, length, p);
    pthread_rwlock_unlock(&cache->lock);
    if (state == CACHED)
        return ESIGN_OK;
    esign_result_t result =
        transform_text(render, name, document->bytes, document->length, output, length, p);
    if (esign_failed(result) || state == UNFIT)
        return result;
    if (!known)
        add_entry(cache, name, hash, key, key_length);
    else if (render_marked(render, name, document, *output, *length, &marked, &marked_length,
                           &pieces, p))
        complete_entry(cache, name, hash, key, key_length, marked, marked_length, pieces);
    else
        complete_entry(cache, name, hash, key, key_length, NULL, 0, NULL);
    return result;
}
