/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h: limits how many callers, over all processes of a node, do heavy work at once. */
#ifndef ESIGN_IPC_GATE_H
#define ESIGN_IPC_GATE_H

#include "core/result.h"

#include <sys/types.h>

/* A number of slots with a bounded queue before them. It consists of System V semaphores: the
 * kernel serves callers in order of arrival, and frees what a process held when it dies (SEM_UNDO).
 */
typedef struct esign_gate_t esign_gate_t;

/* Makes a gate with `slots` slots, at least 1, and at most `queue` waiting callers; together at
 * most 32767. The gate itself is memory of `p`. Its semaphores outlast `p` and the process: they
 * stay until esign_gate_destroy. */
esign_result_t esign_gate_create(esign_gate_t **gate, int slots, int queue, apr_pool_t *p);

/* Removes the semaphores when called in the process that made them. In any other, such as httpd's
 * children, it does nothing, so it can be a pool cleanup. Returns APR_SUCCESS. */
apr_status_t esign_gate_destroy(void *gate);

/* Lets processes of this user enter, besides root's. Called by root. */
esign_result_t esign_gate_allow(esign_gate_t *gate, uid_t uid, gid_t gid);

/* Returns 1 while the semaphores exist. An operator's ipcrm and systemd's RemoveIPC can remove
 * them.
 */
int esign_gate_alive(const esign_gate_t *gate);

/* Waits for a slot, at most `patience` microseconds. APR_EAGAIN: the queue is full; returned at
 * once. APR_TIMEUP: no slot became free in time. Other errors: the semaphores are gone. After
 * APR_SUCCESS the caller leaves by one esign_gate_leave. */
apr_status_t esign_gate_enter(esign_gate_t *gate, apr_interval_time_t patience);

void esign_gate_leave(esign_gate_t *gate);

typedef struct {
    int slots;   /* how many the gate has */
    int inside;  /* slots in use */
    int waiting; /* callers in the queue */
} esign_gate_state_t;

/* Reads how many callers are inside and waiting now. Fails when the semaphores are gone. */
apr_status_t esign_gate_read(const esign_gate_t *gate, esign_gate_state_t *state);

#endif
