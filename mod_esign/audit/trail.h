/* SPDX-License-Identifier: Apache-2.0 */
/* trail.h: who did what, when and from where. */
#ifndef ESIGN_AUDIT_TRAIL_H
#define ESIGN_AUDIT_TRAIL_H

#include "event.h"
#include "store/database.h"

typedef struct {
    apr_int64_t id;
    apr_time_t time;
    esign_audit_event_e event; /* ESIGN_AUDIT_EVENTS: of another version */
    apr_int64_t subscriber;    /* ESIGN_SUBSCRIBER_NONE: unknown */
    const char *address;       /* the client's, or ESIGN_AUDIT_LOCAL */
    const char *node;          /* host name of the server */
    apr_int64_t position;      /* in the chain; 0: not yet; -1: kept out */
    int sound;                 /* its seal is right */
} esign_audit_entry_t;

/* Appends one entry, sealed. `id` and `node` are set by the store. The meter counts it, also where
 * the caller's transaction comes to nothing. */
esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event,
                               apr_int64_t subscriber, const char *address, apr_time_t now,
                               apr_pool_t *p);

/* How many rows wait to be chained, and since when the first of them; 0: none. Of more than
 * ESIGN_AUDIT_UNCHAINED_MAX no more are counted. */
#define ESIGN_AUDIT_UNCHAINED_MAX 10000
esign_result_t esign_audit_unchained(esign_database_t *database, apr_int64_t *count,
                                     apr_time_t *oldest, apr_pool_t *p);

/* How many entries of `event` a subscriber has since a moment; no more than `most` are counted. */
esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event,
                                 apr_int64_t subscriber, apr_time_t since, int most, int *count,
                                 apr_pool_t *p);

/* The last `max` entries of a subscriber (ESIGN_SUBSCRIBER_NONE: of everybody), newest first. Array
 * of esign_audit_entry_t. */
esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max,
                                const apr_array_header_t **entries, apr_pool_t *p);

#endif
