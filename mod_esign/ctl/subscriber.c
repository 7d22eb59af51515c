/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.c: the commands `subscriber import`, `show`, `open` and `close`. */
#include "command.h"

#include "audit/trail.h"
#include "core/contact.h"
#include "import.h"
#include "store/card.h"
#include "store/subscriber.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdio.h>
#include <string.h>

int esign_command_subscriber_show(const esign_command_t *command)
{
    esign_database_t *database;
    esign_subscriber_t *s;
    const apr_array_header_t *cards;
    apr_pool_t *p = command->pool;
    int code =
        esign_command_find_subscriber(command, esign_command_argument(command, 0), &database, &s);
    if (code != ESIGN_EXIT_OK)
        return code;
    /* The audit row comes first: without it nothing is shown. */
    esign_result_t result =
        esign_audit_add(database, ESIGN_AUDIT_SHOWN, s->id, ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    if (!esign_failed(result))
        result = esign_card_list(database, s->id, 0, &cards, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("row        #%" APR_INT64_T_FMT
           "\nname       %s\ne-mail     %s\nphone      %s\nlanguage   %s\nword       %s\n",
           s->id, s->name, esign_contact_mask_email(p, s->email),
           esign_contact_mask_phone(p, s->phone), esign_command_printable(p, s->language),
           s->word_hash ? "set" : "none");
    printf("failures   %d\nwaits till %s\nclosed     %s\n", s->failures,
           esign_command_time(p, s->wait_until), s->closed ? "yes" : "no");
    for (int i = 0; i < cards->nelts; i++) {
        const esign_card_t *card = &APR_ARRAY_IDX(cards, i, esign_card_t);
        printf("card       %s  %s  %s to %s\n", esign_command_printable(p, card->serial),
               esign_command_printable(p, card->state),
               esign_command_printable(p, card->not_before),
               esign_command_printable(p, card->not_after));
    }
    return ESIGN_EXIT_OK;
}

typedef esign_result_t change_fn(esign_database_t *database, apr_int64_t id, int *found,
                                 apr_pool_t *p);

/* Changes a subscriber and adds the audit row in one transaction. */
static int change_subscriber(const esign_command_t *command, change_fn *change,
                             esign_audit_event_e event)
{
    esign_database_t *database;
    esign_subscriber_t *s;
    int found, code = esign_command_find_subscriber(command, esign_command_argument(command, 0),
                                                    &database, &s);
    if (code != ESIGN_EXIT_OK)
        return code;
    esign_result_t result = esign_database_begin(database, command->pool);
    if (!esign_failed(result))
        result = change(database, s->id, &found, command->pool);
    if (!esign_failed(result))
        result = esign_audit_add(database, event, s->id, ESIGN_AUDIT_LOCAL, apr_time_now(),
                                 command->pool);
    result = esign_database_end(database, result, command->pool);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}

int esign_command_subscriber_open(const esign_command_t *command)
{
    return change_subscriber(command, esign_subscriber_open, ESIGN_AUDIT_OPENED);
}

int esign_command_subscriber_close(const esign_command_t *command)
{
    return change_subscriber(command, esign_subscriber_close, ESIGN_AUDIT_BARRED);
}

static void print_refusal(void *baton, long line, const char *reason)
{
    fprintf(stderr, "esignctl: %s:%ld: %s\n", (const char *)baton, line, reason);
}

int esign_command_subscriber_import(const esign_command_t *command)
{
    esign_registrar_t registrar;
    esign_import_count_t count = { 0 };
    const char *path = esign_command_argument(command, 0);
    int keep_going = apr_table_get(command->options, "keep-going") != NULL;
    esign_result_t result = esign_registrar_make(&registrar, command->settings, command->pool);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT, "%s: %s", result.problem, result.detail);
    result = esign_import_file(&registrar, path, keep_going, print_refusal, (void *)path, &count,
                               command->pool);
    printf("%d registered, %d refused\n", count.registered, count.refused);
    if (esign_failed(result)) {
        int environment = strcmp(result.problem, "import") != 0;
        return esign_command_fail(environment ? ESIGN_EXIT_ENVIRONMENT : ESIGN_EXIT_REFUSED,
                                  "%s: %s", path, result.detail);
    }
    return count.refused ? ESIGN_EXIT_REFUSED : ESIGN_EXIT_OK;
}
