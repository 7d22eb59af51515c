/* SPDX-License-Identifier: Apache-2.0 */
/* meter.h: what all processes of an httpd count together of one portal, in memory that they share,
 * and what one of them has last seen in its database. */
#ifndef ESIGN_IPC_METER_H
#define ESIGN_IPC_METER_H

#include "core/result.h"

#include <apr_pools.h>

/* Kinds of messages and audit events, at most: store/outbox.h and audit/trail.h assert that theirs
 * fit. */
#define ESIGN_METER_KINDS 3
#define ESIGN_METER_EVENTS 64

/* The mail server, and the SMS gateways in their order. */
#define ESIGN_METER_SERVERS_MAX 9

/* Grows only; the kernel's zero when it is made. */
typedef _Atomic apr_uint64_t esign_count_t;
typedef _Atomic apr_int64_t esign_level_t;

typedef struct esign_meter_t {
    struct {
        esign_count_t sent;                           /* a server took it */
        esign_count_t retried;                        /* tries that failed and were not the last */
        esign_count_t failed;                         /* given up, or expired */
        esign_level_t waiting, reports, dead, oldest; /* esign_outbox_depth_t's */
    } messages[ESIGN_METER_KINDS];
    esign_count_t events[ESIGN_METER_EVENTS]; /* rows written into the audit trail */
    esign_count_t hashes_refused;             /* the gate's queue was full, or patience over */
    esign_count_t hashes_accepted, hash_time; /* the others, and microseconds of processor time that
                                                 they took behind the gate */
    esign_level_t left_until[ESIGN_METER_SERVERS_MAX]; /* a server is left alone until then, by
                                                          esign_clock; 0: it is used */
    esign_level_t round; /* when the courier last reached its database; 0: not yet */
    esign_level_t unchained, unchained_oldest; /* audit rows; esign_audit_unchained's */
    _Atomic int known;                         /* the last look succeeded: levels hold */
    esign_level_t next_look;                   /* nobody looks before */
} esign_meter_t;

/* Shared with all processes forked later; as old as `p`. */
esign_result_t esign_meter_create(esign_meter_t **meter, apr_pool_t *p);

#endif
