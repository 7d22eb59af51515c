/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h: leaves a server alone that does not answer, and finds out when it does again. */
#ifndef ESIGN_DELIVER_BREAKER_H
#define ESIGN_DELIVER_BREAKER_H

#include <apr_time.h>

/* One for each server, kept by the courier; zeroes are a server of which nothing bad is known. */
typedef struct {
    int failures;     /* in a row */
    apr_time_t until; /* left alone until then, by the clock of `now`, which nobody sets
                         (esign_clock); 0: not */
} esign_breaker_t;

/* Whether one more message may be tried while `under_way` are: any number with a server that
 * answers, none during a pause, one behind it to find out. */
int esign_breaker_may_try(const esign_breaker_t *breaker, int under_way, apr_time_t now);

/* The server could not be used: dead, hanging, TLS or sign-in refused; what it says of one message
 * does not count. After 3 times in a row it is left alone for 2 s, doubled at each failed trial to
 * 60 s at most, ± 20 %. 1: with this failure a pause begins that was none before. What comes in
 * during a pause began before it, and is no news. */
int esign_breaker_failed(esign_breaker_t *breaker, apr_time_t now);

/* The server answered, whatever it said. 1: it had been left alone. */
int esign_breaker_worked(esign_breaker_t *breaker);

#endif
