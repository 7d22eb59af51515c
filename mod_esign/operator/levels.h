/* SPDX-License-Identifier: Apache-2.0 */
/* levels.h: reads the levels of a portal's meter (ipc/meter.h) from its database: waiting messages
 * and unchained audit rows. */
#ifndef ESIGN_OPERATOR_LEVELS_H
#define ESIGN_OPERATOR_LEVELS_H

#include "ipc/meter.h"
#include "store/database.h"

/* Returns 1 if the levels are due to be read, to one caller of all processes; it then calls
 * esign_levels_read. Returns 0 to all others, who use the levels as they are. */
int esign_levels_claim(esign_meter_t *meter, apr_time_t now);

/* Reads the levels. They are due again after a second. If reading took more than 20 ms they are due
 * after fifty times that time, a minute at most. So a full outbox costs 2 % of a connection, and
 * more only where one reading takes over 1.2 s.
 * `database` NULL: it cannot be reached, which sets `known` to 0. */
esign_result_t esign_levels_read(esign_meter_t *meter, esign_database_t *database, apr_pool_t *p);

#endif
