/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: mails by threads of their own (mailer.h), SMS by libcurl's multi handle, many at once; one thread starts them and hears how they ended. */
#ifndef ESIGN_DELIVER_TRANSPORT_H
#define ESIGN_DELIVER_TRANSPORT_H

#include "message.h"

#include <apr_tables.h>

/* The mail server. Secrets are read from files at start-up. */
typedef struct {
    const char *url;            /* smtp://host[:port], smtps://host[:port], or sendmail:[/path] for the local one's command */
    const char *user;           /* NULL: no AUTH */
    const char *password;       /* secret memory */
    int tls_required;           /* STARTTLS or the connection is refused */
    const char *ca_file;        /* NULL: the system's */
    const char *from;           /* envelope and header sender address */
    const char *from_name;      /* the organization, UTF-8 */
    const char *reply_to;       /* NULL: none */
    int connections;            /* at most */
    apr_interval_time_t timeout;
} esign_smtp_t;

/* The HTTP gateway for SMS. {number} {text} {secret} in URL, headers and body are filled in: percent-encoded in the URL and in a form body, JSON-escaped in a
 * body whose Content-Type is application/json. A header cannot hold {text}, which has two lines. */
typedef struct {
    const char *url;            /* https://, or http:// to this machine */
    const char *method;         /* GET or POST */
    const apr_array_header_t *headers;   /* const char *, "Name: value" */
    const char *body;           /* NULL with GET */
    const char *secret;         /* secret memory; NULL: none */
    const char *ca_file;
    apr_interval_time_t timeout;
} esign_sms_gateway_t;

typedef enum {
    ESIGN_TRANSFER_SENT,        /* the server took it */
    ESIGN_TRANSFER_LATER,       /* the server will not have this message now: 4xx of SMTP; time-out, 5xx or 429 of HTTP */
    ESIGN_TRANSFER_NEVER,       /* the server will not have this message: 5xx of SMTP, other 4xx of HTTP */
    ESIGN_TRANSFER_UNREACHABLE, /* the server cannot be used, for this message or another: dead, hanging, TLS or sign-in refused */
    ESIGN_TRANSFER_UNTRIED      /* it was not begun: recalled, or too late for its lease */
} esign_transfer_outcome_e;

typedef struct esign_transport_t esign_transport_t;

/* Called from esign_transport_run once for each transfer. `error`: the server's or libcurl's words, recipients and secrets left out; NULL when sent. */
typedef void esign_transfer_done_fn(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome, const char *error);

/* Once a process, before threads. */
esign_result_t esign_transport_init(void);

/* Not shared between threads; connections are kept and reused. Closed with `p`. */
esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp, const esign_sms_gateway_t *gateway,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p);

/* Starts a transfer for outbox row `id`; the message is copied and wiped at its end. mail.c and sms.c. A mail waits for a free connection, until `start_by` at most. */
esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id, const esign_mail_t *mail, apr_time_t start_by);
esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id, const esign_sms_t *sms);

/* Mails that wait for a connection end as ESIGN_TRANSFER_UNTRIED in the next esign_transport_run. */
void esign_transport_recall_mails(esign_transport_t *transport);

/* Breaks off all mails within about a second: their ends are told in the next esign_transport_run. No mail is started afterwards. */
void esign_transport_stop_mails(esign_transport_t *transport);

/* Lets transfers go on for at most `wait`, or until one is done. Returns how many are still under way. */
int esign_transport_run(esign_transport_t *transport, apr_interval_time_t wait);

int esign_transport_pending_mail(const esign_transport_t *transport);
int esign_transport_pending_sms(const esign_transport_t *transport);

/* Checks templates and URL at configuration time: http(s), a known method, placeholders that exist, a body only with POST, no line breaks. */
esign_result_t esign_transport_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p);
esign_result_t esign_transport_check_smtp(const esign_smtp_t *smtp, apr_pool_t *p);

#endif
