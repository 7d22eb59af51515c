/* SPDX-License-Identifier: Apache-2.0 */
/* wakeup.c: the bell is an eventfd: any number of rings are one wake. */
#include "wakeup.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int esign_wakeup_create(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* Its only failure, a full counter, says that it rings already. */
void esign_wakeup_ring(int wake)
{
    const uint64_t one = 1;
    ssize_t written = write(wake, &one, sizeof(one));
    (void)written;
}

int esign_wakeup_rings(int wake)
{
    struct pollfd bell = { .fd = wake, .events = POLLIN };
    return poll(&bell, 1, 0) == 1;
}

int esign_wakeup_hush(int wake)
{
    uint64_t rings;
    return read(wake, &rings, sizeof(rings)) == sizeof(rings);
}
