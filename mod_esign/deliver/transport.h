/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: transfers of mails and SMS. The threads of mailer.h send mails; libcurl's multi
 * handle sends many SMS at once. One thread starts all transfers and learns how they ended. */
#ifndef ESIGN_DELIVER_TRANSPORT_H
#define ESIGN_DELIVER_TRANSPORT_H

#include "gateway.h"
#include "mail_job.h"
#include "message.h"
#include "smtp.h"

/* One thread uses it. Connections are kept for the next transfer. */
typedef struct esign_transport_t esign_transport_t;

/* Called by esign_transport_collect, once for each transfer that has ended. `id`: of the row.
 * `error`: why the message was not sent, in the server's or libcurl's words, without recipients and
 * secrets (redact.h); NULL when sent. It lives as long as the call. */
typedef void esign_transfer_done_fn(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome,
                                    const char *error);

/* `smtp` outlives the transport. Destroyed with `p`, transfers under way with it: `done` is not
 * called for these. */
esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p);

/* Start the transfer of a row; the message is copied, and the copy is wiped at the end. `lease`
 * lives until the transfer has ended. A mail waits for a free connection. APR_EINVAL: this message
 * can never be sent. In mail.c and sms.c. */
esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id,
                                    const esign_mail_t *mail, const esign_lease_t *lease);
esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id,
                                   const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                                   const esign_lease_t *lease);

/* Sends nothing, and takes a mail's place for as long as the last mail took. */
esign_result_t esign_transport_no_mail(esign_transport_t *transport, apr_int64_t id,
                                       const esign_lease_t *lease);

/* Mails that wait for a connection end as ESIGN_TRANSFER_UNTRIED, collected next. */
void esign_transport_recall_mails(esign_transport_t *transport);

/* Has all mails broken off, which takes about a second, and does not wait for it. No mail is
 * started afterwards. */
void esign_transport_stop_mails(esign_transport_t *transport);

/* Waits until they are broken off; they are collected next. */
void esign_transport_join_mails(esign_transport_t *transport);

/* Calls `done` for all transfers that have ended, without waiting. Returns how many are still under
 * way. */
int esign_transport_collect(esign_transport_t *transport);

/* Lets transfers go on until an SMS or several mails have ended, the descriptor `wakeup`
 * (ipc/wakeup.h; -1: none) is readable, or `wait` is over. */
void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait);

/* How many transfers are under way. */
int esign_transport_pending_mail(const esign_transport_t *transport);
int esign_transport_pending_sms(const esign_transport_t *transport);

/* Check a configuration: the mail server's URL or command; a gateway's URL, and that its
 * placeholders exist, have a value and stand where they can. The failure's detail says what to
 * write. */
esign_result_t esign_transport_check_smtp(const esign_smtp_t *smtp, apr_pool_t *p);
esign_result_t esign_transport_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p);

/* A server's host, with its port where the URL has one, for logs and metrics; of a sendmail
 * command, its path. Other parts of a URL may hold secrets, so they are left out. */
const char *esign_transport_mail_host(const esign_smtp_t *smtp, apr_pool_t *p);
const char *esign_transport_gateway_host(const esign_sms_gateway_t *gateway, apr_pool_t *p);

#endif
