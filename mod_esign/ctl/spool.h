/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h: keeps judged applications in a sealed temporary file until a whole import is judged. */
#ifndef ESIGN_CTL_SPOOL_H
#define ESIGN_CTL_SPOOL_H

#include "registrar.h"

typedef struct esign_spool_t esign_spool_t;

/* Makes an empty spool: a file without a name in TMPDIR or /tmp, closed with `p`. */
esign_result_t esign_spool_open(esign_spool_t **spool, const esign_keyring_t *keyring,
                                apr_pool_t *p);

/* Adds an application that esign_registrar_prepare made ready. `line`: where it begins in its file.
 */
esign_result_t esign_spool_put(esign_spool_t *spool, long line,
                               const esign_application_t *application, apr_pool_t *p);

/* The next esign_spool_get returns the first application. */
esign_result_t esign_spool_rewind(esign_spool_t *spool, apr_pool_t *p);

/* Returns the applications in the order in which they were added, in `p`. `*line` is 0 after the
 * last. */
esign_result_t esign_spool_get(esign_spool_t *spool, long *line, esign_application_t *application,
                               apr_pool_t *p);

#endif
