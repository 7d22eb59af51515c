/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c: the database, pictures, and what is shown. */
#include "commands.h"

#include "audit/chain.h"
#include "audit/trail.h"
#include "challenge/captcha.h"
#include "core/contact.h"
#include "core/iso_time.h"
#include "store/card.h"
#include "store/schema.h"
#include "store/subscriber.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdio.h>
#include <string.h>

#define LINE_MAX_CHALLENGE 4096

const char *esign_command_moment(apr_pool_t *p, apr_time_t time)
{
    return time == 0 ? "-" : esign_iso_time(p, time);
}

const char *esign_command_plain(apr_pool_t *p, const char *text)
{
    char *copy = apr_pstrdup(p, text ? text : "-");
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            *c = '?';
    return copy;
}

apr_int64_t esign_command_number(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 19 && strspn(text, "0123456789") == length ? apr_atoi64(text)
                                                                              : -1;
}

static const char *argument(const esign_command_t *command)
{
    return APR_ARRAY_IDX(command->arguments, 0, const char *);
}

int esign_db_init(const esign_command_t *command)
{
    esign_database_t *database;
    esign_result_t result = esign_settings_database(command->settings, 0, &database, command->pool);
    if (!esign_failed(result))
        result = esign_schema_create(database, command->pool);
    if (!esign_failed(result))
        result = esign_audit_head_init(database, command->pool);
    result = esign_database_end(database, result, command->pool);
    return esign_failed(result) ? esign_complain_of(result) : ESIGN_EXIT_OK;
}

int esign_db_upgrade(const esign_command_t *command)
{
    esign_database_t *database;
    int from;
    esign_result_t result = esign_settings_database(command->settings, 0, &database, command->pool);
    if (!esign_failed(result))
        result = esign_schema_upgrade(database, &from, command->pool);
    if (esign_failed(result))
        return esign_complain_of(result);
    printf("schema version %d, before %d\n", ESIGN_SCHEMA_VERSION, from);
    return ESIGN_EXIT_OK;
}

int esign_command_subscriber(const esign_command_t *command, const char *name,
                             esign_database_t **database, esign_subscriber_t **subscriber)
{
    const esign_national_id_scheme_t *scheme;
    char id[ESIGN_NATIONAL_ID_MAX + 1];
    apr_pool_t *p = command->pool;
    esign_result_t result =
        esign_national_id_scheme(&scheme, command->settings->identity_number, p);
    if (!esign_failed(result))
        result = esign_settings_database(command->settings, 1, database, p);
    if (esign_failed(result))
        return esign_complain_of(result);
    if (*name == '#')
        result = esign_subscriber_get(*database, esign_command_number(name + 1), subscriber, p);
    else if (esign_national_id_parse(scheme, name, id))
        result = esign_subscriber_find(*database, id, subscriber, p);
    else
        return esign_complain(ESIGN_EXIT_REFUSED, "that is no identity number of the scheme %s",
                              command->settings->identity_number);
    if (esign_failed(result))
        return esign_complain_of(result);
    return *subscriber
               ? ESIGN_EXIT_OK
               : esign_complain(ESIGN_EXIT_REFUSED, "nobody is registered under that number");
}

int esign_subscriber_show(const esign_command_t *command)
{
    esign_database_t *database;
    esign_subscriber_t *s;
    const apr_array_header_t *cards;
    apr_pool_t *p = command->pool;
    int code = esign_command_subscriber(command, argument(command), &database, &s);
    if (code != ESIGN_EXIT_OK)
        return code;
    /* Nothing is shown that left no trace. */
    esign_result_t result =
        esign_audit_add(database, ESIGN_AUDIT_SHOWN, s->id, ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    if (!esign_failed(result))
        result = esign_card_list(database, s->id, 0, &cards, p);
    if (esign_failed(result))
        return esign_complain_of(result);
    printf("row        #%" APR_INT64_T_FMT
           "\nname       %s\ne-mail     %s\nphone      %s\nlanguage   %s\nword       %s\n",
           s->id, s->name, esign_contact_mask_email(p, s->email),
           esign_contact_mask_phone(p, s->phone), esign_command_plain(p, s->language),
           s->word_hash ? "set" : "none");
    printf("failures   %d\nwaits till %s\nclosed     %s\n", s->failures,
           esign_command_moment(p, s->wait_until), s->closed ? "yes" : "no");
    for (int i = 0; i < cards->nelts; i++) {
        const esign_card_t *card = &APR_ARRAY_IDX(cards, i, esign_card_t);
        printf("card       %s  %s  %s to %s\n", esign_command_plain(p, card->serial),
               esign_command_plain(p, card->state), esign_command_plain(p, card->not_before),
               esign_command_plain(p, card->not_after));
    }
    return ESIGN_EXIT_OK;
}

typedef esign_result_t change_fn(esign_database_t *database, apr_int64_t id, int *found,
                                 apr_pool_t *p);

/* Changes what a subscriber may do, and writes that down. */
static int change(const esign_command_t *command, change_fn *made, esign_audit_event_e event)
{
    esign_database_t *database;
    esign_subscriber_t *s;
    int found, code = esign_command_subscriber(command, argument(command), &database, &s);
    if (code != ESIGN_EXIT_OK)
        return code;
    esign_result_t result = esign_database_begin(database, command->pool);
    if (!esign_failed(result))
        result = made(database, s->id, &found, command->pool);
    if (!esign_failed(result))
        result = esign_audit_add(database, event, s->id, ESIGN_AUDIT_LOCAL, apr_time_now(),
                                 command->pool);
    result = esign_database_end(database, result, command->pool);
    return esign_failed(result) ? esign_complain_of(result) : ESIGN_EXIT_OK;
}

int esign_subscriber_lift(const esign_command_t *command)
{
    return change(command, esign_subscriber_open, ESIGN_AUDIT_OPENED);
}

int esign_subscriber_shut(const esign_command_t *command)
{
    return change(command, esign_subscriber_close, ESIGN_AUDIT_BARRED);
}

static int print_answer(const esign_keyring_t *keyring, const char *challenge, apr_pool_t *p)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1] = "";
    apr_time_t expires;
    int forged = esign_captcha_read(keyring, challenge, apr_time_now(), answer, &expires, p) ==
                 ESIGN_CAPTCHA_FORGED;
    puts(forged ? "" : answer);
    fflush(stdout);
    return forged ? esign_complain(ESIGN_EXIT_REFUSED, "that is no challenge of this key file")
                  : ESIGN_EXIT_OK;
}

int esign_captcha_answer(const esign_command_t *command)
{
    const esign_keyring_t *keyring;
    char line[LINE_MAX_CHALLENGE];
    int code = ESIGN_EXIT_OK;
    esign_result_t result = esign_settings_keyring(command->settings, &keyring, command->pool);
    if (esign_failed(result))
        return esign_complain(ESIGN_EXIT_ENVIRONMENT, "%s", result.detail);
    if (strcmp(argument(command), "-") != 0)
        return print_answer(keyring, argument(command), command->pool);
    apr_pool_t *p;
    apr_pool_create(&p, command->pool);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (print_answer(keyring, line, p) != ESIGN_EXIT_OK)
            code = ESIGN_EXIT_REFUSED;
        apr_pool_clear(p);
    }
    return code;
}
