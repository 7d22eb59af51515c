/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h: lets a fixed number of callers, over all processes of a node, do heavy work at once. */
#ifndef ESIGN_IPC_GATE_H
#define ESIGN_IPC_GATE_H

#include "core/result.h"

#include <sys/types.h>

/* System V semaphores: the kernel serves them in order of arrival and gives back what a process
 * held when it dies (SEM_UNDO). */
typedef struct esign_gate_t esign_gate_t;

/* `slots` at once, at most `queue` waiting. The gate is plain memory of `p`; its semaphores stay
 * until esign_gate_destroy. */
esign_result_t esign_gate_create(esign_gate_t **gate, int slots, int queue, apr_pool_t *p);

/* Takes the semaphores away, in the process that made them; elsewhere, as in httpd's children, it
 * does nothing. Fit for a pool cleanup. */
apr_status_t esign_gate_destroy(void *gate);

/* Lets the children's user enter; called by root. */
esign_result_t esign_gate_allow(esign_gate_t *gate, uid_t uid, gid_t gid);

/* Whether the semaphores are still there: an operator's ipcrm, or systemd's RemoveIPC, can take
 * them. */
int esign_gate_alive(const esign_gate_t *gate);

/* Waits for a slot. APR_EAGAIN: the queue is full, at once. APR_TIMEUP: no slot within `patience`.
 * Every success is followed by one esign_gate_leave. */
apr_status_t esign_gate_enter(esign_gate_t *gate, apr_interval_time_t patience);

void esign_gate_leave(esign_gate_t *gate);

/* As it stands now. */
typedef struct {
    int slots;   /* there are */
    int inside;  /* of them taken */
    int waiting; /* callers */
} esign_gate_state_t;

/* APR_SUCCESS, or why the semaphores cannot be read. */
apr_status_t esign_gate_look(const esign_gate_t *gate, esign_gate_state_t *state);

#endif
