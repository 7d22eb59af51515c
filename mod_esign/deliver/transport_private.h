/* SPDX-License-Identifier: Apache-2.0 */
/* transport_private.h: what transport.c, mail.c and sms.c share: the transport, and the transfer of
 * an SMS. */
#ifndef ESIGN_DELIVER_TRANSPORT_PRIVATE_H
#define ESIGN_DELIVER_TRANSPORT_PRIVATE_H

#include "libcurl.h"
#include "mailer.h"
#include "transport.h"

typedef struct esign_transfer_t esign_transfer_t;

/* Says how a transfer ended; `code` is libcurl's. `*words` is libcurl's text, and may be replaced:
 * why the message was not sent, not redacted yet. */
typedef esign_transfer_outcome_e esign_transfer_judge_fn(esign_transfer_t *transfer, CURLcode code,
                                                         const char **words);

/* The transfer of an SMS, by a libcurl handle of its own. */
struct esign_transfer_t {
    esign_transfer_t *next; /* in the transport's list */
    esign_transport_t *transport;
    apr_pool_t *pool; /* its own: holds this and the message, and is wiped at the end */
    apr_int64_t id;   /* of the row */
    CURL *easy;
    CURLcode setup; /* the first option that libcurl refused */
    struct curl_slist *headers;
    char words[CURL_ERROR_SIZE]; /* libcurl's */
    esign_transfer_judge_fn *judge;
    const char *recipient; /* is redacted from error texts */
    const esign_sms_gateway_t *gateway;
    const esign_lease_t *lease; /* the delivery's */
    int lost;                   /* the lease's deadline passed before the request was sent */
    apr_size_t received;        /* bytes of the gateway's answer */
    char *answer;               /* the first of them, NUL-terminated; secret memory */
};

struct esign_transport_t {
    apr_pool_t *pool;
    CURLM *multi; /* of all SMS */
    esign_mailer_t *mailer;
    const esign_smtp_t *smtp;
    esign_transfer_done_fn *done;
    void *baton;
    esign_transfer_t *transfers; /* SMS under way */
    int mails, messages;         /* mails and SMS under way */
};

/* Opens a transfer with these limits, whose outcome `judge` finds. It is under way until
 * esign_transfer_close. */
esign_result_t esign_transfer_open(esign_transfer_t **transfer, esign_transport_t *transport,
                                   apr_int64_t id, const esign_libcurl_limits_t *limits,
                                   esign_transfer_judge_fn *judge);

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

/* Ends a transfer, even while it is under way, and wipes it. */
void esign_transfer_close(esign_transfer_t *transfer);

#endif
