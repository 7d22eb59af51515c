/* SPDX-License-Identifier: Apache-2.0 */
/* wakeup.h: a bell for a family of processes: any of them rings, whoever polls it wakes. */
#ifndef ESIGN_IPC_WAKEUP_H
#define ESIGN_IPC_WAKEUP_H

/* Made before the fork, so that parent and children share it: a descriptor that polls readable
 * (POLLIN) from the first ring until it is hushed. It never blocks and does not survive exec. -1,
 * errno set: there are no descriptors left. */
int esign_wakeup_create(void);

/* From any process and thread. A bell that cannot ring wakes nobody: who waits for it also looks
 * from time to time. */
void esign_wakeup_ring(int wake);

/* Whether it rings. */
int esign_wakeup_rings(int wake);

/* To be called before looking for work: what rings afterwards is heard. Whether it rang. */
int esign_wakeup_hush(int wake);

#endif
