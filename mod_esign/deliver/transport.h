/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: transfers of mails and SMS. The threads of mailer.h send mails; transfer.h sends SMS
 * from the thread that calls these functions. */
#ifndef ESIGN_DELIVER_TRANSPORT_H
#define ESIGN_DELIVER_TRANSPORT_H

#include "gateway.h"
#include "mail_job.h"
#include "message.h"
#include "smtp.h"

/* One thread uses it. Connections are kept for the next transfer. */
typedef struct esign_transport_t esign_transport_t;

/* `smtp` outlives the transport. Destroyed with `p`, transfers under way with it: `done` is not
 * called for these. */
esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p);

/* Start the transfer of a row; the message is copied, and the copy is wiped at the end. `lease`
 * lives until the transfer has ended. A mail waits for a free connection. APR_EINVAL: this message
 * can never be sent. */
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

/* Calls `done` for each transfer that has ended, without waiting. Returns how many are still under
 * way. */
int esign_transport_collect(esign_transport_t *transport);

/* Lets transfers go on until an SMS or several mails have ended, the descriptor `wakeup`
 * (ipc/wakeup.h; -1: none) is readable, or `wait` is over. */
void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait);

/* How many transfers are under way. */
int esign_transport_pending_mail(const esign_transport_t *transport);
int esign_transport_pending_sms(const esign_transport_t *transport);

#endif
