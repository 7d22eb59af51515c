/* SPDX-License-Identifier: Apache-2.0 */
/* iso_time.c: writes and reads ISO 8601 times. */
#include "iso_time.h"

#include <apr_strings.h>

#include <stdio.h>
#include <string.h>

#define ROOM (sizeof("YYYY-MM-DDThh:mm:ssZ") + 4) /* 4: years beyond 9999 */

static void write_time(char *text, apr_time_t time)
{
    apr_time_exp_t t;
    apr_time_exp_gmt(&t, time);
    apr_snprintf(text, ROOM, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1,
                 t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

const char *esign_iso_time(apr_pool_t *p, apr_time_t time)
{
    char text[ROOM];
    write_time(text, time);
    return apr_pstrdup(p, text);
}

int esign_iso_time_parse(const char *text, int date_only, apr_time_t *time)
{
    apr_time_exp_t t = { 0 };
    char again[ROOM];
    int fields = date_only ? sscanf(text, "%4d-%2d-%2d", &t.tm_year, &t.tm_mon, &t.tm_mday)
                           : sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &t.tm_year, &t.tm_mon,
                                    &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec);
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    if (fields != (date_only ? 3 : 6) || t.tm_mon < 0 || t.tm_mon > 11 ||
        apr_time_exp_gmt_get(time, &t) != APR_SUCCESS)
        return 0;
    /* The time must give the same text again. This refuses 30 February, a missing zero, and text
     * after the time. */
    write_time(again, *time);
    if (date_only)
        again[strlen("YYYY-MM-DD")] = '\0';
    return strcmp(again, text) == 0;
}
