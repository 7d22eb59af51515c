/* SPDX-License-Identifier: Apache-2.0 */
/* event.h: the table of audit events: names, which of them are refusals, and which of them a
 * subscriber's page of recent activity shows. */
#ifndef ESIGN_AUDIT_EVENT_H
#define ESIGN_AUDIT_EVENT_H

/* Every event; event.c has its name. Names are stored in databases and never change. */
typedef enum {
    /* By esignctl */
    ESIGN_AUDIT_REGISTERED,      /* a subscriber was added, alone or by an import */
    ESIGN_AUDIT_SHOWN,           /* a subscriber's data were shown */
    ESIGN_AUDIT_OPENED,          /* sign-in was opened again */
    ESIGN_AUDIT_BARRED,          /* sign-in was closed by the help desk */
    ESIGN_AUDIT_KEY_ADDED,       /* a master key was added to the key file */
    ESIGN_AUDIT_KEY_ROTATED,     /* everything was sealed under the active key */
    ESIGN_AUDIT_KEY_RETIRED,     /* a master key was removed from the key file */
    ESIGN_AUDIT_MESSAGE_DROPPED, /* a message was deleted from the outbox, unsent */

    /* Sign-in */
    ESIGN_AUDIT_WORD_ACCEPTED,   /* the first factor is right */
    ESIGN_AUDIT_WORD_REFUSED,    /* it is wrong, or the number is not registered */
    ESIGN_AUDIT_REFUSED_WAITING, /* word or code was refused, right or wrong: a wait after failures
                                    runs, or the account had too many sign-ins lately. No row tells
                                    whether it was right */
    ESIGN_AUDIT_REFUSED_CLOSED,  /* the same because sign-in is closed */
    ESIGN_AUDIT_CLOSED,          /* word or code is wrong, and this failure closes sign-in */
    ESIGN_AUDIT_SIGN_IN_LIMITED, /* an address failed too often; once a window and address */
    ESIGN_AUDIT_CODE_SENT,       /* an SMS with a new code was queued */
    ESIGN_AUDIT_CODE_RESENT,     /* an SMS with the same code was queued */
    ESIGN_AUDIT_SMS_REFUSED,     /* too soon after the last SMS, or too many today */
    ESIGN_AUDIT_CODE_REFUSED,    /* the code is wrong */
    ESIGN_AUDIT_CODE_DEAD,       /* the code was not compared: it had expired, or none was sent */
    ESIGN_AUDIT_SIGNED_IN,       /* the second factor is right */
    ESIGN_AUDIT_SIGNED_OUT,

    /* The forgotten word */
    ESIGN_AUDIT_RESET_ASKED,   /* the form was sent; only the courier looks the number up */
    ESIGN_AUDIT_RESET_LIMITED, /* an address sent the form too often; once a window and address */
    ESIGN_AUDIT_RESET_MAILED,  /* the mail server accepted the mail with the link */
    ESIGN_AUDIT_RESET_UNKNOWN, /* the number is not registered: no mail */
    ESIGN_AUDIT_RESET_SPACED,  /* too many mails today, and the last link is young: no mail */
    ESIGN_AUDIT_LINK_OPENED,   /* the link was opened, not used up */
    ESIGN_AUDIT_LINK_REFUSED,  /* a known subscriber's link that is no longer valid: it has expired,
                                  or a sign-in or a change of the word came first */
    ESIGN_AUDIT_WORD_RESET,    /* a new word was set by a link */

    /* Signed in */
    ESIGN_AUDIT_WORD_CHANGED,
    ESIGN_AUDIT_PIN_SHOWN,
    ESIGN_AUDIT_SESSIONS_ENDED, /* all other sessions of the subscriber were ended */

    /* The courier */
    ESIGN_AUDIT_MESSAGE_GIVEN_UP, /* no server accepted a message, or it cannot be unsealed */
    ESIGN_AUDIT_MESSAGES_EXPIRED, /* messages expired unsent; the error log has their number */
    ESIGN_AUDIT_EVENTS
} esign_audit_event_e;

/* The address in a row of esignctl or of the courier. */
#define ESIGN_AUDIT_LOCAL "local"

/* The name of an event, such as "signed-in"; "unknown" for ESIGN_AUDIT_EVENTS. */
const char *esign_event_name(esign_audit_event_e event);

/* The event of a name; ESIGN_AUDIT_EVENTS for the name of another version's event. */
esign_audit_event_e esign_event_parse(const char *name);

/* "failure" when the event of this name is a refusal, "success" when not; "unknown" for the name of
 * another version's event. */
const char *esign_event_result(const char *name);

/* Whether rows of the event can have a subscriber. The page of recent activity has words for these
 * events, and for no others. */
int esign_event_is_personal(esign_audit_event_e event);

#endif
