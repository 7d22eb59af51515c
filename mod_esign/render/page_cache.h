/* SPDX-License-Identifier: Apache-2.0 */
/* page_cache.h: documents that differ only in values which stylesheets copy are rendered once, and
 * filled in. */
#ifndef ESIGN_RENDER_PAGE_CACHE_H
#define ESIGN_RENDER_PAGE_CACHE_H

#include "document.h"
#include "render.h"

/* What a process has rendered; threads share it. */
typedef struct esign_page_cache_t esign_page_cache_t;

/* Made before the fork; each child fills its own. What it holds goes with the process, or with `p`.
 */
esign_page_cache_t *esign_page_cache_create(apr_pool_t *p);

/* As esign_render_transform, of a finished document, which is nobody's in particular but for its
 * copies: the rest stays in memory. The second time that a document comes, what differs is set
 * apart, and the outcome is kept if it then is, byte for byte, what the stylesheet makes of the
 * whole; from the third time on no stylesheet runs. `kept` is for one `render` alone; NULL: nothing
 * is kept, nor is it of a document that cannot be copied. `name`, the stylesheet's, outlives
 * `kept`. */
esign_result_t esign_page_cache_render(esign_page_cache_t *kept, const esign_render_t *render,
                                          const char *name, const esign_document_t *document,
                                          char **output, apr_size_t *length, apr_pool_t *p);

#endif
