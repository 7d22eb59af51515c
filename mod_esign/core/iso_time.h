/* SPDX-License-Identifier: Apache-2.0 */
/* iso_time.h: moments and dates as machines exchange them (ISO 8601, UTC). */
#ifndef ESIGN_CORE_ISO_TIME_H
#define ESIGN_CORE_ISO_TIME_H

#include <apr_pools.h>
#include <apr_time.h>

/* "2026-11-24T14:07:05Z", in `p`; fractions of a second are cut off. */
const char *esign_iso_time(apr_pool_t *p, apr_time_t time);

/* Reads exactly that form, or with `date_only` "2026-11-24" as midnight; 0 when it is something
 * else. */
int esign_iso_time_parse(const char *text, int date_only, apr_time_t *time);

#endif
