/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.h: lines of Prometheus' text format 0.0.4, which OpenMetrics readers accept, too. */
#ifndef ESIGN_OPERATOR_EXPOSITION_H
#define ESIGN_OPERATOR_EXPOSITION_H

#include <apr_pools.h>
#include <apr_time.h>

#define ESIGN_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All texts are made in `p`. */

/* The two lines before all samples of a metric. `type`: "gauge" or "counter". */
const char *esign_exposition_head(apr_pool_t *p, const char *name, const char *type,
                                  const char *help);

/* The line of a sample. `labels`: name, value, name, value, …, NULL. A label with the value NULL or
 * "" is left out, which means the same to a reader. */
const char *esign_exposition_sample(apr_pool_t *p, const char *name, const char *const *labels,
                                    const char *value);

/* A value that is a whole number. */
const char *esign_exposition_number(apr_pool_t *p, apr_int64_t number);

/* A value in seconds, as "12.345678". */
const char *esign_exposition_seconds(apr_pool_t *p, apr_interval_time_t time);

/* The seconds from `since` to `now`; 0 if `since` is 0 or later than `now`. */
const char *esign_exposition_age(apr_pool_t *p, apr_time_t since, apr_time_t now);

#endif
