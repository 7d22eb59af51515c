/* SPDX-License-Identifier: Apache-2.0 */
/* trail.h: who did what, when and from where. */
#ifndef ESIGN_AUDIT_TRAIL_H
#define ESIGN_AUDIT_TRAIL_H

#include "store/database.h"

/* Every event; the table in audit.c has its name and whether it is a refusal. Names are kept in
 * databases: they do not change. */
typedef enum {
    /* By esignctl */
    ESIGN_AUDIT_REGISTERED,      /* a subscriber, alone or by an import */
    ESIGN_AUDIT_SHOWN,           /* what is kept of a subscriber was shown */
    ESIGN_AUDIT_OPENED,          /* a closure lifted */
    ESIGN_AUDIT_BARRED,          /* kept out by the help desk, until opened */
    ESIGN_AUDIT_KEY_ADDED,       /* a master key made in the key file */
    ESIGN_AUDIT_KEY_ROTATED,     /* everything sealed anew under the active key */
    ESIGN_AUDIT_KEY_RETIRED,     /* a master key taken out of the key file */
    ESIGN_AUDIT_MESSAGE_DROPPED, /* a message taken out of the outbox, unsent */

    /* Sign-in */
    ESIGN_AUDIT_WORD_ACCEPTED,   /* first factor right */
    ESIGN_AUDIT_WORD_REFUSED,    /* wrong, or nobody has this number */
    ESIGN_AUDIT_REFUSED_WAITING, /* word or code not judged: a wait after failures runs, or there
                                    were too many sign-ins. Whether it was right is told nowhere */
    ESIGN_AUDIT_REFUSED_CLOSED,  /* the same while sign-in is closed */
    ESIGN_AUDIT_CLOSED,          /* word or code wrong, and with this failure sign-in is closed */
    ESIGN_AUDIT_SIGN_IN_LIMITED, /* an address has failed too often; once in a window of an address
                                  */
    ESIGN_AUDIT_CODE_SENT,       /* the SMS with a new code is queued */
    ESIGN_AUDIT_CODE_RESENT,     /* the same code once more */
    ESIGN_AUDIT_SMS_REFUSED,     /* too soon after the last, or too many today */
    ESIGN_AUDIT_CODE_REFUSED,    /* wrong */
    ESIGN_AUDIT_CODE_DEAD,       /* too late, or before one was asked for; not judged */
    ESIGN_AUDIT_SIGNED_IN,       /* second factor right */
    ESIGN_AUDIT_SIGNED_OUT,

    /* The forgotten word */
    ESIGN_AUDIT_RESET_ASKED,   /* the form was sent; whose number it was, the courier finds out */
    ESIGN_AUDIT_RESET_LIMITED, /* an address has asked too often; once in a window of an address */
    ESIGN_AUDIT_RESET_MAILED,  /* the mail server took the link */
    ESIGN_AUDIT_RESET_UNKNOWN, /* nobody has this number: no mail */
    ESIGN_AUDIT_RESET_SPACED,  /* too many today, and the last link is young: no mail */
    ESIGN_AUDIT_LINK_OPENED,   /* looked at, not used up */
    ESIGN_AUDIT_LINK_REFUSED,  /* dead, and known whose it was: a sign-in or another word came first
                                */
    ESIGN_AUDIT_WORD_RESET,    /* a new word by a mailed link */

    /* Signed in */
    ESIGN_AUDIT_WORD_CHANGED,
    ESIGN_AUDIT_PIN_SHOWN,
    ESIGN_AUDIT_SESSIONS_ENDED, /* all but the one that asked for it */

    /* The courier */
    ESIGN_AUDIT_MESSAGE_GIVEN_UP, /* a mail or SMS that nobody takes */
    ESIGN_AUDIT_MESSAGES_EXPIRED, /* one or more that nobody took in their time; the error log tells
                                     how many */
    ESIGN_AUDIT_EVENTS
} esign_audit_event_e;

/* The address of what an administrator's command or the courier did. */
#define ESIGN_AUDIT_LOCAL "local"

typedef struct {
    apr_int64_t id;
    apr_time_t time;
    esign_audit_event_e event; /* ESIGN_AUDIT_EVENTS: of another version */
    apr_int64_t subscriber;    /* ESIGN_SUBSCRIBER_NONE: unknown */
    const char *address;       /* the client's, or ESIGN_AUDIT_LOCAL */
    const char *node;          /* host name of the server */
    apr_int64_t position;      /* in the chain; 0: not yet; -1: kept out */
    int sound;                 /* its seal is right */
} esign_audit_entry_t;

const char *esign_audit_name(esign_audit_event_e event);

/* "failure" when the event of this name is a refusal, else "success"; "unknown" for a name of
 * another version. */
const char *esign_audit_result(const char *name);

/* Whether the person's own page of recent activity has words for it: the events that can be a
 * subscriber's. */
int esign_audit_personal(esign_audit_event_e event);

/* Appends one entry, sealed. `id` and `node` are set by the store. The meter counts it, also where
 * the caller's transaction comes to nothing. */
esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event,
                               apr_int64_t subscriber, const char *address, apr_time_t now,
                               apr_pool_t *p);

/* How many rows wait to be chained, and since when the first of them; 0: none. Of more than
 * ESIGN_AUDIT_UNCHAINED_MAX no more are counted. */
#define ESIGN_AUDIT_UNCHAINED_MAX 10000
esign_result_t esign_audit_unchained(esign_database_t *database, apr_int64_t *count,
                                     apr_time_t *oldest, apr_pool_t *p);

/* How many entries of `event` a subscriber has since a moment; no more than `most` are counted. */
esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event,
                                 apr_int64_t subscriber, apr_time_t since, int most, int *count,
                                 apr_pool_t *p);

/* The last `max` entries of a subscriber (ESIGN_SUBSCRIBER_NONE: of everybody), newest first. Array
 * of esign_audit_entry_t. */
esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max,
                                const apr_array_header_t **entries, apr_pool_t *p);

/* For a change of keys. Looks at up to `max` rows behind `*after` (a row's id; 0: from the first)
 * and seals anew under the active key those that are right under another one, each only while it
 * stands where it was. `*after` gets the last row looked at, 0 at the end: the caller goes on from
 * there, at any later time. `*sealed` of them; `*refused`: left as they are, for their seal is
 * wrong or its key is missing. No transaction of the caller's is open. */
esign_result_t esign_audit_reseal(esign_database_t *database, apr_int64_t *after, int max,
                                  int *sealed, int *refused, apr_pool_t *p);

/* The same for the head of the chain; `*sealed` 0: nothing to do, or the courier was faster (then
 * the next count tells). */
esign_result_t esign_audit_reseal_head(esign_database_t *database, int *sealed, apr_pool_t *p);

/* How many rows, the head among them, are sealed under a key id. Rows that are kept out of the
 * chain do not count. Reads the whole table. */
esign_result_t esign_audit_count_key(esign_database_t *database, int key, apr_int64_t *count,
                                     apr_pool_t *p);

#endif
