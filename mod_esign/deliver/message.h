/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: makes the texts of mails and SMS from what an outbox row says. */
#ifndef ESIGN_DELIVER_MESSAGE_H
#define ESIGN_DELIVER_MESSAGE_H

#include "render/page_cache.h"
#include "store/subscriber.h"

/* A mail ready to send; wiped with its pool. */
typedef struct {
    const char *to;      /* a valid address */
    const char *to_name; /* UTF-8, may be empty */
    const char *subject; /* UTF-8, one line */
    const char *text;
    const char *html;
    const char *id; /* left side of Message-ID: the same for each attempt of one row */
} esign_mail_t;

/* An SMS ready to send; wiped with its pool. */
typedef struct {
    const char *to;     /* E.164 */
    const char *text;   /* UTF-8 */
    const char *report; /* URL to which the gateway sends its report; NULL: it sends none */
    apr_time_t expires; /* wall clock: it is not sent afterwards */
} esign_sms_t;

/* The portal that messages are from. */
typedef struct {
    const esign_render_t *render;
    esign_page_cache_t *page_cache; /* of `render`; NULL: each message is rendered as a whole */
    const char *organization;
    const char *sms_name; /* the organization's name in an SMS; NULL: `organization` */
    const char *url;      /* the portal's public address: "https://host[:port]/esign" */
} esign_message_context_t;

/* Makes the mail with the one-time link. `minutes`: how long the link lives. `address` and `time`:
 * from where and when it was asked for. */
esign_result_t esign_message_reset(const esign_message_context_t *context,
                                   const esign_subscriber_t *subscriber, const char *token,
                                   int minutes, const char *address, apr_time_t time,
                                   esign_mail_t *mail, apr_pool_t *p);

/* Makes the notice after `event` (an esign_event_name): "word-reset", "word-changed", "pin-shown"
 * or "signed-in". APR_ENOENT: the catalogue has no subject for the event. */
esign_result_t esign_message_notice(const esign_message_context_t *context,
                                    const esign_subscriber_t *subscriber, const char *event,
                                    const char *address, apr_time_t time, esign_mail_t *mail,
                                    apr_pool_t *p);

/* Makes the SMS with the code; `report` and `expires` are not set. Its last line binds the code to
 * the portal's host, so that phones fill it in there only (WICG, Origin-bound one-time codes
 * delivered via SMS). */
esign_result_t esign_message_code(const esign_message_context_t *context,
                                  const esign_subscriber_t *subscriber, const char *code,
                                  esign_sms_t *sms, apr_pool_t *p);

/* Checks that the SMS with a code of `digits` digits fits into one message in each language.
 * APR_EINVAL: it does not; the detail says how long it is. */
esign_result_t esign_message_code_fits(const esign_message_context_t *context, int digits,
                                       apr_pool_t *p);

/* Checks that, and that every mail can be made and sent: otherwise a mistake in a theme would be
 * found only by a subscriber who waits for a mail. */
esign_result_t esign_message_check(const esign_message_context_t *context, int digits,
                                   apr_pool_t *p);

#endif
