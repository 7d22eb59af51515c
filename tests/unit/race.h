/* SPDX-License-Identifier: Apache-2.0 */
/* race.h: runs one function in many threads that begin at the same moment. */
#ifndef ESIGN_TESTS_RACE_H
#define ESIGN_TESTS_RACE_H

#include "suite.h"

#include <pthread.h>

#define RACE_MAX 32

typedef struct {
    int (*work)(void *baton, apr_pool_t *p);
    void *baton;
    pthread_barrier_t *start;
    int answer;
} race_thread_t;

static void *race_thread(void *data)
{
    race_thread_t *thread = data;
    apr_pool_t *own;
    apr_pool_create(&own, NULL);
    pthread_barrier_wait(thread->start);
    thread->answer = thread->work(thread->baton, own);
    apr_pool_destroy(own);
    return NULL;
}

/* How many of `threads` threads returned `wanted`. */
static inline int race(int threads, int (*work)(void *baton, apr_pool_t *p), void *baton,
                       int wanted)
{
    race_thread_t all[RACE_MAX];
    pthread_t ids[RACE_MAX];
    pthread_barrier_t start;
    int count = 0;
    CU_ASSERT_FATAL(threads <= RACE_MAX &&
                    pthread_barrier_init(&start, NULL, (unsigned int)threads) == 0);
    for (int i = 0; i < threads; i++) {
        all[i] = (race_thread_t){ work, baton, &start, -1 };
        if (pthread_create(&ids[i], NULL, race_thread, &all[i]) != 0)
            abort(); /* the others wait at the barrier for ever */
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        count += all[i].answer == wanted;
    }
    pthread_barrier_destroy(&start);
    return count;
}

#endif
