/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h: who did what, when and from where. */
#ifndef ESIGN_STORE_AUDIT_H
#define ESIGN_STORE_AUDIT_H

#include "database.h"

typedef enum {
    ESIGN_AUDIT_REGISTERED,         /* "registered"         by esignctl */
    ESIGN_AUDIT_OPENED,             /* "opened"             a closure lifted by esignctl */
    ESIGN_AUDIT_WORD_ACCEPTED,      /* "word-accepted"      first factor right */
    ESIGN_AUDIT_WORD_REFUSED,       /* "word-refused"       wrong, unknown or waiting */
    ESIGN_AUDIT_CODE_SENT,          /* "code-sent" */
    ESIGN_AUDIT_CODE_REFUSED,       /* "code-refused" */
    ESIGN_AUDIT_SIGNED_IN,          /* "signed-in"          second factor right */
    ESIGN_AUDIT_SIGNED_OUT,         /* "signed-out" */
    ESIGN_AUDIT_RESET_ASKED,        /* "reset-asked"        the form was sent */
    ESIGN_AUDIT_RESET_MAILED,       /* "reset-mailed"       by the courier */
    ESIGN_AUDIT_WORD_RESET,         /* "word-reset"         by a mailed link */
    ESIGN_AUDIT_WORD_CHANGED,       /* "word-changed"       when signed in */
    ESIGN_AUDIT_PIN_SHOWN,          /* "pin-shown" */
    ESIGN_AUDIT_SESSIONS_ENDED,     /* "sessions-ended"     all but the one that asked for it */
    ESIGN_AUDIT_MESSAGE_DROPPED,    /* "message-dropped"    out of the outbox, by esignctl */
    ESIGN_AUDIT_EVENTS
} esign_audit_event_e;

typedef struct {
    apr_int64_t id;
    apr_time_t time;
    esign_audit_event_e event;
    apr_int64_t subscriber;     /* ESIGN_SUBSCRIBER_NONE: unknown */
    const char *address;        /* the client's, or "local" */
    const char *node;           /* host name of the server */
} esign_audit_entry_t;

const char *esign_audit_name(esign_audit_event_e event);

/* Appends one entry. `id` and `node` are set by the store. */
esign_result_t esign_audit_add(esign_database_t *database, esign_audit_event_e event, apr_int64_t subscriber, const char *address,
                               apr_time_t now, apr_pool_t *p);

/* How many entries of `event` a subscriber has since a moment. */
esign_result_t esign_audit_count(esign_database_t *database, esign_audit_event_e event, apr_int64_t subscriber, apr_time_t since, int *count, apr_pool_t *p);

/* The last `max` entries of a subscriber (ESIGN_SUBSCRIBER_NONE: of everybody), newest first. Array of esign_audit_entry_t. */
esign_result_t esign_audit_list(esign_database_t *database, apr_int64_t subscriber, int max, const apr_array_header_t **entries, apr_pool_t *p);

#endif
