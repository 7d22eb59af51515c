/* SPDX-License-Identifier: Apache-2.0 */
/* trail.c: adds, counts and lists rows of the table audit. */
#include "trail.h"

#include "core/digest.h"
#include "ipc/meter.h"
#include "row.h"
#include "store/subscriber.h"

#include <unistd.h>

_Static_assert(ESIGN_AUDIT_EVENTS <= ESIGN_METER_EVENTS, "ESIGN_METER_EVENTS is too small");

esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event,
                               apr_int64_t subscriber, const char *address, apr_time_t now,
                               apr_pool_t *p)
{
    char node[256] = "";
    gethostname(node, sizeof(node) - 1);
    const esign_audit_row_t row = { .id = esign_digest_random_id(),
                                    .time = now,
                                    .node = node,
                                    .event = esign_event_name(event),
                                    .subscriber = subscriber,
                                    .address = address };
    const char *seal = esign_audit_row_seal(database->keyring, &row, p);
    esign_result_t result = esign_database_write(
        database, "audit_add",
        ESIGN_SQL(&row.id, &row.time, node, row.event, &row.subscriber, address, seal), NULL, p);
    if (!esign_failed(result) && database->meter)
        database->meter->events[event]++;
    return result;
}

esign_result_t esign_audit_unchained(esign_database_t *database, apr_int64_t *count,
                                     apr_time_t *oldest, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = ESIGN_AUDIT_UNCHAINED_MAX;
    esign_result_t result =
        esign_database_read(database, "audit_unchained_count", ESIGN_SQL(&most), 2, &rows, p);
    if (!esign_failed(result) && rows->nelts > 0) {
        *count = esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0);
        *oldest = esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 1);
    }
    return result;
}

esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event,
                                 apr_int64_t subscriber, apr_time_t since, int most, int *count,
                                 apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t limit = most;
    esign_result_t result = esign_database_read(
        database, "audit_count", ESIGN_SQL(&subscriber, &since, esign_event_name(event), &limit), 1,
        &rows, p);
    if (!esign_failed(result))
        *count = (int)esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0);
    return result;
}

esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max,
                                const apr_array_header_t **entries, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = max;
    esign_result_t result =
        subscriber == ESIGN_SUBSCRIBER_NONE
            ? esign_database_read(database, "audit_list", ESIGN_SQL(&most), ESIGN_AUDIT_ROW_WIDTH,
                                  &rows, p)
            : esign_database_read(database, "audit_list_subscriber", ESIGN_SQL(&subscriber, &most),
                                  ESIGN_AUDIT_ROW_WIDTH, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_audit_entry_t));
    for (int i = 0; i < rows->nelts; i++) {
        esign_audit_row_t row = esign_audit_row_read(APR_ARRAY_IDX(rows, i, const char *const *));
        esign_audit_entry_t *entry = apr_array_push(list);
        *entry = (esign_audit_entry_t){ .id = row.id,
                                        .time = row.time,
                                        .event = esign_event_parse(row.event),
                                        .subscriber = row.subscriber,
                                        .address = row.address,
                                        .node = row.node,
                                        .position = row.position,
                                        .sound = esign_audit_row_judge(database->keyring, &row,
                                                                       p) == ESIGN_AUDIT_SOUND };
    }
    *entries = list;
    return ESIGN_OK;
}
