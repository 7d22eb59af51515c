/* SPDX-License-Identifier: Apache-2.0 */
/* smtp.h: one mail over SMTP, by libcurl, over a connection that is kept. */
#ifndef ESIGN_DELIVER_SMTP_H
#define ESIGN_DELIVER_SMTP_H

#include "mailer.h"

/* One thread's connection. */
typedef struct esign_smtp_session_t esign_smtp_session_t;

/* Sends it and waits; sets the job's outcome and words. `*session`: NULL at first, then kept for
 * the next one. `stop`: it is given up within about a second. */
void esign_smtp_send(esign_smtp_session_t **session, const esign_smtp_t *smtp,
                     esign_mail_job_t *job, const atomic_int *stop);

void esign_smtp_close(esign_smtp_session_t *session);

#endif
