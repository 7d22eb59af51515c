/* SPDX-License-Identifier: Apache-2.0 */
/* leader.c: the leader lock is a record lock (fcntl(2)) on a file in memory. Such a lock belongs to
 * a process, a fork does not inherit it, and the kernel frees it at the end of the process. */
#include "leader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int esign_leader_create(void)
{
    return memfd_create("esign leader lock", MFD_CLOEXEC);
}

static int set_lock(int lock, short type)
{
    struct flock whole_file = { .l_type = type, .l_whence = SEEK_SET };
    return fcntl(lock, F_SETLK, &whole_file) == 0;
}

int esign_leader_take(int lock)
{
    return set_lock(lock, F_WRLCK);
}

void esign_leader_release(int lock)
{
    set_lock(lock, F_UNLCK);
}
