/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h: messages that wait to be sent. A request adds a row in the transaction that causes the
 * message; a courier leases it, sends it and deletes it. */
#ifndef ESIGN_STORE_OUTBOX_H
#define ESIGN_STORE_OUTBOX_H

#include "reseal.h"

#include <apr_tables.h>

/* What a message says is a table of values, sealed in the column body. Portals may share a
 * database: each kind has url, organization and, when it is configured, sms-name of its portal. */
typedef enum {
    ESIGN_OUTBOX_RESET_REQUEST, /* national-id, address, time. Becomes a mail if the courier finds
                                   the number */
    ESIGN_OUTBOX_CODE,   /* an SMS: subscriber, code, session (a key of esign_session_store_key) */
    ESIGN_OUTBOX_NOTICE, /* a mail: subscriber, event (a name of esign_event_name), address, time */
    ESIGN_OUTBOX_KINDS
} esign_outbox_kind_e;

/* A message as esign_outbox_lease, esign_outbox_get or esign_outbox_list read it. */
typedef struct {
    apr_int64_t id;
    esign_outbox_kind_e kind;
    apr_time_t created, due, expires;
    int attempts;              /* leases so far; a released one does not count */
    const apr_table_t *values; /* unsealed; NULL unless it was leased */
    apr_int64_t gateways;      /* of a code: one bit for each SMS gateway that will not be asked
                                  again; 0 unless it was leased */
    int awaited;       /* the gateway that accepted it and has sent no report yet; -1: none */
    const char *state; /* "waiting", "leased", "sent" (a report is awaited), "dead" (given up) */
    int has_values;    /* 1: the row has sealed values; 0: they were deleted, it cannot be sent */
    const char *error; /* why the last attempt failed, without secrets; NULL: none failed */
} esign_outbox_message_t;

/* "reset-request", "code", "notice"; "unknown" for another number. */
const char *esign_outbox_kind_name(esign_outbox_kind_e kind);

/* Adds a message that is due at once. From `expires` on it is no longer sent. */
esign_result_t esign_outbox_add(esign_database_t *database, esign_outbox_kind_e kind,
                                const apr_table_t *values, apr_time_t now, apr_time_t expires,
                                apr_pool_t *p);

/* Sets `due[kind]` to 1 for each kind that has messages that are due, leased ones included. Reads
 * only an index, and does not enter the write gate. */
esign_result_t esign_outbox_due(esign_database_t *database, apr_time_t now,
                                int due[ESIGN_OUTBOX_KINDS], apr_pool_t *p);

/* Leases up to `max` due messages of a kind for `lease`, in the order in which they became due. One
 * atomic UPDATE does it, so that two couriers never lease the same message; its time does not grow
 * with the number of messages that wait. `owner` is this courier's random name. Messages whose
 * lease ran out are due again for other couriers; expired ones never. `*messages`: array of
 * esign_outbox_message_t. A message is given up when it cannot be unsealed, or when its kind or
 * time differ from the sealed ones: `*unreadable` of them, which the caller counts and audits. */
esign_result_t esign_outbox_lease(esign_database_t *database, const char *owner,
                                  esign_outbox_kind_e kind, int max, apr_time_t now,
                                  apr_interval_time_t lease, const apr_array_header_t **messages,
                                  int *unreadable, apr_pool_t *p);

/* Extends all leases of `owner` to `until`, those included that ran out while no other courier
 * leased the message. `*ids`: array of apr_int64_t, the messages that `owner` leases. */
esign_result_t esign_outbox_renew(esign_database_t *database, const char *owner, apr_time_t until,
                                  const apr_array_header_t **ids, apr_pool_t *p);

/* The next five end a lease. They do nothing when `owner` no longer has it. */

/* The message was sent, or need not be: deletes it. */
esign_result_t esign_outbox_done(esign_database_t *database, const char *owner, apr_int64_t id,
                                 apr_pool_t *p);

/* An attempt failed: due again at `due`, with `error`. */
esign_result_t esign_outbox_retry(esign_database_t *database, const char *owner, apr_int64_t id,
                                  apr_time_t due, const char *error, apr_pool_t *p);

/* No attempt was made: due again at `due`, and this lease does not count as an attempt. An earlier
 * error stays; without one, `error` is recorded. */
esign_result_t esign_outbox_release(esign_database_t *database, const char *owner, apr_int64_t id,
                                    apr_time_t due, const char *error, apr_pool_t *p);

/* An SMS gateway accepted a code (`accepted` 1: its report is awaited), or cannot be asked again
 * (0). The next gateway is asked at `due`; already at `now` when this gateway has meanwhile
 * reported that the code was not delivered. */
esign_result_t esign_outbox_next_gateway(esign_database_t *database, const char *owner,
                                         apr_int64_t id, int gateway, int accepted, apr_time_t now,
                                         apr_time_t due, const char *error, apr_pool_t *p);

/* Gives the message up: it stays as "dead" for the operator. Its values stay until it expires, for
 * esign_outbox_requeue; those of a code are deleted at once. */
esign_result_t esign_outbox_give_up(esign_database_t *database, const char *owner, apr_int64_t id,
                                    const char *error, apr_pool_t *p);

/* A delivery report says that a code arrived, by whichever gateway: deletes it. `*counted` 0: there
 * is no such code. */
esign_result_t esign_outbox_delivered(esign_database_t *database, apr_int64_t id, int *counted,
                                      apr_pool_t *p);

/* A delivery report says that a gateway did not deliver a code. If that gateway's report was
 * awaited, the next gateway is asked `now`. `*counted` 0: there is no such code. */
esign_result_t esign_outbox_undelivered(esign_database_t *database, apr_int64_t id, int gateway,
                                        apr_time_t now, const char *error, int *counted,
                                        apr_pool_t *p);

/* Gives up waiting messages that have expired, with the error "expired"; `counts` gets how many of
 * each kind. Deletes the values of all dead messages that have expired, and the codes that were
 * sent, got no report and have expired: `*unreported` of them. */
esign_result_t esign_outbox_expire(esign_database_t *database, apr_time_t now,
                                   int counts[ESIGN_OUTBOX_KINDS], int *unreported, apr_pool_t *p);

/* Deletes dead messages that were last due before a moment, at most `max` of each kind. `*count`:
 * how many. */
esign_result_t esign_outbox_purge(esign_database_t *database, apr_time_t before, int max,
                                  int *count, apr_pool_t *p);

/* For the operator: makes a waiting or dead message due at once. `*done` 0: it is leased, expired,
 * or sent with its report awaited, or its values were deleted. */
esign_result_t esign_outbox_requeue(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                    int *done, apr_pool_t *p);

/* For the operator: deletes a message unsent. `*done` 0: it is leased, or does not exist. */
esign_result_t esign_outbox_drop(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                 int *done, apr_pool_t *p);

/* The values of a message, for callers that are no courier. NULL: there is no such message, or its
 * values were deleted or cannot be unsealed. */
esign_result_t esign_outbox_values(esign_database_t *database, apr_int64_t id,
                                   const apr_table_t **values, apr_pool_t *p);

/* One message without its values. NULL: there is no such message. */
esign_result_t esign_outbox_get(esign_database_t *database, apr_int64_t id,
                                const esign_outbox_message_t **message, apr_pool_t *p);

/* The `max` oldest messages without their values, oldest first. Array of esign_outbox_message_t. */
esign_result_t esign_outbox_list(esign_database_t *database, int max,
                                 const apr_array_header_t **messages, apr_pool_t *p);

/* How many messages of one kind there are. */
typedef struct {
    apr_int64_t waiting; /* leased ones included */
    apr_int64_t sent;    /* a report is awaited */
    apr_int64_t dead;
    apr_time_t oldest; /* when the oldest waiting message was added; 0: none waits */
} esign_outbox_depth_t;

/* The depth of each kind. Reads one index: 15 ms for a hundred thousand messages. */
esign_result_t esign_outbox_depths(esign_database_t *database,
                                   esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS], apr_pool_t *p);

/* Seals the values of a batch of messages under the active key, for `esignctl key rotate`. */
esign_reseal_fn esign_outbox_reseal;

#endif
