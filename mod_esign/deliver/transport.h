/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: mails by threads of their own (mailer.h), SMS by libcurl's multi handle, many at
 * once; one thread starts them and hears how they ended. */
#ifndef ESIGN_DELIVER_TRANSPORT_H
#define ESIGN_DELIVER_TRANSPORT_H

#include "gateway.h"
#include "lease.h"
#include "message.h"

#include <apr_tables.h>

#include <stdatomic.h>

/* The mail server. Secrets are read from files at start-up. */
typedef struct {
    const char *url;  /* smtp://host[:port], smtps://host[:port], or sendmail:[/path] for the local
                         one's command */
    const char *user; /* NULL: no AUTH */
    const char *password;  /* secret memory */
    int tls_required;      /* STARTTLS or the connection is refused */
    const char *ca_file;   /* NULL: the system's */
    const char *from;      /* envelope and header sender address */
    const char *from_name; /* the organization, UTF-8 */
    const char *reply_to;  /* NULL: none */
    int connections;       /* at most */
    apr_interval_time_t timeout;
    atomic_llong
        *lasted; /* how long the last mail that was sent took, in microseconds, in memory of all
                    couriers of the node, before and after a reload; NULL: of this one alone */
} esign_smtp_t;

typedef enum {
    ESIGN_TRANSFER_SENT,  /* the server took it */
    ESIGN_TRANSFER_LATER, /* the server will not have this message now: 4xx of SMTP; 5xx, 429 or 408
                             of HTTP */
    ESIGN_TRANSFER_NEVER, /* the server will not have this message: 5xx of SMTP; other 4xx of HTTP,
                             and a 2xx whose text says so */
    ESIGN_TRANSFER_UNREACHABLE, /* the server cannot be used, for this message or another: dead, TLS
                                   refused, a mail server that refuses the sign-in */
    ESIGN_TRANSFER_UNANSWERED, /* no answer came: whether the server has the message, and whether it
                                  failed or this message alone makes it fail, nobody knows */
    ESIGN_TRANSFER_UNTRIED /* certainly not sent, for no fault of the message or the server: a mail
                              that was recalled, or the hold was over */
} esign_transfer_outcome_e;

typedef struct esign_transport_t esign_transport_t;

/* Called from esign_transport_finish once for each transfer. `error`: the server's or libcurl's
 * words, recipients and secrets left out; NULL when sent. */
typedef void esign_transfer_done_fn(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome,
                                    const char *error);

/* Not shared between threads; connections are kept and reused. Closed with `p`. */
esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p);

/* Starts a transfer for outbox row `id`; the message is copied and wiped at its end. mail.c and
 * sms.c. A mail waits for a free connection. `hold` lives until the transfer has ended. */
esign_result_t esign_transport_no_mail(
    esign_transport_t *transport, apr_int64_t id,
    const esign_hold_t *hold); /* takes the place and the time of one */
esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id,
                                    const esign_mail_t *mail, const esign_hold_t *hold);
esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id,
                                   const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                                   const esign_hold_t *hold);

/* Mails that wait for a connection end as ESIGN_TRANSFER_UNTRIED in the next
 * esign_transport_finish. */
void esign_transport_recall_mails(esign_transport_t *transport);

/* Breaks off all mails, which takes them about a second, without waiting. No mail is started
 * afterwards. */
void esign_transport_stop_mails(esign_transport_t *transport);

/* Waits until they are: their ends are told in the next esign_transport_finish. */
void esign_transport_join_mails(esign_transport_t *transport);

/* Tells of all that have ended, without waiting. Returns how many are still under way. */
int esign_transport_finish(esign_transport_t *transport);

/* Lets transfers go on until an SMS or a handful of mails has ended, `wake` (a descriptor of
 * core/wake.h; -1: none) rings, or `wait` is over. */
void esign_transport_wait(esign_transport_t *transport, int wake, apr_interval_time_t wait);

int esign_transport_pending_mail(const esign_transport_t *transport);
int esign_transport_pending_sms(const esign_transport_t *transport);

/* Checks templates and URL at configuration time: http(s), placeholders that exist and have a
 * value, where they can stand. */
esign_result_t esign_transport_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p);
esign_result_t esign_transport_check_smtp(const esign_smtp_t *smtp, apr_pool_t *p);

/* The server's host, with its port where one is written, for logs and figures: nothing else of a
 * URL, which may hold secrets. Of a sendmail command, its path. */
const char *esign_transport_mail_host(const esign_smtp_t *smtp, apr_pool_t *p);
const char *esign_transport_gateway_host(const esign_sms_gateway_t *gateway, apr_pool_t *p);

#endif
