/* SPDX-License-Identifier: Apache-2.0 */
/* sendmail.h: one mail through the local mail server's sendmail command. */
#ifndef ESIGN_DELIVER_SENDMAIL_H
#define ESIGN_DELIVER_SENDMAIL_H

#include "smtp.h"

/* The program of "sendmail:PATH" ("sendmail:": /usr/sbin/sendmail); NULL for any other URL. */
const char *esign_sendmail_command(const char *url);

/* Runs the command (-t -i -f FROM: the recipient is read from the mail, so that no list of
 * processes shows it) without a shell, with nothing of this process's files and environment, feeds
 * it the mail with bare line feeds, and waits at most smtp->timeout; what does not end by then, or
 * when `stop` is set, is killed with all that it started. Its exit status is judged by
 * <sysexits.h>. Sets the job's outcome, and words from the first line that it wrote. From any
 * thread. */
void esign_sendmail_run(const esign_smtp_t *smtp, esign_mail_job_t *job, const atomic_int *stop);

#endif
