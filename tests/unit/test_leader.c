/* SPDX-License-Identifier: Apache-2.0 */
/* test_leader.c: one process of a family holds the lock, until it releases it or ends. */
#include "suite.h"

#include "ipc/leader.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a child that tries to take the lock, reports whether it got it, and runs on. */
static pid_t start_taker(int lock, char *got)
{
    int told[2];
    CU_ASSERT_FATAL(pipe(told) == 0);
    pid_t child = fork();
    if (child == 0) {
        const char took = esign_leader_take(lock) ? 'y' : 'n';
        ssize_t written = write(told[1], &took, 1);
        if (written == 1)
            for (;;)
                pause();
        _exit(1);
    }
    CU_ASSERT_EQUAL_FATAL(read(told[0], got, 1), 1);
    close(told[0]);
    close(told[1]);
    return child;
}

static void kill_and_wait(pid_t child)
{
    int status;
    CU_ASSERT(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
}

static void test_one_holds_it(void)
{
    int lock = esign_leader_create();
    char first, second;
    CU_ASSERT_FATAL(lock >= 0);
    pid_t one = start_taker(lock, &first), other = start_taker(lock, &second);
    CU_ASSERT(first == 'y' && second == 'n');
    CU_ASSERT(!esign_leader_take(lock));
    esign_leader_release(lock); /* does nothing: the lock is not ours */
    CU_ASSERT(!esign_leader_take(lock));
    kill_and_wait(other);
    CU_ASSERT(!esign_leader_take(lock));
    kill_and_wait(one);
    CU_ASSERT(esign_leader_take(lock));
    CU_ASSERT(esign_leader_take(lock));
    close(lock);
}

static void test_released(void)
{
    int lock = esign_leader_create();
    char got;
    CU_ASSERT_FATAL(lock >= 0 && esign_leader_take(lock));
    pid_t child = start_taker(lock, &got);
    CU_ASSERT_EQUAL(got, 'n'); /* a fork does not inherit it */
    kill_and_wait(child);
    esign_leader_release(lock);
    child = start_taker(lock, &got);
    CU_ASSERT_EQUAL(got, 'y');
    kill_and_wait(child);
    close(lock);
}

int main(void)
{
    CU_TestInfo tests[] = { { "one process holds it until it is killed", test_one_holds_it },
                            { "a released lock is free for another process", test_released },
                            CU_TEST_INFO_NULL };
    return suite_run("leader", tests);
}
