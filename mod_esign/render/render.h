/* SPDX-License-Identifier: Apache-2.0 */
/* render.h: transforms XML documents by compiled XSLT stylesheets. */
#ifndef ESIGN_RENDER_RENDER_H
#define ESIGN_RENDER_RENDER_H

#include "catalogue.h"

#include <libxml/tree.h>

/* The stylesheets and catalogues of one htdocs folder and one theme. Read-only once loaded, so
 * threads share it. */
typedef struct esign_render_t esign_render_t;

/* Initialises libxml2 and libxslt, before there are threads. From then on libxml2 overwrites memory
 * before it frees it, because pages and messages hold words, codes and PINs, which libxml2 copies
 * often. This applies to the whole process until `p` ends; then the module may be unloaded.
 * APR_EEXIST: another module has given libxml2 its own memory functions. */
esign_result_t esign_render_init(apr_pool_t *p);

/* Compiles FOLDER/xsl/{page,mail-html,mail-text,sms,form}.xsl, or the theme's files of these names.
 * Reads the catalogues of FOLDER and of the theme (catalogue.h). `theme` is the theme's folder;
 * NULL: no theme. An error names file and line, and leaves `*render` unchanged. Freed with `p`. May
 * be called while other threads run. */
esign_result_t esign_render_load(const esign_render_t **render, const char *folder,
                                 const char *theme, apr_pool_t *p);

const esign_catalogue_t *esign_render_catalogue(const esign_render_t *render);

/* Transforms `document` by stylesheet `name` ("page"). The language is the root's lang attribute.
 * Stylesheets can neither read files nor reach the network. In the namespace urn:mod_esign:text
 * they have these functions:
 *     m:text(key, argument…)   The catalogue's text, {1}, {2} … replaced by the arguments. An
 *                              unknown key fails the transformation.
 *     m:has(key)               Whether the catalogue has the key.
 *     m:time(iso) m:date(iso)  An ISO 8601 UTC time or date in the language's form.
 *     m:group(text, n)         The text in groups of n characters with no-break spaces between.
 *     m:wrap(text, n)          The text in lines of at most n characters. A longer word stays
whole.
 *     m:static(name)           theme/NAME when the theme's static/ has this file, otherwise NAME.
`output` is NUL-terminated, in `p`, wiped with it. `document` stays the caller's. */
esign_result_t esign_render_transform(const esign_render_t *render, const char *name,
                                      xmlDocPtr document, char **output, apr_size_t *length,
                                      apr_pool_t *p);

/* Parses XML from outside: no network, no document type, no entities, no more than libxml2's
 * default sizes. NULL when malformed. The caller frees it with xmlFreeDoc. */
xmlDocPtr esign_render_parse(const char *bytes, apr_size_t length);

/* Makes a document with an empty root element. Freed with `p`. */
xmlDocPtr esign_render_document(apr_pool_t *p, const char *root);

/* A copy of `text` in `p`, wiped with it, that XML 1.0 can hold: other characters are left out, and
 * bytes that are not UTF-8 become U+FFFD. */
const char *esign_render_clean(apr_pool_t *p, const char *text);

#endif
