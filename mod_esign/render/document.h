/* SPDX-License-Identifier: Apache-2.0 */
/* document.h: writes an XML document as text, from its root to its last element. For a page this
 * takes a tenth of the time of building libxml2's tree. */
#ifndef ESIGN_RENDER_DOCUMENT_H
#define ESIGN_RENDER_DOCUMENT_H

#include <apr_tables.h>

/* The most values that stylesheets copy: three for each of fifty events on a page, and its own. */
#define ESIGN_DOCUMENT_COPIES 192

/* A part of `bytes`. */
typedef struct {
    apr_size_t at, length;
} esign_document_copy_t;

typedef struct {
    char *bytes; /* in the document's pool, wiped with it; NUL-terminated once finished */
    apr_size_t length;
    /* The values that stylesheets only copy, in the order of `bytes`; see page_cache.h. */
    esign_document_copy_t copies[ESIGN_DOCUMENT_COPIES];
    int count; /* of `copies`; -1: too many, or a value that output may escape otherwise */

    /* Private to document.c. */
    apr_pool_t *pool;
    apr_size_t size;          /* of `bytes` */
    apr_array_header_t *open; /* const char *: names of the elements that have not ended */
    int in_tag;               /* 1: the last of them can still get attributes */
} esign_document_t;

/* Makes a document in `p` and begins its root element. `root` must outlive the document. */
esign_document_t *esign_document_new(const char *root, apr_pool_t *p);

/* Begins a child of element `parent`: 0 is the root, other numbers are what this function returned.
 * It ends all elements inside `parent`, which itself must not have ended. Returns the number of the
 * new element. `name` must outlive the document. */
int esign_document_element(esign_document_t *document, int parent, const char *name);

/* Adds an attribute to the element that began last. A name that begins with ~ marks a value that
 * stylesheets only copy, into a URL only if it is ASCII: documents that differ in such values alone
 * share an entry of the page cache. In values and texts, characters that XML 1.0 cannot hold are
 * left out, and bytes that are not UTF-8 become U+FFFD. */
void esign_document_attribute(esign_document_t *document, const char *name, const char *value);

/* Adds text to the element that began last; the second function adds text that stylesheets only
 * copy. */
void esign_document_text(esign_document_t *document, const char *text);
void esign_document_copied_text(esign_document_t *document, const char *text);

/* The escape of an ASCII character in texts and attributes: NULL when it needs none, "" when
 * XML 1.0 cannot hold it. */
const char *esign_document_escape(unsigned char c);

/* Ends all elements. Then `bytes` is complete. */
void esign_document_finish(esign_document_t *document);

#endif
