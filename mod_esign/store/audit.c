/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c: rows of the table audit. */
#include "store/audit.h"

#include "core/digest.h"
#include "store/subscriber.h"

#include <apr_strings.h>

#include <string.h>
#include <unistd.h>

static const char *const names[ESIGN_AUDIT_EVENTS] = {
    "registered", "opened", "word-accepted", "word-refused", "code-sent", "code-refused", "signed-in",
    "signed-out", "reset-asked", "reset-mailed", "word-reset", "word-changed", "pin-shown",
    "sessions-ended", "message-dropped",
};

const char *esign_audit_name(esign_audit_event_e event)
{
    return event < ESIGN_AUDIT_EVENTS ? names[event] : "unknown";
}

static esign_audit_event_e event_of(const char *name)
{
    int event = 0;
    while (event < ESIGN_AUDIT_EVENTS && strcmp(names[event], name) != 0)
        event++;
    return (esign_audit_event_e)event;
}

esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event, apr_int64_t subscriber, const char *address,
                               apr_time_t now, apr_pool_t *p)
{
    apr_int64_t id = esign_digest_random_id();
    char node[256] = "";
    gethostname(node, sizeof(node) - 1);
    return esign_database_write(database, "audit_add", ESIGN_SQL(&id, &now, node, esign_audit_name(event), &subscriber, address), NULL, p);
}

esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event, apr_int64_t subscriber, apr_time_t since, int *count, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(database, "audit_count", ESIGN_SQL(&subscriber, &since, esign_audit_name(event)), 1, &rows, p);
    if (!esign_failed(result))
        *count = (int)esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0);
    return result;
}

esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max, const apr_array_header_t **entries, apr_pool_t *p)
{
    enum { ID, TIME, EVENT, SUBSCRIBER, ADDRESS, NODE, COLUMNS };
    const apr_array_header_t *rows;
    apr_int64_t most = max;
    esign_result_t result = subscriber == ESIGN_SUBSCRIBER_NONE
                                ? esign_database_read(database, "audit_list", ESIGN_SQL(&most), COLUMNS, &rows, p)
                                : esign_database_read(database, "audit_list_subscriber", ESIGN_SQL(&subscriber, &most), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_audit_entry_t));
    for (int i = 0; i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        esign_audit_entry_t *entry = apr_array_push(list);
        *entry = (esign_audit_entry_t){ .id = esign_database_number(row, ID), .time = esign_database_number(row, TIME), .event = event_of(row[EVENT]),
                                        .subscriber = esign_database_number(row, SUBSCRIBER), .address = row[ADDRESS], .node = row[NODE] };
    }
    *entries = list;
    return ESIGN_OK;
}
