/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h: where a copy of the audit trail goes: a program's standard input, or the system's log.
 * Nothing here waits. */
#ifndef ESIGN_AUDIT_COPY_H
#define ESIGN_AUDIT_COPY_H

#include "core/result.h"

typedef struct esign_audit_copy_t esign_audit_copy_t;

/* The facility of this name as syslog(3) numbers it: auth, authpriv, daemon, user, local0 to
 * local7; -1: none of them. `*known` gets all names. */
int esign_audit_copy_facility(const char *name, const char **known);

/* A pipe's writing end, which becomes non-blocking; it stays the caller's. */
esign_audit_copy_t *esign_audit_copy_pipe(int file, apr_pool_t *p);

/* The log daemon's socket, found anew when it was gone. Closed with `p`. */
esign_audit_copy_t *esign_audit_copy_syslog(int facility, apr_pool_t *p);

/* Hands over one line, its end included, whole or not at all. 0: not now, `errno` tells why; the
 * same line comes again. `refusal`: a higher severity in the system's log. */
int esign_audit_copy_write(esign_audit_copy_t *log, const char *line, int refusal);

/* Bytes that were handed over since the start, and how many of them the other side has surely read:
 * what waits in a pipe is lost when httpd starts its program anew. */
apr_uint64_t esign_audit_copy_written(const esign_audit_copy_t *log);
apr_uint64_t esign_audit_copy_read(const esign_audit_copy_t *log);

#endif
