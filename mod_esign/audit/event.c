/* SPDX-License-Identifier: Apache-2.0 */
/* event.c: the table of audit events. */
#include "event.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned char refusal, personal; /* personal: its rows can have a subscriber */
} events[ESIGN_AUDIT_EVENTS] = {
    [ESIGN_AUDIT_REGISTERED] = { "registered", 0, 1 },
    [ESIGN_AUDIT_SHOWN] = { "subscriber-shown", 0, 1 },
    [ESIGN_AUDIT_OPENED] = { "opened", 0, 1 },
    [ESIGN_AUDIT_BARRED] = { "barred", 0, 1 },
    [ESIGN_AUDIT_KEY_ADDED] = { "key-added", 0, 0 },
    [ESIGN_AUDIT_KEY_ROTATED] = { "key-rotated", 0, 0 },
    [ESIGN_AUDIT_KEY_RETIRED] = { "key-retired", 0, 0 },
    [ESIGN_AUDIT_MESSAGE_DROPPED] = { "message-dropped", 0, 1 },
    [ESIGN_AUDIT_WORD_ACCEPTED] = { "word-accepted", 0, 1 },
    [ESIGN_AUDIT_WORD_REFUSED] = { "word-refused", 1, 1 },
    [ESIGN_AUDIT_REFUSED_WAITING] = { "refused-waiting", 1, 1 },
    [ESIGN_AUDIT_REFUSED_CLOSED] = { "refused-closed", 1, 1 },
    [ESIGN_AUDIT_CLOSED] = { "closed", 1, 1 },
    [ESIGN_AUDIT_SIGN_IN_LIMITED] = { "sign-in-limited", 1, 0 },
    [ESIGN_AUDIT_CODE_SENT] = { "code-sent", 0, 1 },
    [ESIGN_AUDIT_CODE_RESENT] = { "code-resent", 0, 1 },
    [ESIGN_AUDIT_SMS_REFUSED] = { "sms-refused", 1, 1 },
    [ESIGN_AUDIT_CODE_REFUSED] = { "code-refused", 1, 1 },
    [ESIGN_AUDIT_CODE_DEAD] = { "code-dead", 1, 1 },
    [ESIGN_AUDIT_SIGNED_IN] = { "signed-in", 0, 1 },
    [ESIGN_AUDIT_SIGNED_OUT] = { "signed-out", 0, 1 },
    [ESIGN_AUDIT_RESET_ASKED] = { "reset-asked", 0, 0 },
    [ESIGN_AUDIT_RESET_LIMITED] = { "reset-limited", 1, 0 },
    [ESIGN_AUDIT_RESET_MAILED] = { "reset-mailed", 0, 1 },
    [ESIGN_AUDIT_RESET_UNKNOWN] = { "reset-unknown", 1, 0 },
    [ESIGN_AUDIT_RESET_SPACED] = { "reset-spaced", 1, 1 },
    [ESIGN_AUDIT_LINK_OPENED] = { "link-opened", 0, 1 },
    [ESIGN_AUDIT_LINK_REFUSED] = { "link-refused", 1, 1 },
    [ESIGN_AUDIT_WORD_RESET] = { "word-reset", 0, 1 },
    [ESIGN_AUDIT_WORD_CHANGED] = { "word-changed", 0, 1 },
    [ESIGN_AUDIT_PIN_SHOWN] = { "pin-shown", 0, 1 },
    [ESIGN_AUDIT_SESSIONS_ENDED] = { "sessions-ended", 0, 1 },
    [ESIGN_AUDIT_MESSAGE_GIVEN_UP] = { "message-given-up", 1, 1 },
    [ESIGN_AUDIT_MESSAGES_EXPIRED] = { "messages-expired", 1, 0 },
};

const char *esign_event_name(esign_audit_event_e event)
{
    return event < ESIGN_AUDIT_EVENTS ? events[event].name : "unknown";
}

esign_audit_event_e esign_event_parse(const char *name)
{
    int event = 0;
    while (event < ESIGN_AUDIT_EVENTS && strcmp(events[event].name, name) != 0)
        event++;
    return (esign_audit_event_e)event;
}

const char *esign_event_result(const char *name)
{
    esign_audit_event_e event = esign_event_parse(name);
    return event == ESIGN_AUDIT_EVENTS ? "unknown" : events[event].refusal ? "failure" : "success";
}

int esign_event_is_personal(esign_audit_event_e event)
{
    return event < ESIGN_AUDIT_EVENTS && events[event].personal;
}
