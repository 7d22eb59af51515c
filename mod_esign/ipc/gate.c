/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c: two System V semaphores. SLOTS counts free slots. PLACES counts free places of the gate;
 * each caller has one from its arrival until it leaves, waiting or inside. */
#include "gate.h"
#include "core/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROBLEM "gate"
#define MAX_VALUE 32767 /* SEMVMX of Linux */

enum { SLOTS, PLACES, SEMAPHORES };

struct esign_gate_t {
    int set;
    pid_t maker;
    int slots, queue;
};

/* semctl(2)'s fourth argument, which POSIX lets the caller define. */
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

apr_status_t esign_gate_destroy(void *data)
{
    const esign_gate_t *gate = data;
    if (gate->maker == getpid())
        semctl(gate->set, 0, IPC_RMID);
    return APR_SUCCESS;
}

esign_result_t esign_gate_create(esign_gate_t **gate, int slots, int queue, apr_pool_t *p)
{
    if (slots < 1 || queue < 0 || slots > MAX_VALUE || queue > MAX_VALUE - slots)
        return esign_result_make(
            p, APR_EINVAL, PROBLEM,
            "%d slots and a queue of %d: at least 1 slot, and together at most %d", slots, queue,
            MAX_VALUE);
    int set = semget(IPC_PRIVATE, SEMAPHORES, S_IRUSR | S_IWUSR);
    if (set < 0) {
        int error = errno;
        return esign_result_make(
            p, error, PROBLEM, "no System V semaphores (kernel.sem, ipcs -s): %s", strerror(error));
    }
    esign_gate_t *made = apr_palloc(p, sizeof(*made));
    *made = (esign_gate_t){ set, getpid(), slots, queue };

    unsigned short values[SEMAPHORES] = {
        [SLOTS] = (unsigned short)slots, [PLACES] = (unsigned short)(slots + queue)
    };
    if (semctl(set, 0, SETALL, (union semun){ .array = values }) != 0) {
        int error = errno;
        return esign_result_make(p, error, PROBLEM, "the semaphores cannot be set: %s",
                                 strerror(error));
    }
    *gate = made;
    return ESIGN_OK;
}

esign_result_t esign_gate_allow(esign_gate_t *gate, uid_t uid, gid_t gid)
{
    struct semid_ds info;
    memset(&info, 0, sizeof(info));
    info.sem_perm.uid = uid;
    info.sem_perm.gid = gid;
    info.sem_perm.mode = S_IRUSR | S_IWUSR;
    if (semctl(gate->set, 0, IPC_SET, (union semun){ .buf = &info }) != 0)
        return (esign_result_t){ errno, PROBLEM,
                                 "the semaphores cannot be given to the children's user" };
    return ESIGN_OK;
}

int esign_gate_alive(const esign_gate_t *gate)
{
    return semctl(gate->set, SLOTS, GETVAL) >= 0;
}

/* A caller takes a place first, and then waits for a slot in the kernel's queue. The kernel gives a
 * free slot to the caller that has waited longest, so no caller overtakes another. */
apr_status_t esign_gate_enter(esign_gate_t *gate, apr_interval_time_t patience)
{
    struct sembuf take_place = { PLACES, -1, SEM_UNDO | IPC_NOWAIT };
    struct sembuf take_slot = { SLOTS, -1, SEM_UNDO };
    struct sembuf return_place = { PLACES, 1, SEM_UNDO };
    apr_time_t deadline = esign_clock() + patience;
    if (semop(gate->set, &take_place, 1) != 0)
        return errno;
    int error;
    do {
        apr_interval_time_t left = deadline - esign_clock();
        if (left < 0)
            left = 0;
        struct timespec limit = { apr_time_sec(left), apr_time_usec(left) * 1000 };
        error = semtimedop(gate->set, &take_slot, 1, &limit) == 0 ? 0 : errno;
    } while (error == EINTR);
    if (error != 0)
        semop(gate->set, &return_place, 1);
    return error == EAGAIN ? APR_TIMEUP : error;
}

void esign_gate_leave(esign_gate_t *gate)
{
    struct sembuf give_back[] = { { SLOTS, 1, SEM_UNDO }, { PLACES, 1, SEM_UNDO } };
    semop(gate->set, give_back, SEMAPHORES);
}

apr_status_t esign_gate_read(const esign_gate_t *gate, esign_gate_state_t *state)
{
    unsigned short values[SEMAPHORES] = { 0 };
    if (semctl(gate->set, 0, GETALL, (union semun){ .array = values }) != 0)
        return errno;
    /* A caller inside has both a slot and a place. */
    int inside = gate->slots - values[SLOTS], places = gate->slots + gate->queue - values[PLACES];
    *state = (esign_gate_state_t){ .slots = gate->slots,
                                   .inside = inside,
                                   .waiting = places > inside ? places - inside : 0 };
    return APR_SUCCESS;
}
