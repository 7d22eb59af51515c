/* SPDX-License-Identifier: Apache-2.0 */
/* document.h: an XML document written as text, from its root to its last element: a page's costs a
 * tenth of a tree's. */
#ifndef ESIGN_RENDER_DOCUMENT_H
#define ESIGN_RENDER_DOCUMENT_H

#include <apr_tables.h>

/* Of a page with fifty events three each, and its own. */
#define ESIGN_DOCUMENT_COPIES 192

/* A stretch of `bytes`. */
typedef struct {
    apr_size_t at, length;
} esign_document_copy_t;

typedef struct {
    char *bytes; /* NUL-terminated once finished; secret, wiped with the pool */
    apr_size_t length;
    /* Values that stylesheets only copy, in the order of `bytes`; see core/render_kept.h. */
    esign_document_copy_t copies[ESIGN_DOCUMENT_COPIES];
    int count; /* of `copies`; -1: one cannot be copied as it is, or there are too many */
    /* The writer's own. */
    apr_pool_t *pool;
    apr_size_t size;
    apr_array_header_t *open; /* names of the elements that have not ended */
    int in_tag;               /* the last of them may still get attributes */
} esign_document_t;

/* A document in `p` that has its root, which gets the attributes that follow. */
esign_document_t *esign_document_new(const char *root, apr_pool_t *p);

/* Begins a child of element number `parent`: 0 is the root; others as this function gave them. It
 * ends all that has begun in that parent, which must not have ended itself. */
int esign_document_element(esign_document_t *document, int parent, const char *name);

/* An attribute of the element that began last. A name with ~ before it: its value differs from one
 * such document to the next, and stylesheets only copy it, to an address only if it is ASCII.
 * Values and texts lose characters that XML 1.0 cannot hold; bytes that are not UTF-8 become
 * U+FFFD. */
void esign_document_attribute(esign_document_t *document, const char *name, const char *value);

/* Text in the element that began last; as such a value, too. */
void esign_document_text(esign_document_t *document, const char *text);
void esign_document_copied_text(esign_document_t *document, const char *text);

/* What stands in text and attributes for a character that cannot stand for itself there; "": XML
 * has none for it; NULL: itself. */
const char *esign_document_escape(unsigned char c);

/* Ends all elements. */
void esign_document_finish(esign_document_t *document);

#endif
