/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h: a place that one process of a family has at a time; free again the moment that process
 * ends, however it ends. */
#ifndef ESIGN_IPC_LEADER_H
#define ESIGN_IPC_LEADER_H

/* Made before the fork, so that parent and children share it: a descriptor that does not survive
 * exec. -1, errno set: there are no descriptors left. */
int esign_leader_create(void);

/* Whether this process has the seat now, which it may have had before. Never waits. Any thread's
 * claim is its whole process's. */
int esign_leader_take(int seat);

/* For another process; nothing happens when this one has not got it. */
void esign_leader_leave(int seat);

#endif
