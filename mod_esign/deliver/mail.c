/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c: makes jobs of mails, and checks what the configuration says of the mail server. */
#include "mail.h"

#include "compose.h"
#include "sendmail.h"

#include "core/contact.h"
#include "core/url.h"

#include <apr_strings.h>

#include <sys/stat.h>
#include <unistd.h>

esign_result_t esign_mail_make_job(esign_mail_job_t **job, apr_int64_t id, const esign_mail_t *mail,
                                   const esign_smtp_t *smtp, const esign_lease_t *lease,
                                   apr_pool_t *parent)
{
    char *bytes;
    if (!esign_contact_email_valid(mail->to))
        return (esign_result_t){ APR_EINVAL, "mail", "the address cannot stand in a header" };
    esign_mail_job_t *made = esign_mail_job_create(id, lease, parent);
    made->to = esign_contact_email_wire(made->pool, mail->to);
    esign_result_t result =
        esign_compose(mail, made->to, smtp, apr_time_now(), &bytes, &made->length, made->pool);
    if (esign_failed(result)) {
        apr_pool_destroy(made->pool);
        return result;
    }
    made->bytes = bytes;
    *job = made;
    return ESIGN_OK;
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

esign_result_t esign_mail_check_server(const esign_smtp_t *smtp, apr_pool_t *p)
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

const char *esign_mail_server_host(const esign_smtp_t *smtp, apr_pool_t *p)
{
    const char *path = esign_sendmail_command(smtp->url);
    return path ? path : esign_url_host(smtp->url, p);
}
