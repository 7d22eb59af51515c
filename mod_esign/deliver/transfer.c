/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c: opens, starts, collects and wipes HTTP requests to SMS gateways. */
#include "transfer.h"

#include "redact.h"

#include "core/secret.h"

#include <string.h>

static esign_result_t curl_failure(CURLcode code)
{
    return (esign_result_t){ APR_EGENERAL, "libcurl", curl_easy_strerror(code) };
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header != NULL; header = header->next)
        esign_secret_wipe(header->data, strlen(header->data));
    curl_slist_free_all(headers);
}

/* Ends a transfer, even while it is under way, and wipes it. */
static void close_transfer(esign_transfer_t *transfer)
{
    esign_transfers_t *transfers = transfer->transfers;
    esign_transfer_t **link = &transfers->first;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    transfers->count--;
    curl_multi_remove_handle(transfers->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    free_headers(transfer->headers);
    apr_pool_destroy(transfer->pool);
}

static apr_status_t close_all(void *data)
{
    esign_transfers_t *transfers = data;
    while (transfers->first)
        close_transfer(transfers->first);
    curl_multi_cleanup(transfers->multi);
    return APR_SUCCESS;
}

esign_result_t esign_transfers_init(esign_transfers_t *transfers, apr_pool_t *p)
{
    CURLM *multi = curl_multi_init();
    if (!multi)
        return curl_failure(CURLE_OUT_OF_MEMORY);
    *transfers = (esign_transfers_t){ .pool = p, .multi = multi };
    /* Before the pools of the transfers, which their handles point into, are destroyed. */
    apr_pool_pre_cleanup_register(p, transfers, close_all);
    return ESIGN_OK;
}

esign_result_t esign_transfer_open(esign_transfer_t **transfer, esign_transfers_t *transfers,
                                   apr_int64_t id, const esign_libcurl_limits_t *limits)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        return curl_failure(CURLE_OUT_OF_MEMORY);
    apr_pool_t *p;
    apr_pool_create(&p, transfers->pool);
    esign_transfer_t *made = esign_secret_alloc(p, sizeof(*made));
    made->transfers = transfers;
    made->pool = p;
    made->id = id;
    made->easy = easy;
    made->next = transfers->first;
    transfers->first = made;
    transfers->count++;
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

/* libcurl reads a body again where a kept connection turns out to be closed. */
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
        curl_multi_add_handle(transfer->transfers->multi, transfer->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        return ESIGN_OK;
    close_transfer(transfer);
    return curl_failure(code);
}

/* Closes a transfer, then calls `done`, which may start another in its place. */
static void end_transfer(esign_transfer_t *transfer, CURLcode code, esign_transfer_done_fn *done,
                         void *baton)
{
    const char *words = transfer->words[0] != '\0' ? transfer->words : curl_easy_strerror(code);
    esign_transfer_outcome_e outcome = transfer->judge(transfer, code, &words);
    apr_int64_t id = transfer->id;
    apr_pool_t *p;
    apr_pool_create(&p, transfer->transfers->pool);
    const char *error =
        outcome == ESIGN_TRANSFER_SENT ? NULL : esign_redact(p, words, transfer->recipient);
    close_transfer(transfer);
    done(baton, id, outcome, error);
    apr_pool_destroy(p);
}

int esign_transfers_collect(esign_transfers_t *transfers, esign_transfer_done_fn *done, void *baton)
{
    int ended = 0, left;
    CURLMsg *message;
    if (curl_multi_perform(transfers->multi, &left) != CURLM_OK)
        return 0;
    while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL) {
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        end_transfer((esign_transfer_t *)(void *)transfer, message->data.result, done, baton);
        ended++;
    }
    return ended;
}
