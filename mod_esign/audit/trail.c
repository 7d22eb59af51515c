/* SPDX-License-Identifier: Apache-2.0 */
/* trail.c: the events, and rows of the table audit as they are written and shown. */
#include "trail.h"

#include "core/digest.h"
#include "ipc/meter.h"
#include "row.h"
#include "store/subscriber.h"

#include <apr_strings.h>

#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned char refusal, personal; /* personal: it can be a subscriber's */
} events[ESIGN_AUDIT_EVENTS] = {
    [ESIGN_AUDIT_REGISTERED] = { "registered", 0, 1 },
    [ESIGN_AUDIT_SHOWN] = { "subscriber-shown", 0, 1 },
    [ESIGN_AUDIT_OPENED] = { "opened", 0, 1 },
    [ESIGN_AUDIT_BARRED] = { "barred", 0, 1 },
    [ESIGN_AUDIT_KEY_ADDED] = { "key-added", 0, 0 },
    [ESIGN_AUDIT_KEY_ROTATED] = { "key-rotated", 0, 0 },
    [ESIGN_AUDIT_KEY_RETIRED] = { "key-retired", 0, 0 },
    [ESIGN_AUDIT_MESSAGE_DROPPED] = { "message-dropped", 0, 1 },
    [ESIGN_AUDIT_WORD_ACCEPTED] = { "word-accepted", 0, 1 },
    [ESIGN_AUDIT_WORD_REFUSED] = { "word-refused", 1, 1 },
    [ESIGN_AUDIT_REFUSED_WAITING] = { "refused-waiting", 1, 1 },
    [ESIGN_AUDIT_REFUSED_CLOSED] = { "refused-closed", 1, 1 },
    [ESIGN_AUDIT_CLOSED] = { "closed", 1, 1 },
    [ESIGN_AUDIT_SIGN_IN_LIMITED] = { "sign-in-limited", 1, 0 },
    [ESIGN_AUDIT_CODE_SENT] = { "code-sent", 0, 1 },
    [ESIGN_AUDIT_CODE_RESENT] = { "code-resent", 0, 1 },
    [ESIGN_AUDIT_SMS_REFUSED] = { "sms-refused", 1, 1 },
    [ESIGN_AUDIT_CODE_REFUSED] = { "code-refused", 1, 1 },
    [ESIGN_AUDIT_CODE_DEAD] = { "code-dead", 1, 1 },
    [ESIGN_AUDIT_SIGNED_IN] = { "signed-in", 0, 1 },
    [ESIGN_AUDIT_SIGNED_OUT] = { "signed-out", 0, 1 },
    [ESIGN_AUDIT_RESET_ASKED] = { "reset-asked", 0, 0 },
    [ESIGN_AUDIT_RESET_LIMITED] = { "reset-limited", 1, 0 },
    [ESIGN_AUDIT_RESET_MAILED] = { "reset-mailed", 0, 1 },
    [ESIGN_AUDIT_RESET_UNKNOWN] = { "reset-unknown", 1, 0 },
    [ESIGN_AUDIT_RESET_SPACED] = { "reset-spaced", 1, 1 },
    [ESIGN_AUDIT_LINK_OPENED] = { "link-opened", 0, 1 },
    [ESIGN_AUDIT_LINK_REFUSED] = { "link-refused", 1, 1 },
    [ESIGN_AUDIT_WORD_RESET] = { "word-reset", 0, 1 },
    [ESIGN_AUDIT_WORD_CHANGED] = { "word-changed", 0, 1 },
    [ESIGN_AUDIT_PIN_SHOWN] = { "pin-shown", 0, 1 },
    [ESIGN_AUDIT_SESSIONS_ENDED] = { "sessions-ended", 0, 1 },
    [ESIGN_AUDIT_MESSAGE_GIVEN_UP] = { "message-given-up", 1, 1 },
    [ESIGN_AUDIT_MESSAGES_EXPIRED] = { "messages-expired", 1, 0 },
};

_Static_assert(ESIGN_AUDIT_EVENTS <= ESIGN_METER_EVENTS, "ESIGN_METER_EVENTS is too small");

const char *esign_audit_name(esign_audit_event_e event)
{
    return event < ESIGN_AUDIT_EVENTS ? events[event].name : "unknown";
}

static esign_audit_event_e event_of(const char *name)
{
    int event = 0;
    while (event < ESIGN_AUDIT_EVENTS && strcmp(events[event].name, name) != 0)
        event++;
    return (esign_audit_event_e)event;
}

const char *esign_audit_result(const char *name)
{
    esign_audit_event_e event = event_of(name);
    return event == ESIGN_AUDIT_EVENTS ? "unknown" : events[event].refusal ? "failure" : "success";
}

int esign_audit_personal(esign_audit_event_e event)
{
    return event < ESIGN_AUDIT_EVENTS && events[event].personal;
}

esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event,
                               apr_int64_t subscriber, const char *address, apr_time_t now,
                               apr_pool_t *p)
{
    char node[256] = "";
    gethostname(node, sizeof(node) - 1);
    const esign_audit_row_t row = { .id = esign_digest_random_id(),
                                    .time = now,
                                    .node = node,
                                    .event = esign_audit_name(event),
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
        database, "audit_count", ESIGN_SQL(&subscriber, &since, esign_audit_name(event), &limit), 1,
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
                                        .event = event_of(row.event),
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
