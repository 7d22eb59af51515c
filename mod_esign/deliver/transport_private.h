/* SPDX-License-Identifier: Apache-2.0 */
/* transport_private.h: what transport.c, mail.c and sms.c share: the mailer, and one libcurl easy
 * handle for each SMS under way. */
#ifndef ESIGN_DELIVER_TRANSPORT_PRIVATE_H
#define ESIGN_DELIVER_TRANSPORT_PRIVATE_H

#include "libcurl.h"
#include "mailer.h"
#include "transport.h"

typedef struct esign_transfer_t esign_transfer_t;

/* Says how a transfer ended. `*words`: why it was not sent, to be redacted; may be left alone,
 * which stands for libcurl's own words. */
typedef esign_transfer_outcome_e esign_transfer_judge_fn(esign_transfer_t *transfer, CURLcode code,
                                                         const char **words);

struct esign_transfer_t {
    esign_transfer_t *next;
    esign_transport_t *transport;
    apr_pool_t *pool; /* holds this and the message, wiped at the end */
    apr_int64_t id;
    int *under_way; /* the counter of its kind */
    esign_transfer_judge_fn *judge;
    const char *recipient; /* what must not stand in an error text */
    CURL *easy;
    CURLcode setup; /* the first option that libcurl refused */
    struct curl_slist *headers;
    const esign_sms_gateway_t *gateway; /* of an SMS */
    const esign_lease_t *lease;
    int lost;                    /* the hold was over before the request was sent */
    apr_size_t received;         /* bytes of its answer */
    char *answer;                /* the first of them, secret memory */
    char words[CURL_ERROR_SIZE]; /* libcurl's */
};

struct esign_transport_t {
    apr_pool_t *pool;
    CURLM *multi;
    esign_mailer_t *mailer;
    const esign_smtp_t *smtp;
    esign_transfer_done_fn *done;
    void *baton;
    esign_transfer_t *transfers;
    int mails, messages; /* mail and SMS under way */
};

/* ESIGN_LIBCURL_SET of a transfer; esign_transfer_start fails with the first refusal. */
#define ESIGN_TRANSFER_SET(transfer, option, value) \
    ESIGN_LIBCURL_SET((transfer)->setup, (transfer)->easy, option, value)

/* A handle with these limits, for an SMS. */
esign_result_t esign_transfer_open(esign_transfer_t **transfer, esign_transport_t *transport,
                                   apr_int64_t id, const esign_libcurl_limits_t *limits,
                                   int *under_way, esign_transfer_judge_fn *judge);

/* Appends to a list of the transfer; libcurl's copy is wiped at its end. */
void esign_transfer_append(esign_transfer_t *transfer, struct curl_slist **list, const char *text);

/* A text that libcurl reads where it stands: of what it is given to keep, it leaves copies. Wiped
 * with the transfer. */
typedef struct {
    const char *bytes;
    apr_size_t length, taken;
} esign_transfer_text_t;

esign_transfer_text_t *esign_transfer_text(esign_transfer_t *transfer, const char *text);

/* libcurl's callbacks to read it, and to read it again; `text` is the esign_transfer_text_t. */
size_t esign_transfer_read(char *to, size_t size, size_t count, void *text);
int esign_transfer_seek(void *text, curl_off_t offset, int origin);

/* Sends it on its way, or closes it. */
esign_result_t esign_transfer_start(esign_transfer_t *transfer);

/* Ends it, wherever it stands. */
void esign_transfer_close(esign_transfer_t *transfer);

#endif
