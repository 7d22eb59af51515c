/* SPDX-License-Identifier: Apache-2.0 */
/* trail.h: adds, counts and lists audit rows: who did what, when, and from which address. */
#ifndef ESIGN_AUDIT_TRAIL_H
#define ESIGN_AUDIT_TRAIL_H

#include "event.h"
#include "store/database.h"

/* An audit row as it is listed. */
typedef struct {
    apr_int64_t id;
    apr_time_t time;
    esign_audit_event_e event; /* ESIGN_AUDIT_EVENTS: an event of another version */
    apr_int64_t subscriber;    /* ESIGN_SUBSCRIBER_NONE: not known */
    const char *address;       /* the client's, or ESIGN_AUDIT_LOCAL */
    const char *node;          /* the server's host name */
    apr_int64_t position;      /* in the chain; 0: not chained yet; -1: never, its seal was wrong */
    int sound;                 /* its seal is right */
} esign_audit_entry_t;

/* Adds one row with a random id and this host's name, sealed and not chained. Runs in the caller's
 * transaction. The database's meter counts the row at once, also when that transaction is rolled
 * back later. */
esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event,
                               apr_int64_t subscriber, const char *address, apr_time_t now,
                               apr_pool_t *p);

/* How many rows wait to be chained, and the time of the oldest of them; 0: none waits. Counts no
 * further than ESIGN_AUDIT_UNCHAINED_MAX. */
#define ESIGN_AUDIT_UNCHAINED_MAX 10000
esign_result_t esign_audit_unchained(esign_database_t *database, apr_int64_t *count,
                                     apr_time_t *oldest, apr_pool_t *p);

/* How many rows of an event a subscriber has since a moment. Counts no further than `most`. */
esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event,
                                 apr_int64_t subscriber, apr_time_t since, int most, int *count,
                                 apr_pool_t *p);

/* The last `max` rows of a subscriber, newest first; of everybody for ESIGN_SUBSCRIBER_NONE. Array
 * of esign_audit_entry_t. */
esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max,
                                const apr_array_header_t **entries, apr_pool_t *p);

#endif
