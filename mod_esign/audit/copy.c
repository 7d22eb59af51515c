/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: lines into a pipe or to the log daemon, without waiting for either. */
#include "copy.h"

#include "row.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define DAEMON "/dev/log"

_Static_assert(ESIGN_AUDIT_LINE_MAX <= PIPE_BUF, "a line would be written in pieces");

struct esign_audit_copy_t {
    int pipe; /* -1: the log daemon */
    int facility;
    int socket; /* to the daemon; -1: not connected */
    apr_uint64_t written;
};

int esign_audit_copy_facility(const char *name, const char **known)
{
    static const struct {
        const char *name;
        int facility;
    } rows[] = {
        { "auth", LOG_AUTH },     { "authpriv", LOG_AUTHPRIV }, { "daemon", LOG_DAEMON },
        { "user", LOG_USER },     { "local0", LOG_LOCAL0 },     { "local1", LOG_LOCAL1 },
        { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },     { "local4", LOG_LOCAL4 },
        { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },     { "local7", LOG_LOCAL7 },
    };
    *known = "auth, authpriv, daemon, user, local0 to local7";
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].facility;
    return -1;
}

esign_audit_copy_t *esign_audit_copy_pipe(int file, apr_pool_t *p)
{
    esign_audit_copy_t *log = apr_pcalloc(p, sizeof(*log));
    *log = (esign_audit_copy_t){ .pipe = file, .socket = -1 };
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
    return log;
}

static void hang_up(esign_audit_copy_t *log)
{
    if (log->socket >= 0)
        close(log->socket);
    log->socket = -1;
}

static apr_status_t close_log(void *log)
{
    hang_up(log);
    return APR_SUCCESS;
}

esign_audit_copy_t *esign_audit_copy_syslog(int facility, apr_pool_t *p)
{
    esign_audit_copy_t *log = apr_pcalloc(p, sizeof(*log));
    *log = (esign_audit_copy_t){ .pipe = -1, .facility = facility, .socket = -1 };
    apr_pool_cleanup_register(p, log, close_log, apr_pool_cleanup_null);
    return log;
}

static int call(esign_audit_copy_t *log)
{
    const struct sockaddr_un daemon = { .sun_family = AF_UNIX, .sun_path = DAEMON };
    if (log->socket >= 0)
        return 1;
    log->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (log->socket >= 0 &&
        connect(log->socket, (const struct sockaddr *)&daemon, sizeof(daemon)) == 0)
        return 1;
    int error = errno;
    hang_up(log);
    errno = error;
    return 0;
}

/* syslog(3) itself waits for a daemon that does not read, and tells nobody that a line was lost.
 * The head is the one that it writes. */
static int send_line(esign_audit_copy_t *log, const char *line, int refusal)
{
    char text[ESIGN_AUDIT_LINE_MAX + 100];
    time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    int length = apr_snprintf(text, sizeof(text), "<%d>%s %2d %02d:%02d:%02d mod_esign[%d]: %.*s",
                              log->facility | (refusal ? LOG_NOTICE : LOG_INFO),
                              apr_month_snames[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                              (int)getpid(), (int)strcspn(line, "\n"), line);
    if (!call(log))
        return 0;
    if (send(log->socket, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) == length)
        return 1;
    int error = errno;
    if (error != EAGAIN && error != ENOBUFS)
        hang_up(log);
    errno = error;
    return 0;
}

int esign_audit_copy_write(esign_audit_copy_t *log, const char *line, int refusal)
{
    size_t length = strlen(line);
    int taken = log->pipe >= 0 ? write(log->pipe, line, length) == (ssize_t)length
                               : send_line(log, line, refusal);
    if (taken)
        log->written += length;
    return taken;
}

apr_uint64_t esign_audit_copy_written(const esign_audit_copy_t *log)
{
    return log->written;
}

apr_uint64_t esign_audit_copy_read(const esign_audit_copy_t *log)
{
    int waiting = 0;
    if (log->pipe < 0)
        return log->written;
    /* What another process of ours left in the pipe counts too: then this is less than was read,
     * never more. */
    if (ioctl(log->pipe, FIONREAD, &waiting) != 0 || (apr_uint64_t)waiting > log->written)
        return 0;
    return log->written - (apr_uint64_t)waiting;
}
