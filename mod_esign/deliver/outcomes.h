/* SPDX-License-Identifier: Apache-2.0 */
/* outcomes.h: batches the outcomes of deliveries, so that one commit covers many. */
#ifndef ESIGN_DELIVER_OUTCOMES_H
#define ESIGN_DELIVER_OUTCOMES_H

#include "delivery.h"

typedef struct esign_outcomes_t esign_outcomes_t;

esign_outcomes_t *esign_outcomes_create(apr_pool_t *p);

/* Adds a delivery whose `outcome`, `due` and `error` are set; it belongs to the batch from now on.
 */
void esign_outcomes_add(esign_outcomes_t *outcomes, esign_delivery_t *delivery, apr_time_t now);

/* When the batch is to be written, by the clock of `now` above; 0: it is empty. That is 50 ms after
 * its first outcome, or at once where it has 100 of them or one of a code. */
apr_time_t esign_outcomes_due(const esign_outcomes_t *outcomes);

/* Writes the batch within the caller's transaction: to the rows that `owner` holds, and to the
 * audit trail what became of requests for links and which messages were given up. */
esign_result_t esign_outcomes_write(const esign_outcomes_t *outcomes, esign_database_t *database,
                                    const char *owner, apr_time_t now, apr_pool_t *p);

/* Empties the batch after the commit, and destroys its deliveries. After a failed transaction the
 * batch stays as it is, to be written again. */
void esign_outcomes_clear(esign_outcomes_t *outcomes);

#endif
