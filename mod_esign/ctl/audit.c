/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c: the commands `audit list`, `verify` and `export`. */
#include "command.h"

#include "audit/trail.h"
#include "audit/verify.h"
#include "core/iso_time.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdio.h>
#include <string.h>

/* The highest --max of `audit list`. */
#define EVENTS_MAX 1000000

/* Rows that `audit export` reads at a time. */
#define PAGE_ROWS 1000

/* The courier chains a row within a second of its commit. `audit verify` reports rows that wait
 * longer than this, which leaves time to start httpd again. */
#define UNCHAINED_MAX apr_time_from_sec(60)

/* Opens the database and finds the subscriber of --subscriber; NULL without that option. Returns an
 * exit code. */
static int open_database(const esign_command_t *command, esign_database_t **database,
                         esign_subscriber_t **subscriber)
{
    const char *who = apr_table_get(command->options, "subscriber");
    *subscriber = NULL;
    if (who)
        return esign_command_find_subscriber(command, who, database, subscriber);
    esign_result_t result = esign_settings_database(command->settings, 1, database, command->pool);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}

int esign_command_audit_list(const esign_command_t *command)
{
    esign_database_t *database;
    esign_subscriber_t *subscriber;
    const apr_array_header_t *entries;
    apr_pool_t *p = command->pool;
    const char *most = apr_table_get(command->options, "max");
    apr_int64_t max = most ? esign_command_number(most) : 100;
    if (max < 1 || max > EVENTS_MAX)
        return esign_command_fail(ESIGN_EXIT_USAGE, "--max: write a number from 1 to %d",
                                  EVENTS_MAX);
    int code = open_database(command, &database, &subscriber);
    if (code != ESIGN_EXIT_OK)
        return code;
    esign_result_t result = esign_audit_list(
        database, subscriber ? subscriber->id : ESIGN_SUBSCRIBER_NONE, (int)max, &entries, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("%-21s %-16s %-21s %-40s %s\n", "TIME", "EVENT", "SUBSCRIBER", "ADDRESS", "NODE");
    for (int i = 0; i < entries->nelts; i++) {
        const esign_audit_entry_t *e = &APR_ARRAY_IDX(entries, i, esign_audit_entry_t);
        const char *row =
            e->subscriber ? apr_psprintf(p, "#%" APR_INT64_T_FMT, e->subscriber) : "-";
        printf("%-21s %-16s %-21s %-40s %s%s\n", esign_command_time(p, e->time),
               esign_event_name(e->event), row, esign_command_printable(p, e->address),
               esign_command_printable(p, e->node),
               e->sound ? "" : "   NOT TO BE BELIEVED: its seal is wrong");
    }
    return ESIGN_EXIT_OK;
}

static void print_finding(void *baton, const esign_audit_row_t *row, const char *what)
{
    (void)baton;
    if (!row)
        printf("%s\n", what);
    else if (row->position > 0)
        printf("position %" APR_INT64_T_FMT ", row %" APR_INT64_T_FMT ": %s\n", row->position,
               row->id, what);
    else
        printf("row %" APR_INT64_T_FMT ": %s\n", row->id, what);
}

/* Reads POSITION:HASH. Returns 0 if the text is something else. */
static int read_point(const char *text, esign_audit_verify_options_t *options, apr_pool_t *p)
{
    const char *colon = strchr(text, ':');
    options->expected_position =
        colon ? esign_command_number(apr_pstrndup(p, text, (apr_size_t)(colon - text))) : 0;
    options->expected_chain = colon ? colon + 1 : "";
    return options->expected_position > 0 && strlen(options->expected_chain) == 43;
}

int esign_command_audit_verify(const esign_command_t *command)
{
    esign_database_t *database;
    esign_audit_verify_report_t report;
    esign_audit_verify_options_t options = { .found = print_finding };
    apr_pool_t *p = command->pool;
    const char *expected = apr_table_get(command->options, "expect");
    if (expected && !read_point(expected, &options, p))
        return esign_command_fail(
            ESIGN_EXIT_USAGE,
            "--expect: write POSITION:HASH, as an earlier `audit verify` told the head");
    esign_result_t result = esign_settings_database(command->settings, 1, &database, p);
    if (!esign_failed(result))
        result = esign_audit_verify(database, &options, &report, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    if (report.waiting && apr_time_now() - report.waiting_since > UNCHAINED_MAX)
        printf("notice: %" APR_INT64_T_FMT
               " rows wait to be chained, the oldest since %s: is httpd running?\n",
               report.waiting, esign_command_time(p, report.waiting_since));
    printf("%" APR_INT64_T_FMT " rows, %" APR_INT64_T_FMT " findings, head %" APR_INT64_T_FMT
           ":%s\n",
           report.rows, report.findings, report.head.position,
           esign_command_printable(p, report.head.chain));
    return report.findings ? ESIGN_EXIT_REFUSED : ESIGN_EXIT_OK;
}

/* Reads a time, or a day, which means its first moment. Returns an exit code. */
static int read_time(const esign_command_t *command, const char *option, apr_time_t *time)
{
    const char *text = apr_table_get(command->options, option);
    if (!text || esign_iso_time_parse(text, 1, time) || esign_iso_time_parse(text, 0, time))
        return ESIGN_EXIT_OK;
    return esign_command_fail(ESIGN_EXIT_USAGE, "--%s: write 2026-11-24 or 2026-11-24T14:07:05Z",
                              option);
}

/* The rows that `audit export` prints. */
typedef struct {
    apr_time_t since, until;              /* `until` itself is excluded */
    const esign_subscriber_t *subscriber; /* NULL: everybody */
} choice_t;

static int is_chosen(const choice_t *choice, const esign_audit_row_t *row)
{
    return row->time >= choice->since && row->time < choice->until &&
           (!choice->subscriber || row->subscriber == choice->subscriber->id);
}

/* Prints the rows that are chained now, page by page, without judging them as `audit verify` does.
 */
static esign_result_t print_rows(esign_database_t *database, const choice_t *choice, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_audit_row_t last = { 0 };
    esign_result_t result;
    apr_pool_t *page;
    apr_pool_create(&page, p);
    do {
        apr_pool_clear(page);
        result = esign_audit_page(database, last.position, last.id, APR_INT64_MAX, PAGE_ROWS, &rows,
                                  page);
        for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
            last = APR_ARRAY_IDX(rows, i, esign_audit_row_t);
            if (is_chosen(choice, &last))
                fputs(esign_audit_row_line(&last, NULL, page), stdout);
        }
    } while (!esign_failed(result) && rows->nelts == PAGE_ROWS && !ferror(stdout));
    result = esign_failed(result)
                 ? esign_result_make(p, result.status, result.problem, "%s", result.detail)
                 : result;
    apr_pool_destroy(page);
    return result;
}

int esign_command_audit_export(const esign_command_t *command)
{
    esign_database_t *database;
    esign_subscriber_t *subscriber;
    choice_t choice = { .since = APR_INT64_MIN, .until = APR_INT64_MAX };
    int code = read_time(command, "since", &choice.since);
    if (code == ESIGN_EXIT_OK)
        code = read_time(command, "until", &choice.until);
    if (code == ESIGN_EXIT_OK)
        code = open_database(command, &database, &subscriber);
    if (code != ESIGN_EXIT_OK)
        return code;
    choice.subscriber = subscriber;
    esign_result_t result = print_rows(database, &choice, command->pool);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}
