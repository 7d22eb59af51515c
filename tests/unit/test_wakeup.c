/* SPDX-License-Identifier: Apache-2.0 */
/* test_wakeup.c: a bell that all processes of a family ring and hear. */
#include "suite.h"

#include "ipc/wakeup.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static int rings(int wake, int milliseconds)
{
    struct pollfd bell = { .fd = wake, .events = POLLIN };
    return poll(&bell, 1, milliseconds) == 1 && bell.revents == POLLIN;
}

static void test_rings_until_hushed(void)
{
    int wake = esign_wakeup_create();
    CU_ASSERT_FATAL(wake >= 0);
    CU_ASSERT(!rings(wake, 0));
    CU_ASSERT(!esign_wakeup_hush(wake)); /* never blocks */
    esign_wakeup_ring(wake);
    esign_wakeup_ring(wake);
    CU_ASSERT(rings(wake, 0) && rings(wake, 0) && esign_wakeup_rings(wake) &&
              esign_wakeup_rings(wake));
    CU_ASSERT(esign_wakeup_hush(wake));
    CU_ASSERT(!rings(wake, 0) && !esign_wakeup_rings(wake));
    close(wake);
}

static void test_rings_across_processes(void)
{
    int wake = esign_wakeup_create(), status;
    CU_ASSERT_FATAL(wake >= 0);
    pid_t child = fork();
    if (child == 0) {
        esign_wakeup_ring(wake);
        _exit(0);
    }
    CU_ASSERT(rings(wake, 5000));
    CU_ASSERT(waitpid(child, &status, 0) == child && status == 0);
    close(wake);
}

static void test_a_full_bell_rings(void)
{
    int wake = esign_wakeup_create();
    const unsigned long long most = 0xfffffffffffffffeULL;
    CU_ASSERT_FATAL(wake >= 0 && write(wake, &most, sizeof(most)) == sizeof(most));
    esign_wakeup_ring(wake); /* does not block */
    CU_ASSERT(rings(wake, 0));
    CU_ASSERT(esign_wakeup_hush(wake));
    CU_ASSERT(!rings(wake, 0));
    close(wake);
}

int main(void)
{
    CU_TestInfo tests[] = { { "it rings until it is hushed", test_rings_until_hushed },
                            { "a child rings for its parent", test_rings_across_processes },
                            { "a bell that is full still rings", test_a_full_bell_rings },
                            CU_TEST_INFO_NULL };
    return suite_run("wake", tests);
}
