/* SPDX-License-Identifier: Apache-2.0 */
/* test_leader.c: of a family of processes one has the seat, until it leaves it or ends. */
#include "suite.h"

#include "ipc/leader.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that takes the seat, tells whether it got it, and lives on. */
static pid_t sit(int seat, char *got)
{
    int told[2];
    CU_ASSERT_FATAL(pipe(told) == 0);
    pid_t child = fork();
    if (child == 0) {
        const char took = esign_leader_take(seat) ? 'y' : 'n';
        ssize_t written = write(told[1], &took, 1);
        while (written == 1)
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

static void test_one_has_it(void)
{
    int seat = esign_leader_create();
    char first, second;
    CU_ASSERT_FATAL(seat >= 0);
    pid_t one = sit(seat, &first), other = sit(seat, &second);
    CU_ASSERT(first == 'y' && second == 'n');
    CU_ASSERT(!esign_leader_take(seat));
    esign_leader_leave(seat); /* not ours to leave */
    CU_ASSERT(!esign_leader_take(seat));
    kill_and_wait(other);
    CU_ASSERT(!esign_leader_take(seat));
    kill_and_wait(one);
    CU_ASSERT(esign_leader_take(seat));
    CU_ASSERT(esign_leader_take(seat));
    close(seat);
}

static void test_left(void)
{
    int seat = esign_leader_create();
    char got;
    CU_ASSERT_FATAL(seat >= 0 && esign_leader_take(seat));
    pid_t child = sit(seat, &got);
    CU_ASSERT_EQUAL(got, 'n'); /* a fork passes nothing on */
    kill_and_wait(child);
    esign_leader_leave(seat);
    child = sit(seat, &got);
    CU_ASSERT_EQUAL(got, 'y');
    kill_and_wait(child);
    close(seat);
}

int main(void)
{
    CU_TestInfo tests[] = { { "one process has it, until it is killed", test_one_has_it },
                            { "who leaves makes room", test_left },
                            CU_TEST_INFO_NULL };
    return suite_run("seat", tests);
}
