/* SPDX-License-Identifier: Apache-2.0 */
/* mail_job.h: the transfer of one mail, and how any transfer ends. */
#ifndef ESIGN_DELIVER_MAIL_JOB_H
#define ESIGN_DELIVER_MAIL_JOB_H

#include "lease.h"

#include <apr_pools.h>

/* How a transfer ended, of a mail or of an SMS. */
typedef enum {
    /* The server took the message. */
    ESIGN_TRANSFER_SENT,
    /* The server refuses this message now: 4xx of SMTP (RFC 5321 section 4.2.1); 5xx, 429 or 408 of
     * HTTP. */
    ESIGN_TRANSFER_LATER,
    /* The server refuses this message for good: 5xx of SMTP; any other 4xx of HTTP; a 2xx whose
     * text says so. */
    ESIGN_TRANSFER_NEVER,
    /* The server cannot be used for any message: it is down, TLS fails, or a mail server refuses
     * the sign-in. */
    ESIGN_TRANSFER_UNREACHABLE,
    /* No answer came. The server may have the message or not, and the fault may be the server's or
     * this message's. */
    ESIGN_TRANSFER_UNANSWERED,
    /* Nothing was sent, through no fault of message or server: the mail was recalled before it
     * began, or the deadline of its lease passed. */
    ESIGN_TRANSFER_UNTRIED
} esign_transfer_outcome_e;

/* Is called once for each transfer that has ended. `id`: of the row. `error`: why the message was
 * not sent, in the server's or libcurl's words, without recipients and secrets (redact.h); NULL
 * when sent. It lives as long as the call. */
typedef void esign_transfer_done_fn(void *baton, apr_int64_t id, esign_transfer_outcome_e outcome,
                                    const char *error);

/* A mail on its way. The courier's thread makes and destroys it; between esign_mailer_submit and
 * esign_mailer_reap it belongs to one thread of the mailer, which allocates nothing from its pool.
 */
typedef struct esign_mail_job_t {
    struct esign_mail_job_t *next; /* in the mailer's lists */
    apr_pool_t *pool;              /* its own: holds this and the mail, and is wiped at the end */
    apr_int64_t id;                /* of the row */
    const char *to;                /* as it goes over the wire (esign_contact_email_wire) */
    /* The whole mail (esign_compose). NULL: there is no mail, and the job takes as long as the last
     * mail did. */
    const char *bytes;
    apr_size_t length;
    const esign_lease_t *lease; /* the delivery's */
    /* Set by the mailer's thread. */
    esign_transfer_outcome_e outcome;
    char words[512]; /* why it was not sent, in the server's, libcurl's or the command's words; not
                        redacted yet */
} esign_mail_job_t;

/* Makes the job of a row, with a pool of its own and without a mail. */
esign_mail_job_t *esign_mail_job_create(apr_int64_t id, const esign_lease_t *lease,
                                        apr_pool_t *parent);

/* Ends a job that was not begun: ESIGN_TRANSFER_UNTRIED, with `why` as its words. */
void esign_mail_job_return(esign_mail_job_t *job, const char *why);

/* The same for a job whose lease's deadline has passed. */
void esign_mail_job_lost(esign_mail_job_t *job);

#endif
