/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: drives libcurl's multi handle and hears from the mailer; mail.c and sms.c say what
 * is sent. */
#include "transport_private.h"

#include "core/secret.h"
#include "redact.h"

#include <apr_strings.h>

#include <string.h>

static esign_result_t curl_failure(CURLcode code)
{
    return (esign_result_t){ APR_EGENERAL, "libcurl", curl_easy_strerror(code) };
}

/* A mail is done: whoever waits in esign_transport_wait looks. From any thread. */
static void wake(void *transport)
{
    curl_multi_wakeup(((esign_transport_t *)transport)->multi);
}

static apr_status_t close_all(void *data)
{
    esign_transport_t *transport = data;
    while (transport->transfers)
        esign_transfer_close(transport->transfers);
    curl_multi_cleanup(transport->multi);
    return APR_SUCCESS;
}

esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p)
{
    CURLM *multi = curl_multi_init();
    if (!multi)
        return curl_failure(CURLE_OUT_OF_MEMORY);
    esign_transport_t *made = apr_pcalloc(p, sizeof(*made));
    made->pool = p;
    made->multi = multi;
    made->smtp = smtp;
    made->done = done;
    made->baton = baton;
    /* Before the subpools go: they hold what the handles still point to; and behind the mailer,
     * whose threads wake the handle. */
    apr_pool_pre_cleanup_register(p, made, close_all);
    *transport = made;
    return esign_mailer_create(&made->mailer, smtp, wake, made, p);
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

esign_result_t esign_transfer_open(esign_transfer_t **transfer, esign_transport_t *transport,
                                   apr_int64_t id, const esign_libcurl_limits_t *limits,
                                   int *under_way, esign_transfer_judge_fn *judge)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        return curl_failure(CURLE_OUT_OF_MEMORY);
    apr_pool_t *p;
    apr_pool_create(&p, transport->pool);
    esign_transfer_t *made = esign_secret_alloc(p, sizeof(*made));
    made->transport = transport;
    made->pool = p;
    made->id = id;
    made->under_way = under_way;
    made->judge = judge;
    made->easy = easy;
    made->next = transport->transfers;
    transport->transfers = made;
    (*under_way)++;
    made->setup = esign_libcurl_limit(easy, limits, made->words);
    ESIGN_TRANSFER_SET(made, CURLOPT_PRIVATE, made);
    *transfer = made;
    return ESIGN_OK;
}

void esign_transfer_append(esign_transfer_t *transfer, struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    else if (transfer->setup == CURLE_OK)
        transfer->setup = CURLE_OUT_OF_MEMORY;
}

esign_transfer_text_t *esign_transfer_text(esign_transfer_t *transfer, const char *text)
{
    esign_transfer_text_t *made = apr_pcalloc(transfer->pool, sizeof(*made));
    made->length = strlen(text);
    made->bytes = esign_secret_copy(transfer->pool, text, made->length);
    return made;
}

size_t esign_transfer_read(char *to, size_t size, size_t count, void *text)
{
    esign_transfer_text_t *from = text;
    apr_size_t room = size * count, left = from->length - from->taken,
               taken = left < room ? left : room;
    memcpy(to, from->bytes + from->taken, taken);
    from->taken += taken;
    return taken;
}

int esign_transfer_seek(void *text, curl_off_t offset, int origin)
{
    esign_transfer_text_t *from = text;
    if (origin != SEEK_SET || offset < 0 || (apr_size_t)offset > from->length)
        return CURL_SEEKFUNC_FAIL;
    from->taken = (apr_size_t)offset;
    return CURL_SEEKFUNC_OK;
}

esign_result_t esign_transfer_start(esign_transfer_t *transfer)
{
    esign_transport_t *transport = transfer->transport;
    CURLcode code = transfer->setup;
    if (code == CURLE_OK && curl_multi_add_handle(transport->multi, transfer->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        return ESIGN_OK;
    esign_transfer_close(transfer);
    return curl_failure(code);
}

static void free_list(struct curl_slist *list)
{
    for (struct curl_slist *entry = list; entry != NULL; entry = entry->next)
        esign_secret_wipe(entry->data, strlen(entry->data));
    curl_slist_free_all(list);
}

void esign_transfer_close(esign_transfer_t *transfer)
{
    esign_transfer_t **link = &transfer->transport->transfers;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    (*transfer->under_way)--;
    curl_multi_remove_handle(transfer->transport->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    free_list(transfer->headers);
    apr_pool_destroy(transfer->pool);
}

/* Tells how a transfer ended, once its place is free. */
static void finish(esign_transfer_t *transfer, CURLcode code)
{
    esign_transport_t *transport = transfer->transport;
    const char *words = transfer->words[0] != '\0' ? transfer->words : curl_easy_strerror(code);
    esign_transfer_outcome_e outcome = transfer->judge(transfer, code, &words);
    apr_int64_t id = transfer->id;
    apr_pool_t *p;
    apr_pool_create(&p, transport->pool);
    const char *error =
        outcome == ESIGN_TRANSFER_SENT ? NULL : esign_redact(p, words, transfer->recipient);
    esign_transfer_close(transfer);
    transport->done(transport->baton, id, outcome, error);
    apr_pool_destroy(p);
}

static int finish_mails(esign_transport_t *transport)
{
    int ended = 0;
    for (esign_mail_job_t *job; (job = esign_mailer_reap(transport->mailer)) != NULL; ended++) {
        transport->mails--;
        transport->done(transport->baton, job->id, job->outcome,
                        job->outcome == ESIGN_TRANSFER_SENT
                            ? NULL
                            : esign_redact(job->pool, job->words, job->to));
        apr_pool_destroy(job->pool);
    }
    return ended;
}

static int finish_ended(esign_transport_t *transport)
{
    int ended = 0, left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        finish((esign_transfer_t *)(void *)transfer, message->data.result);
        ended++;
    }
    return ended;
}

int esign_transport_collect(esign_transport_t *transport)
{
    int running;
    while (curl_multi_perform(transport->multi, &running) == CURLM_OK &&
           finish_ended(transport) + finish_mails(transport) > 0)
        ;
    return transport->mails + transport->messages;
}

/* The mailer's wake is heard by the next poll, also when it came before. */
void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait)
{
    apr_time_t until = esign_clock() + wait;
    struct curl_waitfd wakeup_event = { .fd = wakeup, .events = CURL_WAIT_POLLIN };
    for (apr_interval_time_t rest = wait; rest > 0; rest = until - esign_clock()) {
        int running;
        CURLMcode code = curl_multi_perform(transport->multi, &running);
        if (code == CURLM_OK && running < transport->messages)
            return;
        if (code == CURLM_OK)
            code = curl_multi_poll(transport->multi, &wakeup_event, wakeup >= 0,
                                   (int)apr_time_as_msec(rest) + 1, NULL);
        /* Nothing that fails here ends by being asked again at once. */
        if (code != CURLM_OK)
            apr_sleep(rest);
        if (wakeup_event.revents != 0 || esign_mailer_done(transport->mailer) > 0)
            return;
    }
}

int esign_transport_pending_mail(const esign_transport_t *transport)
{
    return transport->mails;
}

int esign_transport_pending_sms(const esign_transport_t *transport)
{
    return transport->messages;
}
