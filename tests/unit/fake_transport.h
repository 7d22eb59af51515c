/* SPDX-License-Identifier: Apache-2.0 */
/* fake_transport.h: replaces deliver/transport when it is linked: records the transfers that the
 * courier starts, and ends each one when a test asks for it. */
#ifndef ESIGN_TESTS_FAKE_TRANSPORT_H
#define ESIGN_TESTS_FAKE_TRANSPORT_H

#include "deliver/transport.h"
#include "suite.h"

#define FAKE_MAX 200

typedef struct {
    apr_int64_t id;
    char kind; /* 'm': mail, 's': SMS, 'n': no mail */
    const char *to, *text, *report;
    const esign_sms_gateway_t *gateway;
    const esign_lease_t *lease;
    int ended;   /* to be collected */
    int is_over; /* was collected */
    esign_transfer_outcome_e outcome;
    const char *error;
} fake_transfer_t;

struct esign_transport_t {
    esign_transfer_done_fn *done;
    void *baton;
};

/* Of the running test; fake_reset empties it. */
static struct {
    struct esign_transport_t transport;
    fake_transfer_t transfers[FAKE_MAX];
    int count;
    int recalled, stopped, joined; /* how often */
    apr_interval_time_t waited;    /* how long the last wait was to take */
    esign_result_t refusal;        /* of the next transfer */
} fake;

static inline void fake_reset(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.refusal = ESIGN_OK;
}

static inline esign_result_t fake_start(fake_transfer_t transfer)
{
    esign_result_t refusal = fake.refusal;
    fake.refusal = ESIGN_OK;
    if (esign_failed(refusal))
        return refusal;
    CU_ASSERT_FATAL(fake.count < FAKE_MAX);
    fake.transfers[fake.count++] = transfer;
    return ESIGN_OK;
}

static inline int fake_pending(int sms)
{
    int pending = 0;
    for (int i = 0; i < fake.count; i++)
        pending += !fake.transfers[i].is_over && (fake.transfers[i].kind == 's') == sms;
    return pending;
}

/* The transfer that was started as the `index`th. */
static inline fake_transfer_t *fake_nth(int index)
{
    CU_ASSERT_FATAL(index < fake.count);
    return &fake.transfers[index];
}

/* Ends the transfer that was started as the `index`th; the next round collects it. */
static inline void fake_end(int index, esign_transfer_outcome_e outcome, const char *error)
{
    fake_transfer_t *transfer = fake_nth(index);
    CU_ASSERT_FATAL(!transfer->ended);
    transfer->ended = 1;
    transfer->outcome = outcome;
    transfer->error = error;
}

/* The kinds of all transfers, one letter each, in the order of their starts. */
static inline const char *fake_kinds(void)
{
    char *kinds = apr_pcalloc(pool, FAKE_MAX + 1);
    for (int i = 0; i < fake.count; i++)
        kinds[i] = fake.transfers[i].kind;
    return kinds;
}

esign_result_t esign_transport_create(esign_transport_t **transport, const esign_smtp_t *smtp,
                                      esign_transfer_done_fn *done, void *baton, apr_pool_t *p)
{
    (void)smtp, (void)p;
    fake.transport = (struct esign_transport_t){ done, baton };
    *transport = &fake.transport;
    return ESIGN_OK;
}

esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id,
                                    const esign_mail_t *mail, const esign_lease_t *lease)
{
    (void)transport;
    return fake_start((fake_transfer_t){ .id = id,
                                         .kind = 'm',
                                         .to = apr_pstrdup(pool, mail->to),
                                         .text = apr_pstrdup(pool, mail->text),
                                         .lease = lease });
}

esign_result_t esign_transport_no_mail(esign_transport_t *transport, apr_int64_t id,
                                       const esign_lease_t *lease)
{
    (void)transport;
    return fake_start((fake_transfer_t){ .id = id, .kind = 'n', .lease = lease });
}

esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id,
                                   const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                                   const esign_lease_t *lease)
{
    (void)transport;
    return fake_start(
        (fake_transfer_t){ .id = id,
                           .kind = 's',
                           .to = apr_pstrdup(pool, sms->to),
                           .text = apr_pstrdup(pool, sms->text),
                           .report = sms->report ? apr_pstrdup(pool, sms->report) : NULL,
                           .gateway = gateway,
                           .lease = lease });
}

void esign_transport_recall_mails(esign_transport_t *transport)
{
    (void)transport;
    fake.recalled++;
}

void esign_transport_stop_mails(esign_transport_t *transport)
{
    (void)transport;
    fake.stopped++;
}

void esign_transport_join_mails(esign_transport_t *transport)
{
    (void)transport;
    fake.joined++;
}

int esign_transport_collect(esign_transport_t *transport)
{
    for (int i = 0; i < fake.count; i++) {
        fake_transfer_t *transfer = &fake.transfers[i];
        if (!transfer->ended || transfer->is_over)
            continue;
        transfer->is_over = 1;
        transport->done(transport->baton, transfer->id, transfer->outcome, transfer->error);
    }
    return fake_pending(0) + fake_pending(1);
}

void esign_transport_wait(esign_transport_t *transport, int wakeup, apr_interval_time_t wait)
{
    (void)transport, (void)wakeup;
    fake.waited = wait;
}

int esign_transport_pending_mail(const esign_transport_t *transport)
{
    (void)transport;
    return fake_pending(0);
}

int esign_transport_pending_sms(const esign_transport_t *transport)
{
    (void)transport;
    return fake_pending(1);
}

#endif
