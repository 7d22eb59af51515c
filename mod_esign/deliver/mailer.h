/* SPDX-License-Identifier: Apache-2.0 */
/* mailer.h: threads that send mails, each over a connection of its own. libcurl waits for the
 * answer to a mail's text, and a sendmail command for its disk: neither must hold up the courier,
 * whose codes are urgent, nor another mail. */
#ifndef ESIGN_DELIVER_MAILER_H
#define ESIGN_DELIVER_MAILER_H

#include "smtp.h"

#include "core/result.h"

typedef struct esign_mailer_t esign_mailer_t;

/* `wake` is called from a mailer's thread when mails are done and none waits, or several are done.
 * Threads are started when there is work for them, smtp->connections at most. */
esign_result_t esign_mailer_create(esign_mailer_t **mailer, const esign_smtp_t *smtp,
                                   void (*wake)(void *baton), void *baton, apr_pool_t *p);

void esign_mailer_submit(esign_mailer_t *mailer, esign_mail_job_t *job);

/* How many mails are done and not reaped. */
int esign_mailer_done(esign_mailer_t *mailer);

/* A mail that is done; NULL: none. */
esign_mail_job_t *esign_mailer_reap(esign_mailer_t *mailer);

/* Mails that no thread has begun are done at once, ESIGN_TRANSFER_UNTRIED. */
void esign_mailer_recall(esign_mailer_t *mailer);

/* Recalls, and tells the threads to break off what is under way and to end, for which they need
 * about a second. Nothing is submitted afterwards. */
void esign_mailer_stop(esign_mailer_t *mailer);

/* Waits for that; what they had can then be reaped. */
void esign_mailer_join(esign_mailer_t *mailer);

#endif
