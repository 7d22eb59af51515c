/* SPDX-License-Identifier: Apache-2.0 */
/* stylesheet.h: compiles one stylesheet, with what is wrong in it as a sentence. */
#ifndef ESIGN_RENDER_STYLESHEET_H
#define ESIGN_RENDER_STYLESHEET_H

#include "core/result.h"

#include <libxslt/xsltInternals.h>

/* Compiles the file `path` and what it includes and imports: files beside it, and esign:NAME, which
 * is `ours`/NAME wherever that is. Refused, with file and line, are stylesheets about which libxslt
 * has anything to say, that have a document type, or that name something of the network. Freed with
 * `p`. Threads may run. */
esign_result_t esign_stylesheet_compile(xsltStylesheetPtr *sheet, const char *path,
                                        const char *ours, apr_pool_t *p);

#endif
