/* SPDX-License-Identifier: Apache-2.0 */
/* levels.h: reads what waits in the outbox and in the audit trail into a portal's meter. */
#ifndef ESIGN_OPERATOR_LEVELS_H
#define ESIGN_OPERATOR_LEVELS_H

#include "ipc/meter.h"
#include "store/database.h"

/* Whether the caller is to look at the database: one at a time, once a second at most, however many
 * ask. Who was told so calls esign_levels_read. */
int esign_levels_claim(esign_meter_t *meter, apr_time_t now);

/* Looks at outbox and audit trail. The next look comes after a second, or after fifty times as long
 * as this one took, a minute at most: a full outbox is not looked at all the time. `database`: NULL
 * when it could not be reached, which is seen too. */
esign_result_t esign_levels_read(esign_meter_t *meter, esign_database_t *database, apr_pool_t *p);

#endif
