/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h: writes lines of the audit trail to a copy outside the database: to a program's standard
 * input, or to the system's log daemon. No function here waits. */
#ifndef ESIGN_AUDIT_COPY_H
#define ESIGN_AUDIT_COPY_H

#include <apr_pools.h>

/* The socket of the log daemon on Linux. */
#define ESIGN_AUDIT_COPY_SYSLOG "/dev/log"

/* One destination, used by one thread. */
typedef struct esign_audit_copy_t esign_audit_copy_t;

/* The number that <syslog.h> gives a facility: auth, authpriv, daemon, user, local0 to local7. -1:
 * another name. `*known` gets a list of them for a message. */
int esign_audit_copy_facility(const char *name, const char **known);

/* Writes to a pipe. `file` is its writing end; it becomes non-blocking, and the caller closes it.
 * The process must ignore SIGPIPE, as httpd does. */
esign_audit_copy_t *esign_audit_copy_pipe(int file, apr_pool_t *p);

/* Writes to the log daemon whose datagram socket is `path`. It connects at the first write, and
 * anew after a failure. `facility` as esign_audit_copy_facility returns it. Closed with `p`. */
esign_audit_copy_t *esign_audit_copy_syslog(const char *path, int facility, apr_pool_t *p);

/* Writes one line, whole or not at all. The line ends with "\n" and is not longer than
 * ESIGN_AUDIT_LINE_MAX of row.h. `refusal` 1: the log daemon gets it with severity notice, not
 * info. 0: nothing was written, and errno says why: EAGAIN or ENOBUFS, the pipe or the daemon's
 * queue is full; EPIPE, the program has ended; ENOENT or ECONNREFUSED, there is no daemon. The
 * caller writes the same line again later. */
int esign_audit_copy_write(esign_audit_copy_t *copy, const char *line, int refusal);

/* How many bytes of lines were written so far, and how many of them were certainly read. Bytes that
 * a pipe still holds are not read yet: they are lost when httpd starts its program anew. What the
 * log daemon's socket accepted counts as read. */
apr_uint64_t esign_audit_copy_written(const esign_audit_copy_t *copy);
apr_uint64_t esign_audit_copy_read(const esign_audit_copy_t *copy);

#endif
