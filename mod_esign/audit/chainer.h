/* SPDX-License-Identifier: Apache-2.0 */
/* chainer.h: chains audit rows, and writes the chained rows to the copy that EsignAuditLog names.
 * The courier's thread of httpd calls its rounds. */
#ifndef ESIGN_AUDIT_CHAINER_H
#define ESIGN_AUDIT_CHAINER_H

#include "copy.h"
#include "store/database.h"

/* The options live as long as the chainer. */
typedef struct {
    esign_audit_copy_t *copy;     /* NULL: there is no copy */
    int (*stopping)(void *baton); /* 1: the process is to end, so the round returns soon */
    void (*log)(void *baton, int level, apr_status_t status,
                const char *text); /* level: syslog's, which are httpd's too */
    void *baton;                   /* for both functions */
} esign_chainer_options_t;

typedef struct esign_chainer_t esign_chainer_t;

/* Makes a chainer; one thread uses it. Ended with `p`. */
esign_chainer_t *esign_chainer_create(const esign_chainer_options_t *options, apr_pool_t *p);

/* Runs one round, which ends about `until`. First it chains all rows that wait, in transactions of
 * some hundred rows. Then it writes chained rows to the copy, in the order of their positions,
 * until the copy takes no more. A round with nothing to do costs one SELECT, with a copy two.
 * Failures are logged. `p` is the round's pool.
 *
 * A row counts as copied once the reader has read its line; the head of the chain records that.
 * Later rounds, other processes and other nodes go on from there, so that each line is written at
 * least once. Of the chainers that share a database, one at a time writes. It keeps that claim
 * while it makes progress; ten seconds after its last step another one may take the claim over. */
void esign_chainer_round(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                         apr_pool_t *p);

/* Gives up the claim to write the copy, before the process ends. */
void esign_chainer_finish(esign_chainer_t *chainer, esign_database_t *database, apr_pool_t *p);

#endif
