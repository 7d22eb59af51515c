/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h: what esignctl can do. */
#ifndef ESIGN_CTL_COMMANDS_H
#define ESIGN_CTL_COMMANDS_H

#include "settings.h"
#include "store/subscriber.h"

/* Exit codes. */
enum {
    ESIGN_EXIT_OK = 0,
    ESIGN_EXIT_REFUSED = 1, /* data was refused, or nothing was found */
    ESIGN_EXIT_USAGE = 2,
    ESIGN_EXIT_ENVIRONMENT = 3 /* settings, key file, database */
};

/* What a command is given: `arguments` without the command's own words, options taken out. */
typedef struct {
    const esign_settings_t *settings;
    const apr_array_header_t *arguments; /* const char * */
    const apr_table_t *options;          /* "max" -> "20"; an option without a value -> "" */
    apr_pool_t *pool;
} esign_command_t;

typedef int esign_command_fn(const esign_command_t *command);

esign_command_fn esign_key_new, esign_key_add, esign_key_list, esign_key_rotate, esign_key_retire,
    esign_db_init, esign_db_upgrade, esign_subscriber_import, esign_subscriber_show,
    esign_subscriber_lift, esign_subscriber_shut, esign_form, esign_captcha_answer,
    esign_messages_list, esign_messages_show, esign_messages_retry, esign_messages_drop,
    esign_audit_show, esign_audit_check, esign_audit_export;

/* Opens the database and finds the subscriber of a national id or #ROW there; an exit code, told
 * when it is not 0. */
int esign_command_subscriber(const esign_command_t *command, const char *name,
                             esign_database_t **database, esign_subscriber_t **subscriber);

/* A number of decimal digits alone; -1 when it is none. */
apr_int64_t esign_command_number(const char *text);

/* A moment as it is printed, or a dash for none. */
const char *esign_command_moment(apr_pool_t *p, apr_time_t time);

/* A text of a database's plain column as it is printed: what a terminal would obey becomes a
 * question mark, for a row may be anybody's. A dash for NULL. */
const char *esign_command_plain(apr_pool_t *p, const char *text);

/* "esignctl: …" on standard error. Returns `code`. */
int esign_complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a failure. */
int esign_complain_of(esign_result_t result);

#endif
