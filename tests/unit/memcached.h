/* SPDX-License-Identifier: Apache-2.0 */
/* memcached.h: starts a memcached for the suite, on a Unix socket in its folder, and talks to it
 * directly. */
#ifndef ESIGN_TESTS_MEMCACHED_H
#define ESIGN_TESTS_MEMCACHED_H

#include "cache/cache.h"
#include "scratch.h"

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

static pid_t memcached_pid;

/* A connected socket; -1: memcached does not listen. */
static inline int memcached_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = 5 };
    int line = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/memcached", scratch_folder);
    setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(line, (struct sockaddr *)&address, sizeof(address)) == 0)
        return line;
    close(line);
    return -1;
}

/* Starts memcached and waits until it listens. 1: it does. Run by root it must be given a user;
 * otherwise it ignores -u. The kernel kills it when the suite ends or crashes. */
static inline int memcached_start(void)
{
    char path[sizeof(scratch_folder) + 16];
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user ? user->pw_name : "nobody";
    snprintf(path, sizeof(path), "%s/memcached", scratch_folder);
    pid_t parent = getpid();
    memcached_pid = fork();
    if (memcached_pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
            execlp("memcached", "memcached", "-s", path, "-a", "600", "-u", name, "-m", "16", "-M",
                   "-t", "2", (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; memcached_pid > 0 && tries < 500; tries++) {
        int line = memcached_connect();
        if (line >= 0) {
            close(line);
            return 1;
        }
        if (waitpid(memcached_pid, NULL, WNOHANG) == memcached_pid)
            memcached_pid = 0;
        usleep(10000);
    }
    fprintf(stderr, "memcached does not start; on Debian: apt-get install memcached\n");
    return 0;
}

static inline void memcached_stop(void)
{
    if (memcached_pid > 0) {
        kill(memcached_pid, SIGKILL);
        waitpid(memcached_pid, NULL, 0);
    }
    memcached_pid = 0;
}

/* memcached's answer to lines of its protocol, up to the end of the line that starts with `last`.
 */
static inline const char *memcached_ask(const char *lines, const char *last)
{
    char answer[4096] = "";
    size_t length = 0;
    int line = memcached_connect();
    CU_ASSERT_FATAL(line >= 0 && write(line, lines, strlen(lines)) == (ssize_t)strlen(lines));
    for (;;) {
        const char *end = strncmp(answer, last, strlen(last)) == 0
                              ? answer
                              : strstr(answer, apr_pstrcat(pool, "\n", last, NULL));
        if (end && strchr(end + 1, '\n'))
            break;
        ssize_t got = read(line, answer + length, sizeof(answer) - 1 - length);
        CU_ASSERT_FATAL(got > 0);
        length += (size_t)got;
        answer[length] = '\0';
    }
    close(line);
    return apr_pstrdup(pool, answer);
}

/* Seconds that a key has left; -1: it has no end; -2: there is no such key. */
static inline int memcached_left(const char *key)
{
    int left = -2;
    sscanf(memcached_ask(apr_psprintf(pool, "mg %s t\r\nmn\r\n", key), "MN"), "HD t%d", &left);
    return left;
}

/* The bytes stored under a key. */
static inline const char *memcached_raw(const char *key)
{
    unsigned int size = 0, start = 0;
    const char *answer = memcached_ask(apr_psprintf(pool, "get %s\r\n", key), "END");
    CU_ASSERT_FATAL(sscanf(answer, "VALUE %*s %*u %u\r\n%n", &size, (int *)&start) == 1 &&
                    start + size < strlen(answer));
    return apr_pstrmemdup(pool, answer + start, size);
}

static inline void memcached_put(const char *key, const char *value)
{
    CU_ASSERT_STRING_EQUAL(memcached_ask(apr_psprintf(pool, "set %s 0 0 %lu\r\n%s\r\n", key,
                                                      (unsigned long)strlen(value), value),
                                         "STORED"),
                           "STORED\r\n");
}

/* A client for one test. `options` follow the socket in its configuration. */
static inline esign_cache_t *memcached_client(const char *keys, const char *options)
{
    esign_cache_t *cache = NULL;
    const char *configuration = apr_psprintf(pool, "--SOCKET=\"%s\"%s%s", scratch_path("memcached"),
                                             *options ? " " : "", options);
    CU_ASSERT_FATAL(
        !esign_failed(esign_cache_create(&cache, configuration, 8, scratch_keyring(keys), pool)) &&
        cache != NULL);
    return cache;
}

/* Starts memcached again for a client that met a failure: libmemcached tries again when the clock's
 * next second begins. Until then every call fails. */
static inline void memcached_restart(esign_cache_t *cache)
{
    char *value;
    esign_cache_answer_e answer = ESIGN_CACHE_ERROR;
    CU_ASSERT_FATAL(memcached_start());
    for (int tries = 0; tries < 300 && answer == ESIGN_CACHE_ERROR; tries++) {
        answer = esign_cache_get(cache, "restarted", &value, NULL, pool);
        if (answer == ESIGN_CACHE_ERROR)
            usleep(10000);
    }
    CU_ASSERT_EQUAL(answer, ESIGN_CACHE_MISS);
}

/* suite_run, with a folder and a memcached. */
static inline int memcached_suite(const char *name, CU_TestInfo *tests)
{
    if (!scratch_make())
        return EXIT_FAILURE;
    int status = memcached_start() ? suite_run(name, tests) : EXIT_FAILURE;
    memcached_stop();
    scratch_remove();
    return status;
}

#endif
