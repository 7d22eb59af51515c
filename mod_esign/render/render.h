/* SPDX-License-Identifier: Apache-2.0 */
/* render.h: XML through compiled XSLT. */
#ifndef ESIGN_RENDER_RENDER_H
#define ESIGN_RENDER_RENDER_H

#include "catalogue.h"

#include <libxml/tree.h>

/* The stylesheets and catalogues of one htdocs folder and one theme; read-only once loaded, so
 * threads share them. */
typedef struct esign_render_t esign_render_t;

/* Before threads: libxml2 and libxslt made ready, and whatever they free overwritten first: pages
 * and messages hold words, codes and PINs, and libxml2 copies them often. That holds for all of the
 * process until `p` ends, for the code that does it may be unloaded then. APR_EEXIST: another
 * module has given libxml2 functions of its own. */
esign_result_t esign_render_init(apr_pool_t *p);

/* Compiles FOLDER/xsl/{page,mail-html,mail-text,sms,form}.xsl, or the theme's of the same name, and
 * reads FOLDER's catalogues and the theme's (catalogue.h). `theme`: its folder, NULL for none. What
 * is refused is told by file and line; `*render` is then left as it was. Freed with `p`; threads
 * may run. */
esign_result_t esign_render_load(const esign_render_t **render, const char *folder,
                                 const char *theme, apr_pool_t *p);

const esign_catalogue_t *esign_render_catalogue(const esign_render_t *render);

/* Transforms `document` by stylesheet `name` ("page"). The language is the root's lang attribute.
 * Stylesheets can neither read files nor reach the network; they have, in the namespace
 * urn:mod_esign:text, m:text(key, argument…)   the catalogue's text with {1} … filled in; an
 * unknown key fails the transformation m:has(key)               whether the catalogue has it
 *     m:time(iso) m:date(iso)  an ISO 8601 UTC moment or date as the language writes it
 *     m:group(text, n)         the text in groups of n characters, parted by no-break spaces
 *     m:wrap(text, n)          the text's words in lines of at most n characters; a longer word has
 * a line of its own m:static(name)           theme/NAME when the theme's static/ has this file,
 * else NAME `output` is NUL-terminated, wiped with `p`; `document` stays the caller's. */
esign_result_t esign_render_transform(const esign_render_t *render, const char *name,
                                      xmlDocPtr document, char **output, apr_size_t *length,
                                      apr_pool_t *p);

/* Parses XML that comes from outside: no network, no DTD, no entities, at most libxml2's default
 * sizes. NULL when malformed; the caller frees with xmlFreeDoc. */
xmlDocPtr esign_render_parse(const char *bytes, apr_size_t length);

/* A document that is freed with `p`. */
xmlDocPtr esign_render_document(apr_pool_t *p, const char *root);

/* Characters that XML 1.0 cannot hold are dropped, bytes that are not UTF-8 become U+FFFD. In `p`.
 */
const char *esign_render_clean(apr_pool_t *p, const char *text);

#endif
