/* SPDX-License-Identifier: Apache-2.0 */
/* command.c: what several commands of esignctl need: errors, printed values, and a subscriber. */
#include "command.h"

#include "core/iso_time.h"

#include <apr_strings.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int esign_command_fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("esignctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return code;
}

int esign_command_fail_result(esign_result_t result)
{
    int refused = result.status == APR_EEXIST || strcmp(result.problem, "application") == 0;
    return esign_command_fail(refused ? ESIGN_EXIT_REFUSED : ESIGN_EXIT_ENVIRONMENT, "%s: %s",
                              result.problem, result.detail);
}

const char *esign_command_argument(const esign_command_t *command, int i)
{
    return APR_ARRAY_IDX(command->arguments, i, const char *);
}

const char *esign_command_time(apr_pool_t *p, apr_time_t time)
{
    return time == 0 ? "-" : esign_iso_time(p, time);
}

const char *esign_command_printable(apr_pool_t *p, const char *text)
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

int esign_command_find_subscriber(const esign_command_t *command, const char *name,
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
        return esign_command_fail_result(result);
    if (*name == '#')
        result = esign_subscriber_get(*database, esign_command_number(name + 1), subscriber, p);
    else if (esign_national_id_parse(scheme, name, id))
        result = esign_subscriber_find(*database, id, subscriber, p);
    else
        return esign_command_fail(ESIGN_EXIT_REFUSED, "that is no identity number of the scheme %s",
                                  command->settings->identity_number);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    return *subscriber
               ? ESIGN_EXIT_OK
               : esign_command_fail(ESIGN_EXIT_REFUSED, "nobody is registered under that number");
}
