/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c: the commands `outbox list`, `show`, `retry` and `drop`. */
#include "command.h"

#include "audit/trail.h"
#include "core/record.h"
#include "store/outbox.h"
#include "store/subscriber.h"

#include <stdio.h>
#include <string.h>

/* The default of --max, and the highest. */
#define LISTED_DEFAULT 1000
#define LISTED_MAX 1000000

/* When a message is tried next; 0: it was abandoned. */
static apr_time_t next_try(const esign_outbox_message_t *message)
{
    return strcmp(message->state, "dead") == 0 ? 0 : message->due;
}

/* Says how many messages --max has left out. */
static void print_rest(const esign_outbox_depth_t *depths, int listed)
{
    apr_int64_t rest = -listed;
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
        rest += depths[kind].waiting + depths[kind].sent + depths[kind].dead;
    if (rest > 0)
        printf("… and %" APR_INT64_T_FMT " newer; --max lists more\n", rest);
}

int esign_command_outbox_list(const esign_command_t *command)
{
    esign_database_t *database;
    const apr_array_header_t *messages;
    esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS];
    apr_pool_t *p = command->pool;
    const char *most = apr_table_get(command->options, "max");
    apr_int64_t max = most ? esign_command_number(most) : LISTED_DEFAULT;
    if (max < 1 || max > LISTED_MAX)
        return esign_command_fail(ESIGN_EXIT_USAGE, "--max: write a number from 1 to %d",
                                  LISTED_MAX);
    esign_result_t result = esign_settings_database(command->settings, 1, &database, p);
    if (!esign_failed(result))
        result = esign_outbox_list(database, (int)max, &messages, p);
    if (!esign_failed(result))
        result = esign_outbox_depths(database, depths, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("%-20s %-14s %-8s %-21s %-21s %5s  %s\n", "ID", "KIND", "STATE", "CREATED", "NEXT TRY",
           "TRIES", "LAST ERROR");
    for (int i = 0; i < messages->nelts; i++) {
        const esign_outbox_message_t *m = &APR_ARRAY_IDX(messages, i, esign_outbox_message_t);
        printf("%-20" APR_INT64_T_FMT " %-14s %-8s %-21s %-21s %5d  %s\n", m->id,
               esign_outbox_kind_name(m->kind), m->state, esign_command_time(p, m->created),
               esign_command_time(p, next_try(m)), m->attempts,
               esign_command_printable(p, m->error));
    }
    if (messages->nelts == max)
        print_rest(depths, messages->nelts);
    return ESIGN_EXIT_OK;
}

/* Finds the message with the id that an argument gives. Returns an exit code. */
static int find_message(esign_database_t *database, const char *name,
                        const esign_outbox_message_t **message, apr_pool_t *p)
{
    apr_int64_t id = esign_command_number(name);
    if (id < 0)
        return esign_command_fail(
            ESIGN_EXIT_USAGE, "%s: write the id of a message, as `esignctl outbox list` prints it",
            name);
    esign_result_t result = esign_outbox_get(database, id, message, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    return *message
               ? ESIGN_EXIT_OK
               : esign_command_fail(ESIGN_EXIT_REFUSED,
                                    "%s: there is no such message: it was sent or dropped", name);
}

int esign_command_outbox_show(const esign_command_t *command)
{
    esign_database_t *database;
    const esign_outbox_message_t *m;
    apr_pool_t *p = command->pool;
    esign_result_t result = esign_settings_database(command->settings, 1, &database, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    int code = find_message(database, esign_command_argument(command, 0), &m, p);
    if (code != ESIGN_EXIT_OK)
        return code;
    printf("id         %" APR_INT64_T_FMT "\nkind       %s\nstate      %s\ncreated    %s\n", m->id,
           esign_outbox_kind_name(m->kind), m->state, esign_command_time(p, m->created));
    printf("next try   %s\nexpires    %s\ntries      %d\nlast error %s\ncontent    %s\n",
           esign_command_time(p, next_try(m)), esign_command_time(p, m->expires), m->attempts,
           esign_command_printable(p, m->error), m->has_values ? "sealed" : "gone");
    return ESIGN_EXIT_OK;
}

typedef int change_fn(esign_database_t *database, const esign_outbox_message_t *message,
                      apr_pool_t *p);

/* Changes each message of the arguments. One that cannot be changed is reported, and the others are
 * still changed. Returns the highest exit code. */
static int change_each(const esign_command_t *command, change_fn *change)
{
    esign_database_t *database;
    apr_pool_t *p;
    int worst = ESIGN_EXIT_OK;
    esign_result_t result = esign_settings_database(command->settings, 1, &database, command->pool);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    apr_pool_create(&p, command->pool);
    for (int i = 0; i < command->arguments->nelts; i++) {
        const esign_outbox_message_t *message;
        int code = find_message(database, esign_command_argument(command, i), &message, p);
        if (code == ESIGN_EXIT_OK)
            code = change(database, message, p);
        worst = code > worst ? code : worst;
        apr_pool_clear(p);
    }
    return worst;
}

/* The courier holds the message's lease, so that it cannot be changed. */
static int fail_leased(const esign_outbox_message_t *message)
{
    return esign_command_fail(ESIGN_EXIT_REFUSED,
                              "%" APR_INT64_T_FMT ": it is being sent: look again in a minute",
                              message->id);
}

/* Makes a message due at once. */
static int retry_message(esign_database_t *database, const esign_outbox_message_t *message,
                         apr_pool_t *p)
{
    int done = 0;
    esign_result_t result = esign_outbox_requeue(database, message->id, apr_time_now(), &done, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    if (done)
        return ESIGN_EXIT_OK;
    if (message->awaited >= 0)
        return esign_command_fail(
            ESIGN_EXIT_REFUSED,
            "%" APR_INT64_T_FMT ": an SMS gateway took it and has not reported yet", message->id);
    if (message->has_values && message->expires > apr_time_now())
        return fail_leased(message);
    return esign_command_fail(
        ESIGN_EXIT_REFUSED, "%" APR_INT64_T_FMT ": %s", message->id,
        message->has_values || message->kind != ESIGN_OUTBOX_CODE
            ? "it has expired and cannot be sent any more"
            : "a code that was given up is not kept: the subscriber asks for another");
}

int esign_command_outbox_retry(const esign_command_t *command)
{
    return change_each(command, retry_message);
}

/* The subscriber of a message; ESIGN_SUBSCRIBER_NONE if its values cannot be opened, or name nobody
 * who is registered. */
static apr_int64_t subscriber_of(esign_database_t *database, const esign_outbox_message_t *message,
                                 apr_pool_t *p)
{
    const apr_table_t *values;
    esign_subscriber_t *subscriber = NULL;
    if (esign_failed(esign_outbox_values(database, message->id, &values, p)) || !values)
        return ESIGN_SUBSCRIBER_NONE;
    const char *national_id = apr_table_get(values, "national-id");
    if (!national_id)
        return esign_record_number(values, "subscriber", ESIGN_SUBSCRIBER_NONE);
    if (esign_failed(esign_subscriber_find(database, national_id, &subscriber, p)) || !subscriber)
        return ESIGN_SUBSCRIBER_NONE;
    return subscriber->id;
}

/* Removes a message and adds the audit row in one transaction. */
static int drop_message(esign_database_t *database, const esign_outbox_message_t *message,
                        apr_pool_t *p)
{
    int done = 0;
    apr_time_t now = apr_time_now();
    apr_int64_t subscriber = subscriber_of(database, message, p);
    esign_result_t result = esign_database_begin(database, p);
    if (!esign_failed(result))
        result = esign_outbox_drop(database, message->id, now, &done, p);
    if (!esign_failed(result) && done)
        result = esign_audit_add(database, ESIGN_AUDIT_MESSAGE_DROPPED, subscriber,
                                 ESIGN_AUDIT_LOCAL, now, p);
    result = esign_database_end(database, result, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    return done ? ESIGN_EXIT_OK : fail_leased(message);
}

int esign_command_outbox_drop(const esign_command_t *command)
{
    return change_each(command, drop_message);
}
