/* SPDX-License-Identifier: Apache-2.0 */
/* iso_time.h: times and dates in ISO 8601 form, UTC. */
#ifndef ESIGN_CORE_ISO_TIME_H
#define ESIGN_CORE_ISO_TIME_H

#include <apr_pools.h>
#include <apr_time.h>

/* "2026-11-24T14:07:05Z" for a time, in `p`. Fractions of a second are cut off. */
const char *esign_iso_time(apr_pool_t *p, apr_time_t time);

/* Reads exactly this form; with `date_only` a date such as "2026-11-24", as its midnight. Returns 0
 * for any other text. */
int esign_iso_time_parse(const char *text, int date_only, apr_time_t *time);

#endif
