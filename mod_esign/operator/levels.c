/* SPDX-License-Identifier: Apache-2.0 */
/* levels.c: reads the outbox and the audit trail into a meter, at limited intervals. */
#include "levels.h"

#include "audit/trail.h"
#include "store/outbox.h"

#include <stdatomic.h>

/* The shortest pause between two readings, and the pause as a multiple of a reading's time. */
#define READ_PAUSE apr_time_from_sec(1)
#define PAUSE_FACTOR 50

/* The longest pause. It also is the time after which others take over from a process that died
 * while it read. */
#define PAUSE_MAX apr_time_from_sec(60)

int esign_levels_claim(esign_meter_t *meter, apr_time_t now)
{
    apr_int64_t next = meter->next_look;
    /* After the clock was set back, `next` may be far ahead; it is ignored then. */
    return (now >= next || next - now > PAUSE_MAX) &&
           atomic_compare_exchange_strong(&meter->next_look, &next, now + PAUSE_MAX);
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
    apr_interval_time_t pause = PAUSE_FACTOR * (now - began);
    pause = pause < READ_PAUSE ? READ_PAUSE : pause;
    meter->next_look = now + (pause < PAUSE_MAX ? pause : PAUSE_MAX);
    return result;
}
