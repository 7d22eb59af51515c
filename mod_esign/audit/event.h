/* SPDX-License-Identifier: Apache-2.0 */
/* event.h: the table of audit events: their names, and what each of them is. */
#ifndef ESIGN_AUDIT_EVENT_H
#define ESIGN_AUDIT_EVENT_H

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

/* The event's name: a constant; "unknown" for ESIGN_AUDIT_EVENTS. */
const char *esign_event_name(esign_audit_event_e event);

/* The event of a name; ESIGN_AUDIT_EVENTS for a name of another version. */
esign_audit_event_e esign_event_parse(const char *name);

/* "failure" when the event of this name is a refusal, else "success"; "unknown" for a name of
 * another version. */
const char *esign_event_result(const char *name);

/* Whether the person's own page of recent activity has words for it: the events that can be a
 * subscriber's. */
int esign_event_is_personal(esign_audit_event_e event);

#endif
