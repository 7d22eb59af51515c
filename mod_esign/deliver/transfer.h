/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.h: HTTP requests to SMS gateways, many at once, by libcurl's multi handle. */
#ifndef ESIGN_DELIVER_TRANSFER_H
#define ESIGN_DELIVER_TRANSFER_H

#include "libcurl.h"
#include "mail_job.h"

typedef struct esign_transfer_t esign_transfer_t;

/* The transfers of one thread. */
typedef struct {
    apr_pool_t *pool;
    CURLM *multi;
    esign_transfer_t *first; /* all that are under way */
    int count;               /* how many these are */
} esign_transfers_t;

/* Says how a transfer ended; `code` is libcurl's. `*words` is libcurl's text, and may be replaced:
 * why the message was not sent, not redacted yet. */
typedef esign_transfer_outcome_e esign_transfer_judge_fn(esign_transfer_t *transfer, CURLcode code,
                                                         const char **words);

struct esign_transfer_t {
    esign_transfer_t *next;
    esign_transfers_t *transfers;
    apr_pool_t *pool; /* its own: holds this and the message, and is wiped at the end */
    apr_int64_t id;   /* of the row */
    CURL *easy;
    CURLcode setup; /* the first option that libcurl refused */
    struct curl_slist *headers;
    char words[CURL_ERROR_SIZE]; /* libcurl's */
    /* Set by the caller after esign_transfer_open. */
    const char *recipient; /* is redacted from error texts */
    esign_transfer_judge_fn *judge;
    void *baton; /* the judge's */
};

/* Prepares an empty set. Transfers that are under way when `p` is destroyed are closed. */
esign_result_t esign_transfers_init(esign_transfers_t *transfers, apr_pool_t *p);

/* Lets transfers go on without waiting, and calls `done` for each ended transfer. Returns how
 * many these were. */
int esign_transfers_collect(esign_transfers_t *transfers, esign_transfer_done_fn *done,
                            void *baton);

/* Opens a transfer with these limits; it counts until it is closed. */
esign_result_t esign_transfer_open(esign_transfer_t **transfer, esign_transfers_t *transfers,
                                   apr_int64_t id, const esign_libcurl_limits_t *limits);

/* ESIGN_LIBCURL_SET for a transfer; esign_transfer_start fails with the first refusal. */
#define ESIGN_TRANSFER_SET(transfer, option, value) \
    ESIGN_LIBCURL_SET((transfer)->setup, (transfer)->easy, option, value)

/* Adds a request header, "Name: value". The copy that libcurl makes is wiped at the end. */
void esign_transfer_add_header(esign_transfer_t *transfer, const char *header);

/* Sets the request body, in `transfer->pool`. libcurl reads it where it is: a copy of libcurl's
 * would not be wiped. */
void esign_transfer_set_body(esign_transfer_t *transfer, const char *body);

/* Begins the transfer, or closes it and fails. */
esign_result_t esign_transfer_start(esign_transfer_t *transfer);

#endif
