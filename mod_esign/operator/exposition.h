/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.h: figures in the text format 0.0.4 of Prometheus, which OpenMetrics readers take too.
 */
#ifndef ESIGN_OPERATOR_EXPOSITION_H
#define ESIGN_OPERATOR_EXPOSITION_H

#include <apr_pools.h>
#include <apr_time.h>

#define ESIGN_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The two lines before a metric's samples, which follow all together. `type`: "gauge" or "counter".
 * In `p`, as all that follows. */
const char *esign_exposition_head(apr_pool_t *p, const char *name, const char *type,
                                  const char *help);

/* A sample's line. `labels`: names and values in turn, ended by NULL; one whose value is NULL or ""
 * is left out, which means the same. */
const char *esign_exposition_sample(apr_pool_t *p, const char *name, const char *const *labels,
                                    const char *value);

/* Values: a whole number; seconds, as "12.345678"; since when, as seconds of age, 0 for 0 and for
 * what lies ahead. */
const char *esign_exposition_number(apr_pool_t *p, apr_int64_t number);
const char *esign_exposition_seconds(apr_pool_t *p, apr_interval_time_t time);
const char *esign_exposition_age(apr_pool_t *p, apr_time_t since, apr_time_t now);

#endif
