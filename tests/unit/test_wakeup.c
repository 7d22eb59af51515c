/* SPDX-License-Identifier: Apache-2.0 */
/* test_wakeup.c: a wakeup that processes of a family send to one another. */
#include "suite.h"

#include "ipc/wakeup.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_readable(int wakeup, int milliseconds)
{
    struct pollfd polled = { .fd = wakeup, .events = POLLIN };
    return poll(&polled, 1, milliseconds) == 1 && polled.revents == POLLIN;
}

static void test_pending_until_cleared(void)
{
    int wakeup = esign_wakeup_create();
    CU_ASSERT_FATAL(wakeup >= 0);
    CU_ASSERT(!is_readable(wakeup, 0));
    CU_ASSERT(!esign_wakeup_clear(wakeup)); /* never blocks */
    esign_wakeup_send(wakeup);
    esign_wakeup_send(wakeup);
    CU_ASSERT(is_readable(wakeup, 0) && is_readable(wakeup, 0) && esign_wakeup_pending(wakeup) &&
              esign_wakeup_pending(wakeup));
    CU_ASSERT(esign_wakeup_clear(wakeup));
    CU_ASSERT(!is_readable(wakeup, 0) && !esign_wakeup_pending(wakeup));
    close(wakeup);
}

static void test_sent_by_a_child(void)
{
    int wakeup = esign_wakeup_create(), status;
    CU_ASSERT_FATAL(wakeup >= 0);
    pid_t child = fork();
    if (child == 0) {
        esign_wakeup_send(wakeup);
        _exit(0);
    }
    CU_ASSERT(is_readable(wakeup, 5000));
    CU_ASSERT(waitpid(child, &status, 0) == child && status == 0);
    close(wakeup);
}

static void test_full_counter(void)
{
    int wakeup = esign_wakeup_create();
    const unsigned long long most = 0xfffffffffffffffeULL;
    CU_ASSERT_FATAL(wakeup >= 0 && write(wakeup, &most, sizeof(most)) == sizeof(most));
    esign_wakeup_send(wakeup); /* does not block */
    CU_ASSERT(is_readable(wakeup, 0));
    CU_ASSERT(esign_wakeup_clear(wakeup));
    CU_ASSERT(!is_readable(wakeup, 0));
    close(wakeup);
}

int main(void)
{
    CU_TestInfo tests[] = { { "it is pending until it is cleared", test_pending_until_cleared },
                            { "a child sends to its parent", test_sent_by_a_child },
                            { "a full counter is pending too, and does not block",
                              test_full_counter },
                            CU_TEST_INFO_NULL };
    return suite_run("wakeup", tests);
}
