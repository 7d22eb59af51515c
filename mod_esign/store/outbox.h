/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h: messages that wait to be sent, sealed. A row is written in the transaction that causes
 * it, and leaves when it was sent or given up. */
#ifndef ESIGN_STORE_OUTBOX_H
#define ESIGN_STORE_OUTBOX_H

#include "reseal.h"

#include <apr_tables.h>

typedef enum {
    /* All: url, organization and, where it has one, sms-name of the portal that queued it; several
       portals may share a database. */
    ESIGN_OUTBOX_RESET_REQUEST, /* values: national-id, address, time; the courier finds out whether
                                   it becomes a mail */
    ESIGN_OUTBOX_CODE,   /* SMS. values: subscriber, code, session (esign_session_store_key's) */
    ESIGN_OUTBOX_NOTICE, /* mail. values: subscriber, event (an esign_event_name), address, time */
    ESIGN_OUTBOX_KINDS
} esign_outbox_kind_e;

typedef struct {
    apr_int64_t id;
    esign_outbox_kind_e kind;
    apr_time_t created, due, expires;
    int attempts;              /* leases taken so far, but for those that were given back */
    const apr_table_t *values; /* unsealed; NULL in esign_outbox_list and esign_outbox_get */
    apr_int64_t gateways;      /* of a code, bits: SMS gateways that are done with it; 0 in
                                  esign_outbox_list and esign_outbox_get */
    int awaited;               /* the gateway that took it and has not reported yet; -1: none */
    const char *state;         /* "waiting", "leased", "sent" (a report is awaited), "dead" */
    int has_values; /* 1: its sealed values are there; 0: emptied, nothing can send it any more */
    const char *error; /* what the last attempt met, no secrets; NULL */
} esign_outbox_message_t;

/* "reset-request", "code", "notice" */
const char *esign_outbox_kind_name(esign_outbox_kind_e kind);

/* Queues a message, due at once. It is dropped unsent at `expires`. */
esign_result_t esign_outbox_add(esign_database_t *database, esign_outbox_kind_e kind,
                                const apr_table_t *values, apr_time_t now, apr_time_t expires,
                                apr_pool_t *p);

/* Which kinds have messages that are due, 1 each; those count, too, that a courier has leased. By
 * the index alone, and without a turn to write. */
esign_result_t esign_outbox_due(esign_database_t *database, apr_time_t now,
                                int due[ESIGN_OUTBOX_KINDS], apr_pool_t *p);

/* Takes up to `max` due messages of a kind for `lease`, those first that became due first, with one
 * atomic UPDATE, so that two couriers never hold the same one; as fast with a hundred thousand
 * waiting as with one. `owner`: this courier's random name. Rows whose lease ran out are due again
 * for others, expired ones never; a row that cannot be unsealed, or is not of the kind and time
 * that were sealed, is marked dead: `*unreadable` of them, which the caller counts and audits.
 * Array of esign_outbox_message_t. */
esign_result_t esign_outbox_lease(esign_database_t *database, const char *owner,
                                  esign_outbox_kind_e kind, int max, apr_time_t now,
                                  apr_interval_time_t lease, const apr_array_header_t **messages,
                                  int *unreadable, apr_pool_t *p);

/* Whatever `owner` holds it holds until `until` from now on, also where the lease ran out and
 * nobody else has come for it. `*ids`: apr_int64_t, what that is. */
esign_result_t esign_outbox_renew(esign_database_t *database, const char *owner, apr_time_t until,
                                  const apr_array_header_t **ids, apr_pool_t *p);

/* Sent, or rightly dropped: the row goes, if `owner` still holds it. */
esign_result_t esign_outbox_done(esign_database_t *database, const char *owner, apr_int64_t id,
                                 apr_pool_t *p);

/* Not sent: due again at `due`, `error` kept. */
esign_result_t esign_outbox_retry(esign_database_t *database, const char *owner, apr_int64_t id,
                                  apr_time_t due, const char *error, apr_pool_t *p);

/* Not begun, for no fault of its own: due again at `due`, and this lease was no attempt. An earlier
 * error stays; where there is none, `error` says that it was given back. */
esign_result_t esign_outbox_release(esign_database_t *database, const char *owner, apr_int64_t id,
                                    apr_time_t due, const char *error, apr_pool_t *p);

/* An SMS gateway is done with a code: it took it (`accepted`: its report is awaited), or cannot be
 * asked again. The next one's turn is at `due`; at `now` when a report has already said that the
 * message was not delivered. */
esign_result_t esign_outbox_next_gateway(esign_database_t *database, const char *owner,
                                         apr_int64_t id, int gateway, int accepted, apr_time_t now,
                                         apr_time_t due, const char *error, apr_pool_t *p);

/* A gateway's report: the code arrived, whichever gateway brought it, and its row goes; or it will
 * not, and where it was awaited the next one's turn is `now`. `*counted` 0: there is no such code
 * any more. */
esign_result_t esign_outbox_delivered(esign_database_t *database, apr_int64_t id, int *counted,
                                      apr_pool_t *p);
esign_result_t esign_outbox_undelivered(esign_database_t *database, apr_int64_t id, int gateway,
                                        apr_time_t now, const char *error, int *counted,
                                        apr_pool_t *p);

/* Given up: stays as "dead" for the operator. Its sealed values stay with it until it expires, for
 * esign_outbox_requeue; those of a code are emptied at once. */
esign_result_t esign_outbox_give_up(esign_database_t *database, const char *owner, apr_int64_t id,
                                    const char *error, apr_pool_t *p);

/* Ends waiting rows whose `expires` has passed (dead, error "expired"); `counts` of each kind.
 * These, and dead ones whose `expires` has passed, lose their sealed values. Those that were sent
 * and never reported, `*unreported`, go. */
esign_result_t esign_outbox_expire(esign_database_t *database, apr_time_t now,
                                   int counts[ESIGN_OUTBOX_KINDS], int *unreported, apr_pool_t *p);

/* Rows that were given up and were due for the last time before this go, at most `max` of each kind
 * in one call; `*count` of them. */
esign_result_t esign_outbox_purge(esign_database_t *database, apr_time_t before, int max,
                                  int *count, apr_pool_t *p);

/* For the operator: a message that nobody has leased is due at once, a dead one again. `*done` 0:
 * leased, expired, sent and not yet reported, or its values are gone. */
esign_result_t esign_outbox_requeue(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                    int *done, apr_pool_t *p);

/* For the operator: a message that nobody has leased goes, unsent. `*done` 0: leased, or not there.
 */
esign_result_t esign_outbox_drop(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                 int *done, apr_pool_t *p);

/* The values of a message, for what has to be known of it outside a courier; NULL: it has none any
 * more, or they cannot be unsealed. */
esign_result_t esign_outbox_values(esign_database_t *database, apr_int64_t id,
                                   const apr_table_t **values, apr_pool_t *p);

/* One row, without values; NULL: there is none. */
esign_result_t esign_outbox_get(esign_database_t *database, apr_int64_t id,
                                const esign_outbox_message_t **message, apr_pool_t *p);

/* The oldest `max` rows, oldest first, without values. Array of esign_outbox_message_t. */
esign_result_t esign_outbox_list(esign_database_t *database, int max,
                                 const apr_array_header_t **messages, apr_pool_t *p);

/* How many messages of a kind there are. */
typedef struct {
    apr_int64_t waiting; /* those on their way among them */
    apr_int64_t sent;    /* a report is awaited */
    apr_int64_t dead;
    apr_time_t oldest; /* when the first of those that wait was queued; 0: none waits */
} esign_outbox_depth_t;

/* Of each kind; reads one index, 15 ms for a hundred thousand rows. */
esign_result_t esign_outbox_depths(esign_database_t *database,
                                   esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS], apr_pool_t *p);

/* Moves bodies to the active key: a table of `key rotate`. */
esign_reseal_fn esign_outbox_reseal;

#endif
