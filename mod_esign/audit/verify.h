/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h: finds audit rows that were changed, inserted, moved or removed without the key. */
#ifndef ESIGN_AUDIT_VERIFY_H
#define ESIGN_AUDIT_VERIFY_H

#include "chain.h"

typedef struct {
    /* A position and its chain value, which the chain must contain: from an earlier run, or from a
     * copy. 0: none is expected. */
    apr_int64_t expected_position;
    const char *expected_chain;
    /* Called for each finding, with a sentence. `row` NULL: it is about a row that is missing, or
     * about the head. */
    void (*found)(void *baton, const esign_audit_row_t *row, const char *what);
    void *baton;
} esign_audit_verify_options_t;

typedef struct {
    apr_int64_t rows; /* of the chain that were checked */
    apr_int64_t findings;
    apr_int64_t waiting;      /* sound rows that are not chained yet; a chainer does that within a
                                 second */
    apr_time_t waiting_since; /* the time of the oldest of them; 0: none waits */
    esign_audit_head_t head;  /* as it was at the start */
} esign_audit_verify_report_t;

/* Checks the whole chain in bounded memory, while the portal runs; rows that are chained meanwhile
 * are not checked. It cannot find a row that was removed before it was chained. Nor can it find
 * that the whole database, with its head, was set back to an earlier state, unless
 * `expected_position` is given. Fails when the database cannot be read. */
esign_result_t esign_audit_verify(esign_database_t *database,
                                  const esign_audit_verify_options_t *options,
                                  esign_audit_verify_report_t *report, apr_pool_t *p);

#endif
