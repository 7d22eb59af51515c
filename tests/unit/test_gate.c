/* SPDX-License-Identifier: Apache-2.0 */
/* test_gate.c: the gate between processes: its limits, its order, and the death of callers. */
#include "ipc/gate.h"
#include "suite.h"

#include <apr_time.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORTLY apr_time_from_msec(20)
/* Longer than any test waits, so that a hang shows as a failure and not as a pass. */
#define LONG apr_time_from_sec(60)

static esign_gate_t *create(int slots, int queue)
{
    esign_gate_t *gate = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_gate_create(&gate, slots, queue, pool)) && gate != NULL);
    apr_pool_cleanup_register(pool, gate, esign_gate_destroy, apr_pool_cleanup_null);
    return gate;
}

/* The state letter of a process as the kernel shows it. */
static char state_of(pid_t child)
{
    char path[40], state = '?';
    apr_snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = '?';
        fclose(file);
    }
    return state;
}

typedef struct {
    pid_t pid;
    /* Pipes: a byte when it begins, the status of esign_gate_enter; closing `go` lets it leave. */
    int begun, entered, go;
} child_t;

/* Starts a child that enters and stays inside until `go` is closed. */
static child_t start(esign_gate_t *gate, apr_interval_time_t patience)
{
    int begun[2], entered[2], go[2];
    CU_ASSERT_FATAL(pipe(begun) == 0 && pipe(entered) == 0 && pipe(go) == 0);
    pid_t pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        char end;
        close(go[1]);
        if (write(begun[1], "b", 1) != 1)
            _exit(1);
        apr_status_t status = esign_gate_enter(gate, patience);
        if (write(entered[1], &status, sizeof(status)) != sizeof(status) ||
            (status == APR_SUCCESS && read(go[0], &end, 1) < 0))
            _exit(1);
        if (status == APR_SUCCESS)
            esign_gate_leave(gate);
        _exit(0);
    }
    close(begun[1]);
    close(entered[1]);
    close(go[0]);
    return (child_t){ pid, begun[0], entered[0], go[1] };
}

/* Returns when the child sleeps in the gate's queue. */
static child_t start_waiting(esign_gate_t *gate, apr_interval_time_t patience)
{
    child_t child = start(gate, patience);
    char byte;
    CU_ASSERT_EQUAL_FATAL(read(child.begun, &byte, 1), 1);
    while (state_of(child.pid) == 'R')
        usleep(1000);
    usleep(2000); /* for a sleep on a page or a lock before the semaphore's */
    return child;
}

static apr_status_t status_of(const child_t *child)
{
    apr_status_t status = -1;
    CU_ASSERT_EQUAL_FATAL(read(child->entered, &status, sizeof(status)), (ssize_t)sizeof(status));
    return status;
}

static void end(const child_t *child, int signal_number)
{
    int status;
    if (signal_number != 0)
        kill(child->pid, signal_number);
    else if (write(child->go, "", 1) < 0) /* younger siblings have this pipe open too */
        CU_ASSERT_EQUAL(errno, EPIPE);    /* it did not get in, and ended */
    close(child->go);
    CU_ASSERT_EQUAL(waitpid(child->pid, &status, 0), child->pid);
    CU_ASSERT(signal_number != 0 ? WIFSIGNALED(status)
                                 : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(child->begun);
    close(child->entered);
}

static void test_bounds(void)
{
    static const int bad[][2] = { { 0, 1 },     { -1, 1 },    { 1, -1 },
                                  { 32768, 0 }, { 1, 32767 }, { 2147483647, 2147483647 } };
    esign_gate_t *gate = NULL;
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_EQUAL(esign_gate_create(&gate, bad[i][0], bad[i][1], pool).status, APR_EINVAL);
    CU_ASSERT_PTR_NULL(gate);
    gate = create(1, 32766);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
}

static void test_slots_and_patience(void)
{
    esign_gate_t *gate = create(2, 1);
    for (int round = 0; round < 3; round++) { /* a caller that gives up frees its place */
        CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
        CU_ASSERT_EQUAL(esign_gate_enter(gate, LONG), APR_SUCCESS);
        apr_time_t from = apr_time_now();
        CU_ASSERT_EQUAL(esign_gate_enter(gate, SHORTLY), APR_TIMEUP);
        CU_ASSERT(apr_time_now() - from >= SHORTLY);
        CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_TIMEUP);
        CU_ASSERT_EQUAL(esign_gate_enter(gate, -1), APR_TIMEUP);
        esign_gate_leave(gate);
        CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
        esign_gate_leave(gate);
        esign_gate_leave(gate);
    }
}

static void test_full_queue(void)
{
    esign_gate_t *gate = create(1, 1);
    CU_ASSERT_EQUAL_FATAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    child_t waiting = start_waiting(gate, LONG);
    apr_time_t from = apr_time_now();
    CU_ASSERT_EQUAL(esign_gate_enter(gate, LONG), APR_EAGAIN);
    CU_ASSERT(apr_time_now() - from < apr_time_from_sec(5));
    esign_gate_leave(gate);
    CU_ASSERT_EQUAL(status_of(&waiting), APR_SUCCESS);
    /* One is inside again, and the queue is free. */
    CU_ASSERT_EQUAL(esign_gate_enter(gate, SHORTLY), APR_TIMEUP);
    end(&waiting, 0);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);

    esign_gate_t *none = create(1, 0);
    CU_ASSERT_EQUAL(esign_gate_enter(none, 0), APR_SUCCESS);
    CU_ASSERT_EQUAL(esign_gate_enter(none, LONG), APR_EAGAIN);
    esign_gate_leave(none);
    CU_ASSERT_EQUAL(esign_gate_enter(none, 0), APR_SUCCESS);
}

static void test_order(void)
{
    enum { CHILDREN = 6 };
    esign_gate_t *gate = create(1, CHILDREN + 1);
    child_t children[CHILDREN];
    CU_ASSERT_EQUAL_FATAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    for (int i = 0; i < CHILDREN; i++)
        children[i] = start_waiting(gate, LONG);
    esign_gate_leave(gate);
    /* The free slot is the first child's already. */
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_TIMEUP);
    for (int i = 0; i < CHILDREN; i++) {
        CU_ASSERT_EQUAL(status_of(&children[i]), APR_SUCCESS);
        for (int later = i + 1; later < CHILDREN; later++)
            CU_ASSERT_EQUAL(state_of(children[later].pid), 'S');
        end(&children[i], 0);
    }
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
}

static void test_killed_inside(void)
{
    esign_gate_t *gate = create(1, 1);
    for (int round = 0; round < 3; round++) {
        child_t inside = start(gate, 0);
        CU_ASSERT_EQUAL_FATAL(status_of(&inside), APR_SUCCESS);
        child_t waiting = start_waiting(gate, LONG);
        CU_ASSERT_EQUAL(esign_gate_enter(gate, LONG), APR_EAGAIN);
        end(&inside, SIGKILL);
        CU_ASSERT_EQUAL(status_of(&waiting), APR_SUCCESS);            /* the slot, at once */
        CU_ASSERT_EQUAL(esign_gate_enter(gate, SHORTLY), APR_TIMEUP); /* and the place */
        end(&waiting, 0);
    }
}

static void test_killed_waiting(void)
{
    esign_gate_t *gate = create(1, 1);
    CU_ASSERT_EQUAL_FATAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    child_t waiting = start_waiting(gate, LONG);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, LONG), APR_EAGAIN);
    end(&waiting, SIGKILL);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, SHORTLY), APR_TIMEUP);
    esign_gate_leave(gate);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    /* The dead child held no slot, so the kernel freed none. */
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_TIMEUP);
}

static void test_never_more_than_slots(void)
{
    enum { CHILDREN = 8, ROUNDS = 200, SLOTS = 3 };
    esign_gate_t *gate = create(SLOTS, CHILDREN);
    struct {
        atomic_int inside, most, entered;
    } *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(shared != MAP_FAILED);
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() != 0)
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            if (esign_gate_enter(gate, LONG) != APR_SUCCESS)
                _exit(1);
            int now = atomic_fetch_add(&shared->inside, 1) + 1;
            for (int most = shared->most;
                 now > most && !atomic_compare_exchange_weak(&shared->most, &most, now);)
                ;
            usleep(20);
            atomic_fetch_sub(&shared->inside, 1);
            atomic_fetch_add(&shared->entered, 1);
            esign_gate_leave(gate);
        }
        _exit(0);
    }
    int status;
    for (int i = 0; i < CHILDREN; i++)
        CU_ASSERT(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_EQUAL(shared->entered, CHILDREN * ROUNDS);
    CU_ASSERT_EQUAL(shared->most, SLOTS);
    munmap(shared, sizeof(*shared));
}

static void on_alarm(int number)
{
    (void)number;
}

static void test_interrupted(void)
{
    esign_gate_t *gate = create(1, 1);
    const struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = { { 0, 0 }, { 0, 0 } };
    struct sigaction action = { .sa_handler = on_alarm }, before;
    CU_ASSERT_EQUAL_FATAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    apr_time_t from = apr_time_now();
    CU_ASSERT_EQUAL(esign_gate_enter(gate, apr_time_from_msec(100)), APR_TIMEUP);
    apr_interval_time_t waited = apr_time_now() - from;
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    CU_ASSERT(waited >= apr_time_from_msec(100) && waited < apr_time_from_sec(10));
}

static void test_life(void)
{
    apr_pool_t *inner;
    esign_gate_t *gate;
    int status;
    apr_pool_create(&inner, pool);
    CU_ASSERT_FATAL(!esign_failed(esign_gate_create(&gate, 1, 1, inner)));
    pid_t pid = fork();
    if (pid == 0) { /* as httpd's children do at their end */
        esign_gate_destroy(gate);
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);

    child_t waiting = start_waiting(gate, LONG);
    esign_gate_destroy(gate); /* the waiting child's semop fails */
    CU_ASSERT_EQUAL(status_of(&waiting), EIDRM);
    end(&waiting, 0);
    apr_pool_destroy(inner);
}

/* As root (./check runs so): the children's user can enter only once it is allowed to. */
static void test_allow(void)
{
    esign_gate_t *gate = create(1, 0);
    CU_ASSERT(!esign_failed(esign_gate_allow(gate, geteuid(), getegid())));
    CU_ASSERT_EQUAL(esign_gate_enter(gate, 0), APR_SUCCESS);
    esign_gate_leave(gate);
    if (geteuid() != 0)
        return;
    for (int allowed = 0; allowed < 2; allowed++) {
        int status;
        if (allowed)
            CU_ASSERT(!esign_failed(esign_gate_allow(gate, 65534, 65534)));
        pid_t pid = fork();
        if (pid == 0) {
            if (setgid(65534) != 0 || setuid(65534) != 0)
                _exit(100);
            _exit(esign_gate_enter(gate, 0));
        }
        CU_ASSERT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        CU_ASSERT_EQUAL(WEXITSTATUS(status), allowed ? APR_SUCCESS : EACCES);
    }
}

static void expect_state(const esign_gate_t *gate, int inside, int waiting)
{
    esign_gate_state_t state = { 0, 0, 0 };
    CU_ASSERT_EQUAL(esign_gate_read(gate, &state), APR_SUCCESS);
    CU_ASSERT(state.slots == 2 && state.inside == inside && state.waiting == waiting);
}

static void test_read(void)
{
    esign_gate_t *gate = create(2, 3);
    child_t children[3];
    expect_state(gate, 0, 0);
    for (int i = 0; i < 2; i++) {
        children[i] = start(gate, LONG);
        CU_ASSERT_EQUAL(status_of(&children[i]), APR_SUCCESS);
        expect_state(gate, i + 1, 0);
    }
    children[2] = start_waiting(gate, LONG);
    expect_state(gate, 2, 1);
    end(&children[0], SIGKILL);
    CU_ASSERT_EQUAL(status_of(&children[2]), APR_SUCCESS);
    expect_state(gate, 2, 0);
    end(&children[1], 0);
    end(&children[2], 0);
    expect_state(gate, 0, 0);
    esign_gate_state_t state;
    esign_gate_destroy(gate);
    CU_ASSERT_NOT_EQUAL(esign_gate_read(gate, &state), APR_SUCCESS);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "slots and queue have bounds", test_bounds },
        { "slots are limited and waiting ends in time", test_slots_and_patience },
        { "a full queue says so at once", test_full_queue },
        { "first come, first served", test_order },
        { "the death of a caller inside frees its slot and place", test_killed_inside },
        { "the death of a waiting caller frees its place", test_killed_waiting },
        { "never more inside than slots", test_never_more_than_slots },
        { "signals do not change the patience", test_interrupted },
        { "only the process that made them removes the semaphores", test_life },
        { "the children's user may enter once allowed", test_allow },
        { "callers inside and waiting are counted", test_read },
        CU_TEST_INFO_NULL
    };
    signal(SIGPIPE, SIG_IGN);
    return suite_run("gate", tests);
}
