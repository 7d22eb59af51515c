/* SPDX-License-Identifier: Apache-2.0 */
/* page_cache.c: a table of rendered documents, each cut where the values stand that were copied. */
#include "page_cache.h"

#include "core/secret.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256
/* More than there are pages and mistakes to be made on them; of what persons' lists and times that
 * run out bring about beyond that, the least recently used goes. */
#define ENTRIES 256

/* Stands in a document for its copy number 0 to 999. */
#define MARKER "copied-value-"
#define MARKER_DIGITS 3
#define MARKER_LENGTH (sizeof(MARKER "000-") - 1)

/* A piece of output, and which copy follows it; -1: none, it is the last. */
typedef struct {
    apr_size_t at, length;
    int copy;
} piece_t;

typedef struct entry_t {
    struct entry_t *next;
    unsigned hash;
    const char *name; /* the stylesheet's, as callers have it */
    char *key;        /* the document without its copies */
    apr_size_t key_length;
    enum { SEEN, KEPT, UNFIT } state;
    char *output; /* with the markers still in it */
    piece_t *pieces;
    atomic_uint used; /* the table's `uses` when it was last asked for */
} entry_t;

struct esign_page_cache_t {
    pthread_rwlock_t lock;
    entry_t *buckets[BUCKETS];
    int count;
    atomic_uint uses;
};

static void free_entry(entry_t *entry)
{
    free(entry->key);
    free(entry->output);
    free(entry->pieces);
    free(entry);
}

static apr_status_t destroy(void *data)
{
    esign_page_cache_t *kept = data;
    for (int i = 0; i < BUCKETS; i++)
        for (entry_t *entry = kept->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            free_entry(entry);
        }
    memset(kept->buckets, 0, sizeof(kept->buckets));
    return APR_SUCCESS;
}

esign_page_cache_t *esign_page_cache_create(apr_pool_t *p)
{
    esign_page_cache_t *kept = apr_pcalloc(p, sizeof(*kept));
    pthread_rwlock_init(&kept->lock, NULL);
    apr_pool_cleanup_register(p, kept, destroy, apr_pool_cleanup_null);
    return kept;
}

/* The document with something else in place of each copy. `marked`: its marker, else a byte that no
 * document has. */
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

/* With the lock held. */
static entry_t *find(const esign_page_cache_t *kept, const char *name, unsigned hash,
                     const char *key, apr_size_t length)
{
    entry_t *entry = kept->buckets[hash % BUCKETS];
    while (entry && (entry->hash != hash || entry->key_length != length ||
                     strcmp(entry->name, name) != 0 || memcmp(entry->key, key, length) != 0))
        entry = entry->next;
    return entry;
}

/* When it was asked for: what another thread writes at the same time is as good. */
static void touch(esign_page_cache_t *kept, entry_t *entry)
{
    entry->used = ++kept->uses;
}

/* With the lock held for writing. */
static void forget_oldest(esign_page_cache_t *kept)
{
    entry_t **oldest = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (entry_t **entry = &kept->buckets[i]; *entry; entry = &(*entry)->next)
            if (!oldest || kept->uses - (*entry)->used > kept->uses - (*oldest)->used)
                oldest = entry;
    entry_t *gone = *oldest;
    *oldest = gone->next;
    free_entry(gone);
    kept->count--;
}

static void fill(const esign_document_t *document, const char *output, const piece_t *pieces,
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

/* Where the markers stand in what came of them. */
static piece_t *cut(const char *output, apr_size_t length, int copies, apr_pool_t *p)
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

static esign_result_t transform(const esign_render_t *render, const char *name, const char *bytes,
                                apr_size_t size, char **output, apr_size_t *length, apr_pool_t *p)
{
    xmlDocPtr document = esign_render_parse(bytes, size);
    if (!document)
        return esign_result_make(p, APR_EINVAL, "stylesheet", "%s: the document cannot be read",
                                 name);
    esign_result_t result = esign_render_transform(render, name, document, output, length, p);
    xmlFreeDoc(document);
    return result;
}

/* The document rendered apart from its copies, if filling these in gives just what `right` is. */
static int set_apart(const esign_render_t *render, const char *name,
                     const esign_document_t *document, const char *right, apr_size_t right_length,
                     const char **output, apr_size_t *length, const piece_t **pieces, apr_pool_t *p)
{
    apr_size_t size, filled_length;
    char *made, *filled;
    const char *marked = replace_copies(document, 1, &size, p);
    if (esign_failed(transform(render, name, marked, size, &made, length, p)) ||
        (*pieces = cut(made, *length, document->count, p)) == NULL)
        return 0;
    *output = made;
    fill(document, made, *pieces, &filled, &filled_length, p);
    return filled_length == right_length && memcmp(filled, right, right_length) == 0;
}

static void *duplicate(const void *bytes, apr_size_t length)
{
    void *copy = malloc(length);
    if (copy)
        memcpy(copy, bytes, length);
    return copy;
}

static void remember(esign_page_cache_t *kept, const char *name, unsigned hash, const char *key,
                     apr_size_t length)
{
    entry_t *entry = calloc(1, sizeof(*entry));
    if (!entry || (entry->key = duplicate(key, length)) == NULL) {
        free(entry);
        return;
    }
    entry->name = name;
    entry->hash = hash;
    entry->key_length = length;
    touch(kept, entry);
    pthread_rwlock_wrlock(&kept->lock);
    if (find(kept, name, hash, key, length)) {
        free_entry(entry);
    } else {
        if (kept->count == ENTRIES)
            forget_oldest(kept);
        entry->next = kept->buckets[hash % BUCKETS];
        kept->buckets[hash % BUCKETS] = entry;
        kept->count++;
    }
    pthread_rwlock_unlock(&kept->lock);
}

static void settle(esign_page_cache_t *kept, const char *name, unsigned hash, const char *key,
                   apr_size_t key_length, const char *output, apr_size_t length,
                   const piece_t *pieces)
{
    int count = 0;
    while (pieces && pieces[count++].copy >= 0)
        ;
    pthread_rwlock_wrlock(&kept->lock);
    entry_t *entry = find(kept, name, hash, key, key_length);
    if (entry && entry->state == SEEN) {
        entry->output = pieces ? duplicate(output, length) : NULL;
        entry->pieces = pieces ? duplicate(pieces, (apr_size_t)count * sizeof(*pieces)) : NULL;
        entry->state = entry->output && entry->pieces ? KEPT : UNFIT;
    }
    pthread_rwlock_unlock(&kept->lock);
}

esign_result_t esign_page_cache_render(esign_page_cache_t *kept, const esign_render_t *render,
                                          const char *name, const esign_document_t *document,
                                          char **output, apr_size_t *length, apr_pool_t *p)
{
    if (!kept || document->count < 0)
        return transform(render, name, document->bytes, document->length, output, length, p);
    apr_size_t key_length, apart_length = 0;
    const char *key = replace_copies(document, 0, &key_length, p), *apart = NULL;
    const piece_t *pieces = NULL;
    apr_ssize_t hashed = (apr_ssize_t)key_length;
    unsigned hash = apr_hashfunc_default(key, &hashed);
    pthread_rwlock_rdlock(&kept->lock);
    entry_t *entry = find(kept, name, hash, key, key_length);
    int known = entry != NULL, state = known ? (int)entry->state : SEEN;
    if (known)
        touch(kept, entry);
    if (state == KEPT)
        fill(document, entry->output, entry->pieces, output, length, p);
    pthread_rwlock_unlock(&kept->lock);
    if (state == KEPT)
        return ESIGN_OK;
    esign_result_t result =
        transform(render, name, document->bytes, document->length, output, length, p);
    if (esign_failed(result) || state == UNFIT)
        return result;
    if (!known)
        remember(kept, name, hash, key, key_length);
    else if (set_apart(render, name, document, *output, *length, &apart, &apart_length, &pieces, p))
        settle(kept, name, hash, key, key_length, apart, apart_length, pieces);
    else
        settle(kept, name, hash, key, key_length, NULL, 0, NULL);
    return result;
}
