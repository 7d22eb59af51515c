/* SPDX-License-Identifier: Apache-2.0 */
/* hashes.c: how many words a second libsodium itself compares with a hash, in so many threads: what
 * no portal on top of it can exceed. */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 256

typedef struct {
    const char *hash;
    double end;
    long count;
} loop_t;

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *compare(void *argument)
{
    static const char word[] = "not the word";
    loop_t *loop = argument;
    while (seconds(CLOCK_MONOTONIC) < loop->end) {
        int differs = crypto_pwhash_str_verify(loop->hash, word, strlen(word));
        (void)differs;
        loop->count++;
    }
    return NULL;
}

int main(int count, char **arguments)
{
    int threads = count == 4 ? atoi(arguments[1]) : 0;
    if (threads < 1 || threads > THREADS_MAX || sodium_init() < 0) {
        fprintf(stderr, "usage: hashes THREADS SECONDS HASH\nprinted: hashes a second, and "
                        "processor seconds of one\n");
        return 2;
    }
    pthread_t thread[THREADS_MAX];
    loop_t loop[THREADS_MAX];
    long sum = 0;
    double begin = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < threads; i++) {
        loop[i] = (loop_t){ arguments[3], begin + atof(arguments[2]), 0 };
        if (pthread_create(&thread[i], NULL, compare, &loop[i]) != 0)
            return 1;
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        sum += loop[i].count;
    }
    printf("%.3f %.9f\n", (double)sum / (seconds(CLOCK_MONOTONIC) - begin),
           seconds(CLOCK_PROCESS_CPUTIME_ID) / (double)sum);
    return 0;
}
