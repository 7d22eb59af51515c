/* SPDX-License-Identifier: Apache-2.0 */
/* courier_state.h: what the parts of the courier share: courier.c (rounds over the outbox),
 * courier_lease.c (its transaction), courier_start.c (starts deliveries) and courier_end.c (ends
 * them). */
#ifndef ESIGN_DELIVER_COURIER_STATE_H
#define ESIGN_DELIVER_COURIER_STATE_H

#include "breaker.h"
#include "ceiling.h"
#include "outcomes.h"
#include "transport.h"

#include "ipc/meter.h"

#include <apr_hash.h>

/* What the courier works with. All of it outlives the courier. */
typedef struct {
    esign_message_context_t message; /* of the portal whose courier this is */
    const esign_smtp_t *smtp;
    const apr_array_header_t *gateways; /* esign_sms_gateway_t, in their order. Empty: codes are not
                                           sent, and stay in the outbox until they expire. */
    const esign_keyring_t *keyring;
    esign_cache_t *cache;
    esign_meter_t *meter;
    int sms_at_once;
    int mails_per_minute, sms_per_minute; /* of the portal, over all nodes; 0: no limit */
    apr_interval_time_t link_life;
    int mails_per_day;            /* reset mails to a subscriber; then one in half a link's life */
    apr_interval_time_t keep;     /* how long a message that was given up stays for the operator */
    apr_time_t (*now)(void);      /* the wall clock: apr_time_now */
    apr_time_t (*clock)(void);    /* the clock that nobody sets: esign_clock */
    int (*stopping)(void *baton); /* 1: the process is to end, so no more is leased */
    /* Sets the stylesheets of `context` to those of the portal at `url`, which queued the message;
     * NULL: those of `message`. They need not outlive `p`. */
    void (*render)(void *baton, const char *url, esign_message_context_t *context, apr_pool_t *p);
    /* Writes one line to the log; `level` is syslog's, which httpd's are too. */
    void (*log)(void *baton, int level, apr_status_t status, const char *text);
    void *baton;
} esign_courier_options_t;

/* A server that messages go to. */
typedef struct {
    const char *name; /* for the log */
    esign_breaker_t breaker;
    int under_way;             /* SMS; the transport counts mails */
    esign_level_t *left_until; /* in the meter: the breaker's `until` */
} esign_courier_server_t;

typedef struct esign_courier_t {
    const esign_courier_options_t *options;
    esign_transport_t *transport;
    apr_pool_t *pool;
    char *owner;            /* this courier's random name in the outbox */
    apr_hash_t *deliveries; /* by row id, esign_delivery_t: their transfers are under way */
    esign_outcomes_t *outcomes;
    esign_courier_server_t mail_server, *gateways; /* the latter in the options' order */
    esign_ceiling_t mails, sms;
    /* How many mails may be leased at once, so that connections have no pause. It doubles while
     * they run out of mails, and is their number again when the server fails. */
    int ahead;
    int ending;                 /* mails are broken off: that is no failure of the server */
    int database_down;          /* the last round could not write to the database */
    apr_time_t looked;          /* wall clock: the last look into the outbox; 0: look at once */
    apr_time_t expired;         /* options->clock: the last expiry; 0: none yet */
    apr_time_t leased, renewed; /* options->clock: when the last leases were taken, and since when
                                   all leases are renewed; 0: unknown */
    /* Of the round that is going on. */
    esign_database_t *database;
    apr_pool_t *round;
} esign_courier_t;

/* Leases are short, so that another courier soon has what a dead one had; a living courier renews
 * them. A message is handed over within DEADLINE of the last renewal or not at all: a second before
 * the lease ends, so the clocks of two nodes may differ by a second. */
#define ESIGN_COURIER_LEASE apr_time_from_sec(4)
#define ESIGN_COURIER_DEADLINE apr_time_from_sec(3)
#define ESIGN_COURIER_RENEW apr_time_from_sec(1)

/* Writes a line to the log, by apr_psprintf's rules; `level` is syslog's. */
void esign_courier_log(const esign_courier_t *courier, int level, apr_status_t status,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The gateway of that number. */
const esign_sms_gateway_t *esign_courier_gateway(const esign_courier_t *courier, int gateway);

#endif
