/* SPDX-License-Identifier: Apache-2.0 */
/* levels.c: reads what waits in the outbox and in the audit trail into a portal's meter. */
#include "levels.h"

#include "audit/trail.h"
#include "store/outbox.h"

#include <stdatomic.h>

#define LOOK_EVERY apr_time_from_sec(1)
#define SHARE 50
/* A process that dies while it looks keeps the others from it no longer. */
#define LONGEST_LOOK apr_time_from_sec(60)

int esign_levels_claim(esign_meter_t *meter, apr_time_t now)
{
    apr_int64_t next = meter->next_look;
    /* A clock that was set back is no reason to wait. */
    return (now >= next || next - now > LONGEST_LOOK) &&
           atomic_compare_exchange_strong(&meter->next_look, &next, now + LONGEST_LOOK);
}

static void write_levels(esign_meter_t *meter, const esign_outbox_depth_t *depths,
                         apr_int64_t unchained, apr_time_t oldest)
{
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++) {
        meter->messages[kind].waiting = depths[kind].waiting;
        meter->messages[kind].reports = depths[kind].sent;
        meter->messages[kind].dead = depths[kind].dead;
        meter->messages[kind].oldest = depths[kind].oldest;
    }
    meter->unchained = unchained;
    meter->unchained_oldest = oldest;
}

esign_result_t esign_levels_read(esign_meter_t *meter, esign_database_t *database, apr_pool_t *p)
{
    esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS];
    apr_int64_t unchained = 0;
    apr_time_t oldest = 0, began = apr_time_now();
    esign_result_t result = database
                                ? esign_outbox_depths(database, depths, p)
                                : (esign_result_t){ APR_EGENERAL, "database", "no connection" };
    if (!esign_failed(result))
        result = esign_audit_unchained(database, &unchained, &oldest, p);
    if (!esign_failed(result))
        write_levels(meter, depths, unchained, oldest);
    meter->known = !esign_failed(result);
    apr_time_t now = apr_time_now();
    apr_interval_time_t pause = SHARE * (now - began);
    meter->next_look = now + (pause < LOOK_EVERY     ? LOOK_EVERY
                              : pause > LONGEST_LOOK ? LONGEST_LOOK
                                                     : pause);
    return result;
}
