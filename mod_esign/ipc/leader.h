/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h: a lock that one process of a family holds at a time. The kernel frees it the moment
 * that the process ends, however it ends. */
#ifndef ESIGN_IPC_LEADER_H
#define ESIGN_IPC_LEADER_H

/* Makes the lock: a descriptor that the caller closes. Called before the fork, so that parent and
 * children share it; exec closes it. -1 when no descriptor is left, with errno set. */
int esign_leader_create(void);

/* Returns 1 when this process holds the lock now, whether it held it before or not, otherwise 0.
 * Never waits. The lock belongs to the process: a thread takes it for all threads of its process.
 */
int esign_leader_take(int lock);

/* Frees the lock for another process. Does nothing in a process that does not hold it. */
void esign_leader_release(int lock);

#endif
