/* SPDX-License-Identifier: Apache-2.0 */
/* setting.h: what a row of the table of directives states, and the functions that set its value.
 * Used by directives.c, which holds the table, and by config.c, which works on it. */
#ifndef ESIGN_SERVER_SETTING_H
#define ESIGN_SERVER_SETTING_H

#include "value.h"

#include <httpd.h>
#include <http_config.h>

/* The kinds of values, and the type of the member in esign_config_t. */
typedef enum {
    ESIGN_SETTING_FLAG,     /* int, 0 or 1 */
    ESIGN_SETTING_NUMBER,   /* int */
    ESIGN_SETTING_DURATION, /* apr_interval_time_t */
    ESIGN_SETTING_TEXT,     /* const char * */
    ESIGN_SETTING_LIST,     /* apr_array_header_t * of const char *; NULL: empty */
    ESIGN_SETTING_CHOICE,   /* int, a bit a word */
    ESIGN_SETTING_SECTIONS  /* apr_array_header_t * of const esign_config_t * */
} esign_setting_e;

/* cmd_data of a command_rec of mod_esign. */
typedef struct {
    esign_setting_e kind;
    size_t offset;               /* of the member in esign_config_t */
    apr_int64_t preset;          /* default: a flag, a number, seconds, or the bits of a choice */
    apr_int64_t min, max;        /* bounds of a number, or of a duration in seconds */
    const char *text;            /* default of a text; NULL: none */
    esign_value_check_fn *check; /* of a text, or of an item of a list; NULL: any text will do */
    const char *const *words;    /* of a choice, from the lowest bit on; ended by NULL */
    int gateway;                 /* 1: <EsignSMSGateway> also accepts the directive */
} esign_setting_t;

/* The functions of command_rec, one for each number of arguments. Each writes the member of the row
 * and marks it as set. Returns NULL, or the mistake and its cure. */
const char *esign_config_set_flag(cmd_parms *cmd, void *location, int on);
const char *esign_config_set_one(cmd_parms *cmd, void *location, const char *value);
const char *esign_config_set_pair(cmd_parms *cmd, void *location, const char *first,
                                  const char *second);
const char *esign_config_set_choice(cmd_parms *cmd, void *location, int count, char *const words[]);
const char *esign_config_set_gateway(cmd_parms *cmd, void *location, const char *line);

#endif
