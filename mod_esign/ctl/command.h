/* SPDX-License-Identifier: Apache-2.0 */
/* command.h: the commands of esignctl, and what they share. */
#ifndef ESIGN_CTL_COMMAND_H
#define ESIGN_CTL_COMMAND_H

#include "settings.h"
#include "store/subscriber.h"

/* The exit codes of esignctl. */
enum {
    ESIGN_EXIT_OK = 0,
    ESIGN_EXIT_REFUSED = 1,    /* data was refused, or nothing was found */
    ESIGN_EXIT_USAGE = 2,      /* the command line is wrong */
    ESIGN_EXIT_ENVIRONMENT = 3 /* settings, key file, database or standard output */
};

/* One run of a command. */
typedef struct {
    const esign_settings_t *settings;
    const apr_array_header_t *arguments; /* const char *, without the command's words and options */
    const apr_table_t *options;          /* "max" -> "20"; an option without a value -> "" */
    apr_pool_t *pool;
} esign_command_t;

/* Runs a command: prints its result on standard output, and what went wrong on standard error.
 * Returns an exit code. */
typedef int esign_command_fn(const esign_command_t *command);

/* keys.c */
esign_command_fn esign_command_key_new, esign_command_key_add, esign_command_key_list,
    esign_command_key_rotate, esign_command_key_retire;
/* database.c */
esign_command_fn esign_command_db_init, esign_command_db_upgrade;
/* subscriber.c */
esign_command_fn esign_command_subscriber_import, esign_command_subscriber_show,
    esign_command_subscriber_open, esign_command_subscriber_close;
/* form.c */
esign_command_fn esign_command_form;
/* captcha.c */
esign_command_fn esign_command_captcha_answer;
/* outbox.c */
esign_command_fn esign_command_outbox_list, esign_command_outbox_show, esign_command_outbox_retry,
    esign_command_outbox_drop;
/* audit.c */
esign_command_fn esign_command_audit_list, esign_command_audit_verify, esign_command_audit_export;

/* An argument, from 0; the command's row in esignctl.c says how many there are. */
const char *esign_command_argument(const esign_command_t *command, int i);

/* Opens the database and finds the subscriber with a national id, or in row "#ROW". Returns an exit
 * code; its reason is printed unless it is ESIGN_EXIT_OK. */
int esign_command_find_subscriber(const esign_command_t *command, const char *name,
                                  esign_database_t **database, esign_subscriber_t **subscriber);

/* A number that consists of decimal digits alone; -1: it is something else, or has more than 19. */
apr_int64_t esign_command_number(const char *text);

/* A time as it is printed, in `p`; "-" for 0. */
const char *esign_command_time(apr_pool_t *p, apr_time_t time);

/* A text of an unsealed column as it is printed, in `p`; "-" for NULL. Anybody who can write to the
 * database may have written it: question marks replace what a terminal might execute. */
const char *esign_command_printable(apr_pool_t *p, const char *text);

/* Prints "esignctl: …" on standard error. Returns `code`. */
int esign_command_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints a failure. Returns its exit code. */
int esign_command_fail_result(esign_result_t result);

#endif
