/* SPDX-License-Identifier: Apache-2.0 */
/* mailer.h: threads that send mails, each over a connection of its own. libcurl blocks until the
 * server has answered to a mail's text, and a sendmail command until its disk has written: that
 * must hold up neither the courier nor another mail. */
#ifndef ESIGN_DELIVER_MAILER_H
#define ESIGN_DELIVER_MAILER_H

#include "smtp.h"

#include "core/result.h"

/* One thread, the courier's, calls all functions. */
typedef struct esign_mailer_t esign_mailer_t;

/* Starts no thread yet: threads start when there is work for them, smtp->connections at most.
 * `wake_up` is called from a mailer's thread when 16 mails are done, or one is and none waits.
 * `smtp` and `baton` outlive the mailer. Destroyed with `p`, after it has waited for its threads.
 */
esign_result_t esign_mailer_create(esign_mailer_t **mailer, const esign_smtp_t *smtp,
                                   void (*wake_up)(void *baton), void *baton, apr_pool_t *p);

/* Queues a mail. The job is the mailer's until it is reaped. */
void esign_mailer_submit(esign_mailer_t *mailer, esign_mail_job_t *job);

/* How many mails are done and not reaped. */
int esign_mailer_done(esign_mailer_t *mailer);

/* Takes a mail that is done, whose `outcome` and `words` are set; NULL: there is none. */
esign_mail_job_t *esign_mailer_reap(esign_mailer_t *mailer);

/* Ends all mails that no thread has begun: ESIGN_TRANSFER_UNTRIED. */
void esign_mailer_recall(esign_mailer_t *mailer);

/* Recalls, and has the threads break off what they are sending, which takes them about a second.
 * Nothing may be submitted afterwards. */
void esign_mailer_stop(esign_mailer_t *mailer);

/* Waits until the threads have ended; their mails can be reaped then. */
void esign_mailer_join(esign_mailer_t *mailer);

#endif
