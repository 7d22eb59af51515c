/* SPDX-License-Identifier: Apache-2.0 */
/* smtp.h: the mail server, and one mail over SMTP by libcurl. */
#ifndef ESIGN_DELIVER_SMTP_H
#define ESIGN_DELIVER_SMTP_H

#include "mail_job.h"

/* The mail server, as the directives describe it. Strings live as long as the configuration. */
typedef struct {
    /* smtp://host[:port], smtps://host[:port], or sendmail:[/path] for a local command */
    const char *url;
    const char *user;            /* NULL: no AUTH */
    const char *password;        /* secret memory; read from its file at start */
    int tls_required;            /* 1: no mail without STARTTLS */
    const char *ca_file;         /* CA certificates in PEM; NULL: the system's */
    const char *from;            /* sender address, of the envelope and of the header */
    const char *from_name;       /* the organization, UTF-8 */
    const char *reply_to;        /* NULL: none */
    int connections;             /* at most so many at once */
    apr_interval_time_t timeout; /* of one mail */
    /* How many microseconds the last mail took, in memory that all couriers of the node share over
     * reloads. NULL: known to one mailer alone. */
    atomic_llong *lasted;
} esign_smtp_t;

/* A connection to the mail server; one thread uses it. */
typedef struct esign_smtp_session_t esign_smtp_session_t;

/* Sends a mail, waits for the answer, and sets the job's outcome and words. `*session` is NULL at
 * first; the open connection stays there for the next mail. While `*stop` is not 0 a transfer is
 * given up within about a second. */
void esign_smtp_send(esign_smtp_session_t **session, const esign_smtp_t *smtp,
                     esign_mail_job_t *job, const atomic_int *stop);

/* Closes the connection without waiting for the server; NULL: does nothing. */
void esign_smtp_close(esign_smtp_session_t *session);

#endif
