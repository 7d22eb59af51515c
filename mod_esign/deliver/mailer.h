/* SPDX-License-Identifier: Apache-2.0 */
/* mailer.h: threads that send mails, each over a connection of its own. libcurl waits for the
 * answer to a mail's text, and a sendmail command for its disk: neither must hold up the courier,
 * whose codes are urgent, nor another mail. */
#ifndef ESIGN_DELIVER_MAILER_H
#define ESIGN_DELIVER_MAILER_H

#include "transport.h"

#include <stdatomic.h>

/* A mail on its way. Made and ended by the courier's thread; between esign_mailer_submit and
 * esign_mailer_reap one thread has it, which allocates nothing from its pool. */
typedef struct esign_mail_job_t {
    struct esign_mail_job_t *next;
    apr_pool_t *pool; /* holds this and what it points to, wiped at the end */
    apr_int64_t id;
    const char *to;    /* as it goes over the wire */
    const char *bytes; /* esign_compose's; NULL: there is no mail, and its place is kept for as long
                          as the last mail took */
    apr_size_t length;
    const esign_hold_t *hold; /* ESIGN_TRANSFER_UNTRIED where that was over before the mail could
                                 not be taken back any more */
    esign_transfer_outcome_e outcome;
    char words[512]; /* why it was not sent: the server's, libcurl's or the command's, not yet
                        redacted */
} esign_mail_job_t;

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

/* Ends a mail that has not been sent and is not held any more. */
void esign_mailer_lost(esign_mail_job_t *job);

/* Recalls, and tells the threads to break off what is under way and to end, for which they need
 * about a second. Nothing is submitted afterwards. */
void esign_mailer_stop(esign_mailer_t *mailer);

/* Waits for that; what they had can then be reaped. */
void esign_mailer_join(esign_mailer_t *mailer);

#endif
