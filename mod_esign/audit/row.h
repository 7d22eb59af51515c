/* SPDX-License-Identifier: Apache-2.0 */
/* row.h: one row of the table audit: its seal, its chain value, and its line in a copy.
 *
 * The seal is a MAC under the key for audit rows: without the key file nobody makes a right one.
 * The chain value is a hash over the row and the chain value of the row before: with it, anybody
 * finds a row that was removed or changed in between. */
#ifndef ESIGN_AUDIT_ROW_H
#define ESIGN_AUDIT_ROW_H

#include "store/database.h"

/* How many columns a SELECT of audit rows has: AUDIT_COLUMNS of store/statements.c. */
#define ESIGN_AUDIT_ROW_WIDTH 9

/* The longest line of a copy, in bytes with its "\n". A pipe takes that many whole or not at all
 * (POSIX, PIPE_BUF). */
#define ESIGN_AUDIT_LINE_MAX 4096

typedef struct {
    apr_int64_t id;
    apr_time_t time;
    const char *node;       /* the server's host name */
    const char *event;      /* a name of esign_event_name, or of another version */
    apr_int64_t subscriber; /* ESIGN_SUBSCRIBER_NONE: not known */
    const char *address;    /* the client's, or "local" */
    apr_int64_t position;   /* in the chain, from 1; 0: not chained yet; -1: kept out of the chain,
                               because its seal was wrong */
    const char *chain;      /* base64url, 43 characters; "" until the row is chained */
    const char *seal;       /* KEYID.MAC */
} esign_audit_row_t;

typedef enum {
    ESIGN_AUDIT_SOUND,  /* the seal is right */
    ESIGN_AUDIT_FORGED, /* it is wrong: the row was changed, or written without the key */
    ESIGN_AUDIT_NO_KEY  /* it names a key that the key file does not have */
} esign_audit_verdict_e;

/* Joins texts unambiguously: each as LENGTH:TEXT, like a netstring. Seals and chain values are made
 * over such a text. The last argument is NULL. In `p`. */
const char *esign_audit_encode(apr_pool_t *p, ...) __attribute__((sentinel));

/* A seal over `covered`: KEYID.MAC, HMAC-SHA256 as base64url under the active ESIGN_KEY_AUDIT. */
const char *esign_audit_seal(const esign_keyring_t *keyring, const char *covered, apr_pool_t *p);

/* Checks such a seal. */
esign_audit_verdict_e esign_audit_judge(const esign_keyring_t *keyring, const char *seal,
                                        const char *covered);

/* The key id that a seal names; 0: it names none. */
int esign_audit_seal_key_id(const char *seal);

/* A row of a SELECT of AUDIT_COLUMNS. Its texts are those of `columns`, not copied. */
esign_audit_row_t esign_audit_row_read(const char *const *columns);

/* The right seal of the row. It covers position and chain, too, once the row has them. */
const char *esign_audit_row_seal(const esign_keyring_t *keyring, const esign_audit_row_t *row,
                                 apr_pool_t *p);

/* Checks the row's own seal. */
esign_audit_verdict_e esign_audit_row_judge(const esign_keyring_t *keyring,
                                            const esign_audit_row_t *row, apr_pool_t *p);

/* The row's chain value: SHA-256 over the chain value of the row before ("" for the first row), and
 * over the row's position and content. It takes no key. So it stays the same when keys change, and
 * a reader of a copy can check it. */
const char *esign_audit_row_chain(const char *before, const esign_audit_row_t *row, apr_pool_t *p);

/* The row as one JSON object (RFC 8259) and "\n", at most ESIGN_AUDIT_LINE_MAX bytes. Ids are
 * strings, because many readers of JSON round numbers above 2^53. The time is UTC with microseconds
 * (RFC 3339). `problem` becomes a member of the object; NULL: it has none. */
const char *esign_audit_row_line(const esign_audit_row_t *row, const char *problem, apr_pool_t *p);

/* Such a line which says that the rows of positions `first` to `last` are missing. */
const char *esign_audit_gap_line(apr_int64_t first, apr_int64_t last, apr_pool_t *p);

#endif
