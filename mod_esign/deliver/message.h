/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: from what an outbox row says to the texts that go out. */
#ifndef ESIGN_DELIVER_MESSAGE_H
#define ESIGN_DELIVER_MESSAGE_H

#include "render/page_cache.h"
#include "store/subscriber.h"

/* A mail ready to send; wiped with the pool. */
typedef struct {
    const char *to;      /* a valid address */
    const char *to_name; /* UTF-8, may be empty */
    const char *subject; /* UTF-8, one line */
    const char *text;
    const char *html;
    const char *id; /* left side of Message-ID: the same for each attempt of one row */
} esign_mail_t;

/* An SMS ready to send; wiped with the pool. */
typedef struct {
    const char *to;     /* E.164 */
    const char *text;   /* UTF-8 */
    const char *report; /* where the gateway is to send its report; NULL: it sends none */
    apr_time_t expires; /* when it is no longer of use: it does not go out afterwards */
} esign_sms_t;

/* What every message names. */
typedef struct {
    const esign_render_t *render;
    esign_page_cache_t *kept; /* of `render`; NULL: each message is rendered as a whole */
    const char *organization;
    const char *sms_name; /* what stands for it in an SMS; NULL: itself */
    const char *url;      /* public address of the portal: "https://host[:port]/esign" */
} esign_message_context_t;

/* The mail with the one-time link. `minutes`: how long it lives. `address`, `time`: from where and
 * when it was asked. */
esign_result_t esign_message_reset(const esign_message_context_t *context,
                                   const esign_subscriber_t *subscriber, const char *token,
                                   int minutes, const char *address, apr_time_t time,
                                   esign_mail_t *mail, apr_pool_t *p);

/* The notice after `event` (an esign_event_name: "word-reset", "word-changed", "pin-shown",
 * "signed-in"). */
esign_result_t esign_message_notice(const esign_message_context_t *context,
                                    const esign_subscriber_t *subscriber, const char *event,
                                    const char *address, apr_time_t time, esign_mail_t *mail,
                                    apr_pool_t *p);

/* The SMS with the code. Its last line binds the code to the portal's host, so that phones fill it
 * in there and nowhere else (origin-bound one-time codes, WICG). */
esign_result_t esign_message_code(const esign_message_context_t *context,
                                  const esign_subscriber_t *subscriber, const char *code,
                                  esign_sms_t *sms, apr_pool_t *p);

/* Whether the SMS of a code of `digits` digits fits one message in each language; the detail tells
 * what it takes. */
esign_result_t esign_message_code_fits(const esign_message_context_t *context, int digits,
                                       apr_pool_t *p);

/* This, and whether every mail can be made and sent: a mistake in a theme's texts and stylesheets
 * would else be found by who waits for a mail. */
esign_result_t esign_message_check(const esign_message_context_t *context, int digits,
                                   apr_pool_t *p);

#endif
