/* SPDX-License-Identifier: Apache-2.0 */
/* page_cache.h: renders documents that differ only in values which stylesheets copy once, and then
 * fills these values into the output. */
#ifndef ESIGN_RENDER_PAGE_CACHE_H
#define ESIGN_RENDER_PAGE_CACHE_H

#include "document.h"
#include "render.h"

/* The rendered documents of one process. Threads share it. */
typedef struct esign_page_cache_t esign_page_cache_t;

/* Makes an empty cache, owned by `p`, before the fork: each child fills its own copy. Its entries
 * are malloc's memory, freed with `p`. */
esign_page_cache_t *esign_page_cache_create(apr_pool_t *p);

/* Transforms a finished document by stylesheet `name`; output and errors are as
 * esign_render_transform's.
 *
 * The document without its copied values (document.h) is the key of a cache entry, and stays in
 * memory: it must hold nothing personal. The first time a key comes, the cache notes it. The second
 * time, it also renders the document with markers in place of the copied values. It keeps that
 * output if filling in the values gives, byte for byte, the stylesheet's own output. From the third
 * time on it only fills in values, and no stylesheet runs.
 *
 * A cache belongs to one `render`. With `cache` NULL, or a document that cannot be split
 * (`document->count` < 0), the stylesheet runs each time. `name` must outlive the cache. */
esign_result_t esign_page_cache_render(esign_page_cache_t *cache, const esign_render_t *render,
                                       const char *name, const esign_document_t *document,
                                       char **output, apr_size_t *length, apr_pool_t *p);

#endif
