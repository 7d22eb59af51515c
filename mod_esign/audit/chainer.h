/* SPDX-License-Identifier: Apache-2.0 */
/* chainer.h: the courier's other hand: chains audit rows, and copies the chain to where
 * EsignAuditLog says. */
#ifndef ESIGN_AUDIT_CHAINER_H
#define ESIGN_AUDIT_CHAINER_H

#include "copy.h"
#include "store/database.h"

/* Everything that the chainer works with; it outlives the chainer. */
typedef struct {
    esign_audit_copy_t *copy;     /* NULL: there is no copy */
    int (*stopping)(void *baton); /* the process is to end: a round returns soon */
    void (*log)(void *baton, int level, apr_status_t status,
                const char *text); /* level: syslog's, which are httpd's too */
    void *baton;
} esign_chainer_options_t;

typedef struct esign_chainer_t esign_chainer_t;

/* One chainer of a process, used by one thread. Ended with `p`. */
esign_chainer_t *esign_chainer_create(const esign_chainer_options_t *options, apr_pool_t *p);

/* One round, until `until` at the latest: chains all rows that wait, in transactions of some
 * hundred rows; then writes what is chained to the copy, line after line in the order of positions,
 * as long as it takes lines. With nothing to do it costs one SELECT, with a copy two. `p` is the
 * round's pool.
 *
 * A row counts as copied when the reader has read its line. The next round, another process or
 * another node goes on behind that: each line leaves at least once. Of the couriers that share a
 * database and have a copy, one at a time writes: it keeps the right as long as it gets on, and
 * loses it to another ten seconds after its last step. */
void esign_chainer_round(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                         apr_pool_t *p);

/* Before the process ends: the copying is anybody's. */
void esign_chainer_finish(esign_chainer_t *chainer, esign_database_t *database, apr_pool_t *p);

#endif
