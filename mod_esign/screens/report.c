/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: takes delivery reports of SMS gateways. */
#include "report.h"

#include "web/request.h"

#include "ipc/wakeup.h"
#include "server/retained.h"

#include <http_log.h>
#include <http_protocol.h>

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* Answers without a body. A sender without a reference learns nothing, and one with a reference
 * learns nothing about the message. */
static int send_empty(esign_request_t *q, int status)
{
    q->r->status = status;
    ap_set_content_type(q->r, "text/plain");
    ap_set_content_length(q->r, 0);
    return OK;
}

/* Records that a message was delivered, or, with `error`, that it was not. */
static esign_result_t record_delivery(esign_request_t *q, apr_int64_t message, int gateway,
                                      const char *error, int *counted)
{
    esign_result_t result = esign_request_begin(q);
    if (!esign_failed(result))
        result = error ? esign_outbox_undelivered(q->database, message, gateway, q->now, error,
                                                  counted, q->r->pool)
                       : esign_outbox_delivered(q->database, message, counted, q->r->pool);
    return esign_request_end(q, result);
}

/* Judges a report by the patterns of its gateway, and records it. */
static esign_result_t record_report(esign_request_t *q, apr_int64_t message, int gateway)
{
    apr_pool_t *p = q->r->pool;
    const esign_sms_gateway_t *from =
        &APR_ARRAY_IDX(q->runtime->gateways, gateway, esign_sms_gateway_t);
    const char *text =
        apr_pstrcat(p, q->report ? q->report : "", "\n", q->body ? q->body : "", NULL);
    esign_report_e report = esign_gateway_judge(from, text, strlen(text));
    int counted = 0;
    if (report == ESIGN_REPORT_UNDECIDED)
        return ESIGN_OK;
    const char *error =
        report == ESIGN_REPORT_DELIVERED
            ? NULL
            : apr_pstrcat(p, "SMS gateway ", from->name, ": reported as not delivered", NULL);
    esign_result_t result = record_delivery(q, message, gateway, error, &counted);
    if (!esign_failed(result) && error && counted > 0) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, q->r, "mod_esign: a code, %s", error);
        esign_wakeup_send(esign_retained_wakeup());
    }
    return result;
}

int esign_report_any(esign_request_t *q)
{
    apr_int64_t message;
    int gateway;
    if (!q->argument ||
        !esign_gateway_referred(q->runtime->keyring, q->argument, &message, &gateway, q->r->pool))
        return send_empty(q, HTTP_NOT_FOUND);
    /* A reload has removed this gateway from the configuration. */
    if (gateway >= q->runtime->gateways->nelts)
        return send_empty(q, HTTP_OK);
    esign_result_t result = record_report(q, message, gateway);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return send_empty(q, HTTP_SERVICE_UNAVAILABLE);
    }
    return send_empty(q, HTTP_OK);
}
