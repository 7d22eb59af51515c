/* SPDX-License-Identifier: Apache-2.0 */
/* courier_private.h: what courier.c (rounds), courier_start.c and courier_end.c share: the courier,
 * its servers, and one task for each message of a lease. */
#ifndef ESIGN_DELIVER_COURIER_PRIVATE_H
#define ESIGN_DELIVER_COURIER_PRIVATE_H

#include "breaker.h"
#include "courier.h"
#include "outcomes.h"

#include "cache/throttle.h"

#include <apr_hash.h>

/* How many may leave in a minute: what a flood of requests costs the authority at most. Times by
 * esign_clock, as those of breakers: a clock that is set back holds up nothing. */
typedef struct {
    const char *what, *directive;
    int limit;
    apr_time_t held;               /* nothing leaves before */
    apr_time_t told;               /* when the log last heard of it */
    esign_throttle_seen_t counted; /* as the last look found it */
    int room;                      /* what that look left, less what has been counted since */
    int permits;                   /* counted, and not used yet */
    apr_time_t permitted;          /* when they were counted */
} esign_courier_ceiling_t;

/* A server that messages go to. */
typedef struct {
    const char *name; /* for the log */
    esign_breaker_t breaker;
    int under_way;             /* SMS; mails are counted by the transport */
    esign_level_t *left_until; /* of the meter: what the breaker says */
} esign_courier_server_t;

struct esign_courier_t {
    const esign_courier_options_t *options;
    esign_transport_t *transport;
    apr_pool_t *pool;
    apr_hash_t *deliveries; /* by id, esign_delivery_t: transfers under way */
    esign_outcomes_t *ends;
    esign_courier_server_t mail_server, *gateways; /* as the options have them */
    int ahead; /* mails that are leased for the connections to have no pause; grows while they are
                  hungry, shrinks when the server fails */
    char *owner;
    apr_time_t expired;         /* when expiry was last seen to, by esign_clock; 0: not yet */
    apr_time_t looked;          /* when the outbox was; 0: it is to be at once */
    apr_time_t leased, renewed; /* by esign_clock: when the last leases were taken, and since when
                                   all that is under way is held; 0: nobody knows */
    int cut_off;                /* the last round could not write to the database */
    esign_courier_ceiling_t mails, sms;
    int ending; /* esign_courier_finish breaks mails off: that is no failure of the server */
    esign_database_t *database; /* of the round that is going on */
    apr_pool_t *round;
};

/* A leased message, and whom it is for. */
typedef struct {
    const esign_outbox_message_t *message;
    apr_int64_t
        whose; /* the subscriber's row, also when it is not sent; ESIGN_SUBSCRIBER_NONE: unknown */
    esign_subscriber_t *subscriber; /* NULL: it is not sent */
    esign_audit_event_e outcome;    /* of a request for a link */
    esign_result_t found;           /* whether that could be found out */
} esign_courier_task_t;

/* Leases are short, so that what a dead courier had is soon another's, and a living one renews
 * them. Whatever was not handed over by HOLD is not handed over any more: that it ends a second
 * before its lease lets the clocks of two nodes differ by as much. */
#define ESIGN_COURIER_LEASE apr_time_from_sec(4)
#define ESIGN_COURIER_HOLD apr_time_from_sec(3)
#define ESIGN_COURIER_RENEW apr_time_from_sec(1)

/* To the log; `level`: syslog's. */
void esign_courier_say(const esign_courier_t *courier, int level, apr_status_t status,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A code's gateway. */
const esign_sms_gateway_t *esign_courier_gateway(const esign_courier_t *courier, int gateway);

/* Finds out whom a message is for, within the transaction that leases it. */
void esign_courier_start_find(esign_courier_t *courier, esign_courier_task_t *task, apr_pool_t *p);

/* Counts the mail that a request becomes, if there may be one: it locks the subscriber until the
 * end of that transaction. */
void esign_courier_start_claim(esign_courier_t *courier, esign_courier_task_t *task, apr_pool_t *p);

/* A request of a number that nobody has, or that has had its mails: no mail comes of it. */
int esign_courier_is_no_mail(const esign_delivery_t *delivery);

/* Makes the message and starts its transfer, or what takes the time of one; 1: it is under way.
 * Else its end is noted: there is nothing to send, or it failed before it began. */
int esign_courier_start(esign_courier_t *courier, const esign_courier_task_t *task);

/* Notes how an delivery ended, to be written down. `error`: NULL when sent. */
void esign_courier_end(esign_courier_t *courier, esign_delivery_t *delivery, esign_end_e end,
                       apr_time_t due, const char *error);

/* The same after a failure, which the log hears of. */
void esign_courier_end_failed(esign_courier_t *courier, esign_delivery_t *delivery,
                              const char *error);
void esign_courier_end_bury(esign_courier_t *courier, esign_delivery_t *delivery,
                            const char *error);

/* A gateway that is left alone has its turn passed. When all have had theirs, the code waits as
 * after a try, but no longer than until this one may be tried. */
void esign_courier_end_pass(esign_courier_t *courier, esign_delivery_t *delivery);

/* How a transfer ended; `baton`: the courier. */
esign_transfer_done_fn esign_courier_end_transfer;

#endif
