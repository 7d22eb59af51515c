/* SPDX-License-Identifier: Apache-2.0 */
/* import.h: registers the subscribers of an XML file, streamed. */
#ifndef ESIGN_CTL_IMPORT_H
#define ESIGN_CTL_IMPORT_H

#include "registrar.h"

typedef struct {
    int registered, refused;
} esign_import_count_t;

/* Called for each refusal; `line` of the file. */
typedef void esign_import_refused_fn(void *baton, long line, const char *reason);

/* Reads `path` ("-": standard input) as conf/subscribers.rng describes it, one subscriber in memory
 * at a time. All or nothing, unless `keep_going`: then each subscriber stands for itself. A file
 * that is not well-formed, and a database that fails, end the import; what --keep-going registered
 * before stays. All are judged and their words hashed before the one transaction begins, so that it
 * keeps others from writing for a short time only. */
esign_result_t esign_import_file(const esign_registrar_t *registrar, const char *path,
                                 int keep_going, esign_import_refused_fn *refused, void *baton,
                                 esign_import_count_t *count, apr_pool_t *p);

#endif
