/* SPDX-License-Identifier: Apache-2.0 */
/* meter.h: counters of one portal that all processes of an httpd share, and the figures that one of
 * them last read from the portal's database. */
#ifndef ESIGN_IPC_METER_H
#define ESIGN_IPC_METER_H

#include "core/result.h"

#include <apr_pools.h>

/* The most kinds of messages, kinds of audit events, and servers (the mail server first, then the
 * SMS gateways in their order). The files that index these arrays assert that their values fit. */
#define ESIGN_METER_KINDS 3
#define ESIGN_METER_EVENTS 64
#define ESIGN_METER_SERVERS_MAX 9

/* A count only grows, from 0. A level is a figure of the moment. */
typedef _Atomic apr_uint64_t esign_count_t;
typedef _Atomic apr_int64_t esign_level_t;

/* Every process reads and writes the fields without a lock. */
typedef struct {
    struct {
        esign_count_t sent;    /* messages that a server accepted */
        esign_count_t retried; /* failed tries */
        esign_count_t failed;  /* messages given up or expired */
        /* As in esign_outbox_depth_t, whose `sent` is `reports` here. */
        esign_level_t waiting, reports, dead, oldest;
    } messages[ESIGN_METER_KINDS];
    esign_count_t events[ESIGN_METER_EVENTS]; /* rows written into the audit trail */

    esign_count_t hashes_refused;  /* the gate's queue was full, or the wait too long */
    esign_count_t hashes_accepted; /* callers that the gate let in */
    esign_count_t hash_time;       /* microseconds of processor time that these used inside */

    /* Until when the courier sends nothing to a server, by esign_clock; 0: it does. */
    esign_level_t left_until[ESIGN_METER_SERVERS_MAX];
    esign_level_t round; /* when the courier last reached the database; 0: never */

    /* Audit rows that wait to be chained, and the time of the oldest; see esign_audit_unchained. */
    esign_level_t unchained, unchained_oldest;
    _Atomic int known;       /* 1: the last reading of the database succeeded, so levels hold */
    esign_level_t next_look; /* when the database may be read next; see operator/levels.h */
} esign_meter_t;

/* Makes a meter of zeros in shared memory of `p`. Processes forked later share it. */
esign_result_t esign_meter_create(esign_meter_t **meter, apr_pool_t *p);

#endif
