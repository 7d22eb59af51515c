/* SPDX-License-Identifier: Apache-2.0 */
/* wakeup.h: a wakeup that any process of a family sends to the process that polls for it. */
#ifndef ESIGN_IPC_WAKEUP_H
#define ESIGN_IPC_WAKEUP_H

/* Makes a descriptor that polls readable (POLLIN) from the first wakeup sent until
 * esign_wakeup_clear. The caller closes it. Called before the fork, so that parent and children
 * share it; exec closes it. No function here blocks. -1 when no descriptor is left, with errno set.
 */
int esign_wakeup_create(void);

/* Sends a wakeup, from any process or thread. Any number of them before the next clear count as
 * one. An error is ignored: a receiver looks for work from time to time as well. */
void esign_wakeup_send(int wakeup);

/* Returns 1 while a wakeup is pending. */
int esign_wakeup_pending(int wakeup);

/* Clears the pending wakeup; returns 1 when there was one. A receiver calls it before it looks for
 * work: then a wakeup for work that it does not see yet stays pending. */
int esign_wakeup_clear(int wakeup);

#endif
