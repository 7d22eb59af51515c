/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h: finds what was done to the audit trail behind the back of who has the key. */
#ifndef ESIGN_AUDIT_VERIFY_H
#define ESIGN_AUDIT_VERIFY_H

#include "chain.h"

typedef struct {
    /* A point that the chain is to contain: from an earlier run, or from a copy elsewhere. 0: none.
     */
    apr_int64_t expected_position;
    const char *expected_chain;
    /* Called for each finding; `row` NULL: it is about none that is there. */
    void (*found)(void *baton, const esign_audit_row_t *row, const char *what);
    void *baton;
} esign_audit_verify_options_t;

typedef struct {
    apr_int64_t rows; /* of the chain, looked at */
    apr_int64_t findings;
    apr_int64_t
        waiting; /* sound rows that are not chained yet; the courier chains within a second */
    apr_time_t waiting_since; /* time of the oldest of them; 0: none */
    esign_audit_head_t head;  /* as it was at the beginning */
} esign_audit_verify_report_t;

/* Goes through the whole chain in bounded memory, while the portal runs: what is chained meanwhile
 * is not looked at. It cannot see that the whole database was set back to an earlier state, head
 * and all (that is what `expected_…` is for), nor that a row was removed before it was chained. */
esign_result_t esign_audit_verify(esign_database_t *database,
                                  const esign_audit_verify_options_t *options,
                                  esign_audit_verify_report_t *report, apr_pool_t *p);

#endif
