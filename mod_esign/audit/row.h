/* SPDX-License-Identifier: Apache-2.0 */
/* row.h: one row of the table audit: its seal, its link to the row before, and its line in a copy.
 */
#ifndef ESIGN_AUDIT_ROW_H
#define ESIGN_AUDIT_ROW_H

#include "store/database.h"

/* How many columns a SELECT of audit rows has: AUDIT_COLUMNS of store/statements.c. */
#define ESIGN_AUDIT_ROW_WIDTH 9

/* A line of a copy is not longer than this, its end included: a pipe takes it whole or not at all
 * (POSIX: PIPE_BUF). */
#define ESIGN_AUDIT_LINE_MAX 4096

typedef struct {
    apr_int64_t id;
    apr_time_t time;
    const char *node;       /* host name of the server */
    const char *event;      /* an esign_event_name, or one of another version */
    apr_int64_t subscriber; /* ESIGN_SUBSCRIBER_NONE: unknown */
    const char *address;    /* the client's, or "local" */
    apr_int64_t position;   /* in the chain, from 1; 0: not chained yet; -1: kept out of it, for its
                               seal was wrong */
    const char *chain;      /* base64url, 43 characters; "" before the row is chained */
    const char *seal; /* KEYID.MAC: who writes to the database without the key file makes none */
} esign_audit_row_t;

typedef enum {
    ESIGN_AUDIT_SOUND, /* as who has the key wrote it */
    ESIGN_AUDIT_FORGED,
    ESIGN_AUDIT_NO_KEY /* sealed under a key that the key file does not have */
} esign_audit_verdict_e;

/* What the MAC of a seal and the hash of the chain cover: each text as a netstring, LENGTH:TEXT,
 * one after another. Ended by NULL. In `p`. */
const char *esign_audit_encode(apr_pool_t *p, ...) __attribute__((sentinel));

/* KEYID.MAC over `covered`: HMAC-SHA256 under the active key for audit rows. */
const char *esign_audit_seal(const esign_keyring_t *keyring, const char *covered, apr_pool_t *p);
esign_audit_verdict_e esign_audit_judge(const esign_keyring_t *keyring, const char *seal,
                                        const char *covered);

/* The key id that a seal names, 0 when it names none. */
int esign_audit_seal_key_id(const char *seal);

/* A row of a SELECT of AUDIT_COLUMNS; its texts are those of `columns`, not copied. */
esign_audit_row_t esign_audit_row_read(const char *const *columns);

/* The seal that the row must have as it stands. It covers position and chain once the row has them.
 */
const char *esign_audit_row_seal(const esign_keyring_t *keyring, const esign_audit_row_t *row,
                                 apr_pool_t *p);
esign_audit_verdict_e esign_audit_row_judge(const esign_keyring_t *keyring,
                                            const esign_audit_row_t *row, apr_pool_t *p);

/* SHA-256 over the chain value of the row before ("" before the first), the row's position and
 * content. It needs no key: it outlives a change of keys, and whoever holds a copy can follow it.
 */
const char *esign_audit_row_chain(const char *before, const esign_audit_row_t *row, apr_pool_t *p);

/* The row as one object of JSON (RFC 8259) and a line's end, not longer than ESIGN_AUDIT_LINE_MAX.
 * Numbers of 63 bits are strings, which every reader of JSON keeps whole; the time is UTC (RFC
 * 3339) to the microsecond. `problem`: what is wrong with the row, NULL: nothing. */
const char *esign_audit_row_line(const esign_audit_row_t *row, const char *problem, apr_pool_t *p);

/* Such a line that says that the rows of these positions are missing. */
const char *esign_audit_gap_line(apr_int64_t first, apr_int64_t last, apr_pool_t *p);

#endif
