/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: drives libcurl's multi handle, and collects ended transfers from it and from the
 * mailer. */
#include "transport_private.h"

#include "redact.h"

#include "core/secret.h"

#include <apr_strings.h>

#include <string.h>

static esign_result_t curl_failure(CURLcode code)
{
    return (esign_result_t){ APR_EGENERAL, "libcurl", curl_easy_strerror(code) };
}

/* A mail is done: ends esign_transport_wait. From any thread. */
static void wake_up(void *transport)
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
    *made = (esign_transport_t){
        .pool = p, .multi = multi, .smtp = smtp, .done = done, .baton = baton
    };
    /* Cleanups run in reverse: the mailer's first, whose threads use the multi handle, then this
     * one, before the pools of the transfers, which their handles point into. */
    apr_pool_pre_cleanup_register(p, made, close_all);
    *transport = made;
    return esign_mailer_create(&made->mailer, smtp, wake_up, made, p);
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
                                   esign_transfer_judge_fn *judge)
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
    made->easy = easy;
    made->judge = judge;
    made->next = transport->transfers;
    transport->transfers = made;
    transport->messages++;
    made->setup = esign_libcurl_limit(easy, limits, made->words);
    ESIGN_TRANSFER_SET(made, CURLOPT_PRIVATE, made);
    *transfer = made;
    return ESIGN_OK;
}

void esign_transfer_add_header(esign_transfer_t *transfer, const char *header)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, header);
    if (longer)
        transfer->headers = longer;
    else if (transfer->setup == CURLE_OK)
        transfer->setup = CURLE_OUT_OF_MEMORY;
}

/* A request body, and how much of it libcurl has read. */
typedef struct {
    const char *bytes;
    apr_size_t length, taken;
} body_t;

static size_t read_body(char *to, size_t size, size_t count, void *baton)
{
    body_t *body = baton;
    apr_size_t room = size * count, left = body->length - body->taken,
               taken = left < room ? left : room;
    memcpy(to, body->bytes + body->taken, taken);
    body->taken += taken;
    return taken;
}

/* libcurl reads a body again on a new connection. */
static int seek_body(void *baton, curl_off_t offset, int origin)
{
    body_t *body = baton;
    if (origin != SEEK_SET || offset < 0 || (apr_size_t)offset > body->length)
        return CURL_SEEKFUNC_FAIL;
    body->taken = (apr_size_t)offset;
    return CURL_SEEKFUNC_OK;
}

void esign_transfer_set_body(esign_transfer_t *transfer, const char *text)
{
    body_t *body = apr_pcalloc(transfer->pool, sizeof(*body));
    body->bytes = text;
    body->length = strlen(text);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_POST, 1L);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_READFUNCTION, read_body);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_READDATA, body);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_SEEKFUNCTION, seek_body);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_SEEKDATA, body);
}

esign_result_t esign_transfer_start(esign_transfer_t *transfer)
{
    ESIGN_TRANSFER_SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
    CURLcode code = transfer->setup;
    if (code == CURLE_OK &&
        curl_multi_add_handle(transfer->transport->multi, transfer->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        return ESIGN_OK;
    esign_transfer_close(transfer);
    return curl_failure(code);
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header != NULL; header = header->next)
        esign_secret_wipe(header->data, strlen(header->data));
    curl_slist_free_all(headers);
}

void esign_transfer_close(esign_transfer_t *transfer)
{
    esign_transfer_t **link = &transfer->transport->transfers;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    transfer->transport->messages--;
    curl_multi_remove_handle(transfer->transport->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    free_headers(transfer->headers);
    apr_pool_destroy(transfer->pool);
}

/* Ends a transfer, then calls `done`, which may start another in its place. */
static void end_transfer(esign_transfer_t *transfer, CURLcode code)
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

/* How many SMS have ended. */
static int collect_messages(esign_transport_t *transport)
{
    int ended = 0, left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        end_transfer((esign_transfer_t *)(void *)transfer, message->data.result);
        ended++;
    }
    return ended;
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
    int running;
    while (curl_multi_perform(transport->multi, &running) == CURLM_OK &&
           collect_messages(transport) + collect_mails(transport) > 0)
        ;
    return transport->mails + transport->messages;
}

/* A wakeup by the mailer before curl_multi_poll ends that poll too. */
void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait)
{
    apr_time_t until = esign_clock() + wait;
    struct curl_waitfd event = { .fd = wakeup, .events = CURL_WAIT_POLLIN };
    for (apr_interval_time_t rest = wait; rest > 0; rest = until - esign_clock()) {
        int running;
        CURLMcode code = curl_multi_perform(transport->multi, &running);
        if (code == CURLM_OK && running < transport->messages)
            return;
        if (code == CURLM_OK)
            code = curl_multi_poll(transport->multi, &event, wakeup >= 0,
                                   (int)apr_time_as_msec(rest) + 1, NULL);
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
    return transport->messages;
}
