/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h: stops the use of a server that fails, and finds out when it works again. */
#ifndef ESIGN_DELIVER_BREAKER_H
#define ESIGN_DELIVER_BREAKER_H

#include <apr_time.h>

/* The breaker of one server; the courier has one for each. All zero: the server works, as far as is
 * known. `now` is a clock that nobody sets (esign_clock), in all functions. */
typedef struct {
    int failures;     /* in a row */
    apr_time_t until; /* the server is not used before; 0: it is used */
} esign_breaker_t;

/* 1: one more message may be sent while `under_way` are. Always with a server that is used; never
 * during a pause; after it only while none is under way, so that one message finds out. */
int esign_breaker_may_try(const esign_breaker_t *breaker, int under_way, apr_time_t now);

/* Counts a failure of the server: it is down, hangs, or refuses TLS or the sign-in. The refusal of
 * one message does not count. The third failure in a row opens the breaker for 2 s; each one after
 * a pause doubles it, to 60 s at most, +- 20 %. Failures during a pause do not count, because their
 * messages were sent before it. Returns 1 when this failure opened the breaker. */
int esign_breaker_failed(esign_breaker_t *breaker, apr_time_t now);

/* The server answered, whatever it said: closes the breaker. Returns 1 if it was open. */
int esign_breaker_worked(esign_breaker_t *breaker);

#endif
