/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: writes lines to a pipe or to the log daemon, without waiting for either. */
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

/* POSIX, write: up to PIPE_BUF bytes go into a pipe whole or not at all. */
_Static_assert(ESIGN_AUDIT_LINE_MAX <= PIPE_BUF, "a pipe would take a line in pieces");

struct esign_audit_copy_t {
    int pipe;         /* its writing end; -1: the lines go to the log daemon */
    const char *path; /* of the daemon's socket */
    int facility;
    int socket; /* connected to the daemon; -1: not connected */
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
    esign_audit_copy_t *copy = apr_pcalloc(p, sizeof(*copy));
    *copy = (esign_audit_copy_t){ .pipe = file, .socket = -1 };
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
    return copy;
}

static void disconnect(esign_audit_copy_t *copy)
{
    int error = errno;
    if (copy->socket >= 0)
        close(copy->socket);
    copy->socket = -1;
    errno = error;
}

static apr_status_t disconnect_with_pool(void *copy)
{
    disconnect(copy);
    return APR_SUCCESS;
}

esign_audit_copy_t *esign_audit_copy_syslog(const char *path, int facility, apr_pool_t *p)
{
    esign_audit_copy_t *copy = apr_pcalloc(p, sizeof(*copy));
    *copy = (esign_audit_copy_t){ .pipe = -1, .path = path, .facility = facility, .socket = -1 };
    apr_pool_cleanup_register(p, copy, disconnect_with_pool, apr_pool_cleanup_null);
    return copy;
}

/* Connects to the daemon, unless it is connected. 0: it failed, errno says why. */
static int connect_to_daemon(esign_audit_copy_t *copy)
{
    struct sockaddr_un daemon = { .sun_family = AF_UNIX };
    if (copy->socket >= 0)
        return 1;
    apr_cpystrn(daemon.sun_path, copy->path, sizeof(daemon.sun_path));
    copy->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (copy->socket >= 0 &&
        connect(copy->socket, (const struct sockaddr *)&daemon, sizeof(daemon)) == 0)
        return 1;
    disconnect(copy);
    return 0;
}

/* syslog(3) cannot be used: it waits for a daemon that does not read, and does not report a line
 * that was lost. The line has the same head as syslog(3) gives it (RFC 3164, without the host). */
static int send_to_daemon(esign_audit_copy_t *copy, const char *line, int refusal)
{
    char text[ESIGN_AUDIT_LINE_MAX + 100];
    time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    int length = apr_snprintf(text, sizeof(text), "<%d>%s %2d %02d:%02d:%02d mod_esign[%d]: %.*s",
                              copy->facility | (refusal ? LOG_NOTICE : LOG_INFO),
                              apr_month_snames[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                              (int)getpid(), (int)strcspn(line, "\n"), line);
    if (!connect_to_daemon(copy))
        return 0;
    if (send(copy->socket, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) == length)
        return 1;
    if (errno != EAGAIN && errno != ENOBUFS)
        disconnect(copy);
    return 0;
}

int esign_audit_copy_write(esign_audit_copy_t *copy, const char *line, int refusal)
{
    size_t length = strlen(line);
    int written = copy->pipe >= 0 ? write(copy->pipe, line, length) == (ssize_t)length
                                  : send_to_daemon(copy, line, refusal);
    if (written)
        copy->written += length;
    return written;
}

apr_uint64_t esign_audit_copy_written(const esign_audit_copy_t *copy)
{
    return copy->written;
}

apr_uint64_t esign_audit_copy_read(const esign_audit_copy_t *copy)
{
    int unread = 0;
    if (copy->pipe < 0)
        return copy->written;
    /* The pipe may also hold bytes of another process of this httpd. Then the result is too
     * small, and never too large. */
    if (ioctl(copy->pipe, FIONREAD, &unread) != 0 || (apr_uint64_t)unread > copy->written)
        return 0;
    return copy->written - (apr_uint64_t)unread;
}
