/* SPDX-License-Identifier: Apache-2.0 */
/* sendmail.h: one mail by the local mail server's sendmail command. */
#ifndef ESIGN_DELIVER_SENDMAIL_H
#define ESIGN_DELIVER_SENDMAIL_H

#include "smtp.h"

/* The program of a URL "sendmail:PATH" ("sendmail:": /usr/sbin/sendmail); NULL: another URL. */
const char *esign_sendmail_command(const char *url);

/* Runs the command of smtp->url, and sets the job's outcome and words. From any thread.
 *
 * Its arguments are -t -i -f FROM: it reads the recipient from the mail, so that no list of
 * processes shows it. It gets no shell, no open file and no environment variable of this process,
 * and the mail with bare line feeds. After smtp->timeout, or while `*stop` is not 0, it is killed
 * with all that it started. Its exit status is read by <sysexits.h>; the words are the first line
 * that it wrote. */
void esign_sendmail_run(const esign_smtp_t *smtp, esign_mail_job_t *job, const atomic_int *stop);

#endif
