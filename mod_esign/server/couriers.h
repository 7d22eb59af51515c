/* SPDX-License-Identifier: Apache-2.0 */
/* couriers.h: the couriers and audit chainers of this httpd, one pair for each outbox. They exist
 * in the child that holds the leader lock (watchdog.c), and one thread runs them in turn. */
#ifndef ESIGN_SERVER_COURIERS_H
#define ESIGN_SERVER_COURIERS_H

#include <httpd.h>

/* The longest wait between two rounds. A code or a reset request that this node queues
 * ends the wait at once. Notices, messages of other nodes and messages that are due again are found
 * after it. */
#define ESIGN_COURIERS_WAIT apr_time_from_msec(200)

/* In post_config, before the fork: lists the outboxes and starts the programs of EsignAuditLog.
 * Returns how many outboxes there are; -1, logged: a program cannot be started. */
int esign_couriers_prepare(server_rec *first, apr_pool_t *p);

/* In child_init: couriers will live in `pool`. */
void esign_couriers_begin(apr_pool_t *pool);

/* From any thread, without waiting: makes the round or the wait under way return soon. */
void esign_couriers_end(void);

/* Whether this process ends: esign_couriers_end was called, or the MPM stops. */
int esign_couriers_ending(void);

/* One round of all couriers and chainers, which are made when they are missing. Returns at once for
 * outboxes whose database cannot be reached. `p` is the round's pool. */
void esign_couriers_round(apr_pool_t *p);

/* Between rounds, without a database connection: transfers go on until there is work for a round,
 * ESIGN_COURIERS_WAIT at most. Returns 0 at once if no courier could be made. */
int esign_couriers_wait(void);

/* Before the process ends, after esign_couriers_end: waits a moment for transfers under way, stops
 * the others and returns their messages to the outbox. Later calls do nothing. */
void esign_couriers_finish(void);

#endif
