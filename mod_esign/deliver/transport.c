/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: starts transfers of mails and SMS, collects ended ones, and waits. */
#include "transport.h"

#include "mail.h"
#include "mailer.h"
#include "redact.h"
#include "sms.h"

#include <apr_time.h>

struct esign_transport_t {
    apr_pool_t *pool;
    esign_transfers_t messages; /* SMS under way */
    esign_mailer_t *mailer;
    int mails; /* mails under way */
    const esign_smtp_t *smtp;
    esign_transfer_done_fn *done;
    void *baton;
};

/* A mail is done: ends esign_transport_wait. From any thread. */
static void wake_up(void *transport)
{
    curl_multi_wakeup(((esign_transport_t *)transport)->messages.multi);
}

esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p)
{
    esign_transport_t *made = apr_pcalloc(p, sizeof(*made));
    *made = (esign_transport_t){ .pool = p, .smtp = smtp, .done = done, .baton = baton };
    *transport = made;
    /* In this order: cleanups run in reverse, and the mailer's threads use the multi handle. */
    esign_result_t result = esign_transfers_init(&made->messages, p);
    return esign_failed(result) ? result
                                : esign_mailer_create(&made->mailer, smtp, wake_up, made, p);
}

esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id,
                                    const esign_mail_t *mail, const esign_lease_t *lease)
{
    esign_mail_job_t *job;
    esign_result_t result =
        esign_mail_make_job(&job, id, mail, transport->smtp, lease, transport->pool);
    if (esign_failed(result))
        return result;
    transport->mails++;
    esign_mailer_submit(transport->mailer, job);
    return ESIGN_OK;
}

esign_result_t esign_transport_no_mail(esign_transport_t *transport, apr_int64_t id,
                                       const esign_lease_t *lease)
{
    transport->mails++;
    esign_mailer_submit(transport->mailer, esign_mail_job_create(id, lease, transport->pool));
    return ESIGN_OK;
}

esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id,
                                   const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                                   const esign_lease_t *lease)
{
    return esign_sms_start(&transport->messages, id, gateway, sms, lease);
}

void esign_transport_recall_mails(esign_transport_t *transport)
{
    esign_mailer_recall(transport->mailer);
}

void esign_transport_stop_mails(esign_transport_t *transport)
{
    esign_mailer_stop(transport->mailer);
}

void esign_transport_join_mails(esign_transport_t *transport)
{
    esign_mailer_join(transport->mailer);
}

/* How many mails have ended. */
static int collect_mails(esign_transport_t *transport)
{
    int ended = 0;
    for (esign_mail_job_t *job; (job = esign_mailer_reap(transport->mailer)) != NULL; ended++) {
        const char *error = job->outcome == ESIGN_TRANSFER_SENT
                                ? NULL
                                : esign_redact(job->pool, job->words, job->to);
        transport->mails--;
        transport->done(transport->baton, job->id, job->outcome, error);
        apr_pool_destroy(job->pool);
    }
    return ended;
}

int esign_transport_collect(esign_transport_t *transport)
{
    while (esign_transfers_collect(&transport->messages, transport->done, transport->baton) +
               collect_mails(transport) >
           0)
        ;
    return transport->mails + transport->messages.count;
}

/* A wakeup by the mailer before curl_multi_poll ends that poll too. */
void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait)
{
    apr_time_t until = esign_clock() + wait;
    CURLM *multi = transport->messages.multi;
    struct curl_waitfd event = { .fd = wakeup, .events = CURL_WAIT_POLLIN };
    for (apr_interval_time_t rest = wait; rest > 0; rest = until - esign_clock()) {
        int running;
        CURLMcode code = curl_multi_perform(multi, &running);
        if (code == CURLM_OK && running < transport->messages.count)
            return;
        if (code == CURLM_OK)
            code =
                curl_multi_poll(multi, &event, wakeup >= 0, (int)apr_time_as_msec(rest) + 1, NULL);
        /* A failing libcurl must not make this a busy loop. */
        if (code != CURLM_OK)
            apr_sleep(rest);
        if (event.revents != 0 || esign_mailer_done(transport->mailer) > 0)
            return;
    }
}

int esign_transport_pending_mail(const esign_transport_t *transport)
{
    return transport->mails;
}

int esign_transport_pending_sms(const esign_transport_t *transport)
{
    return transport->messages.count;
}
