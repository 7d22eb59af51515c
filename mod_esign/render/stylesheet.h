/* SPDX-License-Identifier: Apache-2.0 */
/* stylesheet.h: compiles one stylesheet, and explains its errors. */
#ifndef ESIGN_RENDER_STYLESHEET_H
#define ESIGN_RENDER_STYLESHEET_H

#include "core/result.h"

#include <libxslt/xsltInternals.h>

/* Compiles the file `path` with the files that it includes and imports. Their names are paths
 * relative to it, or esign:NAME for the file NAME of the folder `ours`. Refuses a stylesheet when
 * libxslt gives any message about it, when it has a document type, or when it names an address of
 * the network. The error names file and line. Freed with `p`. May be called while other threads
 * run. */
esign_result_t esign_stylesheet_compile(xsltStylesheetPtr *sheet, const char *path,
                                        const char *ours, apr_pool_t *p);

#endif
