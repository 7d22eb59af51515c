/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h: applications that wait on the disk, sealed, until all of a file are judged. */
#ifndef ESIGN_CTL_SPOOL_H
#define ESIGN_CTL_SPOOL_H

#include "registrar.h"

typedef struct esign_spool_t esign_spool_t;

/* An empty spool in a file without a name, in TMPDIR or /tmp; gone with `p`. */
esign_result_t esign_spool_open(esign_spool_t **spool, const esign_keyring_t *keyring,
                                apr_pool_t *p);

/* Adds a prepared application that began in `line` of its file. */
esign_result_t esign_spool_put(esign_spool_t *spool, long line,
                               const esign_application_t *application, apr_pool_t *p);

/* From the first one again. */
esign_result_t esign_spool_rewind(esign_spool_t *spool, apr_pool_t *p);

/* The next one, in the order they were added; `*line` 0 after the last. */
esign_result_t esign_spool_get(esign_spool_t *spool, long *line, esign_application_t *application,
                               apr_pool_t *p);

#endif
