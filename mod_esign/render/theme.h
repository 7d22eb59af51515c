/* SPDX-License-Identifier: Apache-2.0 */
/* theme.h: a folder of the administrator whose files replace ours. */
#ifndef ESIGN_RENDER_THEME_H
#define ESIGN_RENDER_THEME_H

#include "core/result.h"

/* A stylesheet of the folder, such as xsl/page.xsl, replaces ours of that name. Its messages.tr.xml
 * and messages.en.xml replace single texts, and httpd serves the files in static/. Read-only once
 * opened, so threads share it. */
typedef struct esign_theme_t esign_theme_t;

/* Opens the folder, and reads the names in static/ once. Without a theme, `folder` is NULL, and
 * `*theme` becomes NULL. Refuses a path that is not a folder. In `p`. */
esign_result_t esign_theme_open(const esign_theme_t **theme, const char *folder, apr_pool_t *p);

/* The path of the theme's file of this name ("xsl/page.xsl"), in `p`; NULL when the folder has no
 * such file. A file that exists but cannot be read has a path too, so that reading it fails.
 * `theme` may be NULL. */
const char *esign_theme_file(const esign_theme_t *theme, const char *name, apr_pool_t *p);

/* Returns 1 when static/ had this file at esign_theme_open. `theme` may be NULL. */
int esign_theme_has_static(const esign_theme_t *theme, const char *name);

#endif
