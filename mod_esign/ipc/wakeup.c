/* SPDX-License-Identifier: Apache-2.0 */
/* wakeup.c: the wakeup is an eventfd(2), whose counter adds up all wakeups sent until it is read.
 */
#include "wakeup.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int esign_wakeup_create(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* write fails only when the counter is full, and then a wakeup is pending already. */
void esign_wakeup_send(int wakeup)
{
    const uint64_t one = 1;
    ssize_t written = write(wakeup, &one, sizeof(one));
    (void)written;
}

int esign_wakeup_pending(int wakeup)
{
    struct pollfd polled = { .fd = wakeup, .events = POLLIN };
    return poll(&polled, 1, 0) == 1;
}

int esign_wakeup_clear(int wakeup)
{
    uint64_t count;
    return read(wakeup, &count, sizeof(count)) == sizeof(count);
}
