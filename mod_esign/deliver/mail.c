/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c: hands mails to the mailer, and checks what the configuration says of the mail server. */
#include "transport_private.h"

#include "compose.h"
#include "sendmail.h"

#include "core/contact.h"
#include "core/secret.h"
#include "core/url.h"

#include <apr_strings.h>

#include <sys/stat.h>
#include <unistd.h>

/* A job with a pool of its own; `bytes` are not set. */
static esign_mail_job_t *make_job(const esign_transport_t *transport, apr_int64_t id,
                                  const esign_lease_t *lease)
{
    apr_pool_t *p;
    apr_pool_create(&p, transport->pool);
    esign_mail_job_t *job = esign_secret_alloc(p, sizeof(*job));
    job->pool = p;
    job->id = id;
    job->to = "";
    job->lease = lease;
    return job;
}

static esign_result_t submit_job(esign_transport_t *transport, esign_mail_job_t *job)
{
    transport->mails++;
    esign_mailer_submit(transport->mailer, job);
    return ESIGN_OK;
}

esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id,
                                    const esign_mail_t *mail, const esign_lease_t *lease)
{
    char *bytes;
    if (!esign_contact_email_valid(mail->to))
        return (esign_result_t){ APR_EINVAL, "mail", "the address cannot stand in a header" };
    esign_mail_job_t *job = make_job(transport, id, lease);
    job->to = esign_contact_email_wire(job->pool, mail->to);
    esign_result_t result = esign_compose(mail, job->to, transport->smtp, apr_time_now(), &bytes,
                                          &job->length, job->pool);
    if (esign_failed(result)) {
        apr_pool_destroy(job->pool);
        return result;
    }
    job->bytes = bytes;
    return submit_job(transport, job);
}

esign_result_t esign_transport_no_mail(esign_transport_t *transport, apr_int64_t id,
                                       const esign_lease_t *lease)
{
    return submit_job(transport, make_job(transport, id, lease));
}

static esign_result_t check_sendmail(const esign_smtp_t *smtp, const char *path, apr_pool_t *p)
{
    struct stat file;
    if (path[0] != '/')
        return esign_result_make(
            p, APR_EINVAL, "mail",
            "'%s' is not a sendmail command: write sendmail: or sendmail:/path", smtp->url);
    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode) || access(path, X_OK) != 0)
        return esign_result_make(p, APR_EINVAL, "mail",
                                 "%s is no program that can be run: write the path of the mail "
                                 "server's sendmail command",
                                 path);
    if (smtp->user || smtp->ca_file)
        return esign_result_make(p, APR_EINVAL, "mail",
                                 "%s needs no EsignMail%s: leave it out, or write smtp://host:port",
                                 path, smtp->user ? "User" : "CAFile");
    return ESIGN_OK;
}

esign_result_t esign_transport_check_smtp(const esign_smtp_t *smtp, apr_pool_t *p)
{
    const char *path = esign_sendmail_command(smtp->url);
    if (path)
        return check_sendmail(smtp, path, p);
    if (!esign_url_valid(smtp->url, ESIGN_URL_SMTP | ESIGN_URL_SMTPS, p))
        return esign_result_make(
            p, APR_EINVAL, "mail",
            "'%s' is no mail server: write smtp://host:port, smtps://host:port or sendmail:/path",
            smtp->url);
    return ESIGN_OK;
}

const char *esign_transport_mail_host(const esign_smtp_t *smtp, apr_pool_t *p)
{
    const char *path = esign_sendmail_command(smtp->url);
    return path ? path : esign_url_host(smtp->url, p);
}
