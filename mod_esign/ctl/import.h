/* SPDX-License-Identifier: Apache-2.0 */
/* import.h: registers the subscribers of an XML file, one after the other. */
#ifndef ESIGN_CTL_IMPORT_H
#define ESIGN_CTL_IMPORT_H

#include "registrar.h"

typedef struct {
    int registered, refused;
} esign_import_count_t;

/* Called for each subscriber that is refused, with the line of the file where it begins. */
typedef void esign_import_refused_fn(void *baton, long line, const char *reason);

/* Reads `path` ("-": standard input), which conf/subscribers.rng describes. One subscriber at a
 * time is in memory.
 *
 * Without `keep_going` all are registered or none. They are judged, and their words hashed, before
 * the one transaction begins; so it keeps other writers waiting for a short time only. With
 * `keep_going` each subscriber is registered or refused alone.
 *
 * A file that is not well-formed, or a database that fails, ends the import with a failure. Those
 * that `keep_going` has registered before stay registered. */
esign_result_t esign_import_file(const esign_registrar_t *registrar, const char *path,
                                 int keep_going, esign_import_refused_fn *refused, void *baton,
                                 esign_import_count_t *count, apr_pool_t *p);

#endif
