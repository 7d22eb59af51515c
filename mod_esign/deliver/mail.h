/* SPDX-License-Identifier: Apache-2.0 */
/* mail.h: makes jobs of mails, and checks what the configuration says of the mail server. */
#ifndef ESIGN_DELIVER_MAIL_H
#define ESIGN_DELIVER_MAIL_H

#include "message.h"
#include "smtp.h"

#include "core/result.h"

/* Makes the job of a mail for a row. The mail is copied. APR_EINVAL: it can never be sent. */
esign_result_t esign_mail_make_job(esign_mail_job_t **job, apr_int64_t id, const esign_mail_t *mail,
                                   const esign_smtp_t *smtp, const esign_lease_t *lease,
                                   apr_pool_t *parent);

/* Checks a mail server's URL or command. APR_EINVAL: the detail says what to write. */
esign_result_t esign_mail_check_server(const esign_smtp_t *smtp, apr_pool_t *p);

/* The mail server's host, with its port where the URL has one, for logs and metrics; of a sendmail
 * command, its path. */
const char *esign_mail_server_host(const esign_smtp_t *smtp, apr_pool_t *p);

#endif
