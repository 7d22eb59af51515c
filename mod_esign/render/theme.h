/* SPDX-License-Identifier: Apache-2.0 */
/* theme.h: the administrator's folder whose files stand before ours. */
#ifndef ESIGN_RENDER_THEME_H
#define ESIGN_RENDER_THEME_H

#include "core/result.h"

/* A folder that may hold xsl/page.xsl, xsl/mail-html.xsl … (each replaces ours of that name),
 * messages.tr.xml and messages.en.xml (single texts), and static/ (what httpd serves as it is).
 * Read-only once opened. */
typedef struct esign_theme_t esign_theme_t;

/* Refuses a path that is no folder. What static/ holds is looked at now. `folder` NULL: no theme,
 * `*theme` is NULL. */
esign_result_t esign_theme_open(const esign_theme_t **theme, const char *folder, apr_pool_t *p);

/* The theme's file of this name ("xsl/page.xsl"), in `p`; NULL when it has none. A file that is
 * there and cannot be read is for the reader to stumble over. `theme` may be NULL. */
const char *esign_theme_file(const esign_theme_t *theme, const char *name, apr_pool_t *p);

/* Whether static/ has this file. `theme` may be NULL. */
int esign_theme_has_static(const esign_theme_t *theme, const char *name);

#endif
