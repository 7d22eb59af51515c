/* SPDX-License-Identifier: Apache-2.0 */
/* leader.c: the seat is a record lock (fcntl(2)) on a file in memory: it belongs to a process, a
 * fork does not pass it on, and the kernel takes it back at the process's end. */
#include "leader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int esign_leader_create(void)
{
    return memfd_create("esign seat", MFD_CLOEXEC);
}

static int lock(int seat, short type)
{
    struct flock whole = { .l_type = type, .l_whence = SEEK_SET };
    return fcntl(seat, F_SETLK, &whole) == 0;
}

int esign_leader_take(int seat)
{
    return lock(seat, F_WRLCK);
}

void esign_leader_leave(int seat)
{
    lock(seat, F_UNLCK);
}
