/* SPDX-License-Identifier: Apache-2.0 */
/* sms.c: one SMS by an HTTP gateway. */
#include "deliver/transport_private.h"

#include "deliver/template.h"

#include "core/contact.h"

#include <apr_cstr.h>
#include <apr_strings.h>

#include <string.h>

#define BODY_MAX 65536
#define TYPE "Content-Type:"

/* What the gateway answers is bounded, and not read: its status tells. */
static size_t skip_body(char *bytes, size_t size, size_t count, void *baton)
{
    (void)bytes;
    esign_transfer_t *transfer = baton;
    transfer->received += size * count;
    return transfer->received <= BODY_MAX ? size * count : 0;
}

static esign_transfer_outcome_e judge(esign_transfer_t *transfer, CURLcode code, const char **words)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300 && (code == CURLE_OK || code == CURLE_WRITE_ERROR))
        return ESIGN_TRANSFER_SENT;
    if (status != 0)
        *words = apr_psprintf(transfer->pool, "HTTP status %ld", status);
    return status >= 400 && status < 500 && status != 429 && status != 408 ? ESIGN_TRANSFER_NEVER : ESIGN_TRANSFER_LATER;
}

/* The media type that a Content-Type header names; NULL when there is none. */
static const char *media_type(const esign_sms_gateway_t *gateway)
{
    for (int i = 0; gateway->headers && i < gateway->headers->nelts; i++) {
        const char *header = APR_ARRAY_IDX(gateway->headers, i, const char *);
        if (apr_cstr_casecmpn(header, TYPE, strlen(TYPE)) == 0)
            return header + strlen(TYPE) + strspn(header + strlen(TYPE), " \t");
    }
    return NULL;
}

static void add_headers(esign_transfer_t *transfer, const esign_sms_gateway_t *gateway, const esign_template_values_t *values)
{
    for (int i = 0; gateway->headers && i < gateway->headers->nelts; i++) {
        const char *header = esign_template_fill(transfer->pool, APR_ARRAY_IDX(gateway->headers, i, const char *), values, ESIGN_TEMPLATE_RAW);
        if (strpbrk(header, "\r\n"))
            transfer->setup = CURLE_BAD_FUNCTION_ARGUMENT;
        esign_transfer_append(transfer, &transfer->headers, header);
    }
    ESIGN_TRANSFER_SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
}

esign_result_t esign_transport_sms(esign_transport_t *transport, apr_int64_t id, const esign_sms_t *sms)
{
    const esign_sms_gateway_t *gateway = transport->gateway;
    esign_transfer_limits_t limits = { .protocols = "http,https", .ca_file = gateway->ca_file, .timeout = gateway->timeout };
    esign_template_values_t values = { .number = sms->to, .text = sms->text, .secret = gateway->secret };
    esign_transfer_t *transfer;
    if (!esign_contact_phone_valid(sms->to))
        return (esign_result_t){ APR_EINVAL, "SMS", "the phone number is not of the form +905551234567" };
    esign_result_t result = esign_transfer_open(&transfer, transport, id, &limits, &transport->messages, judge);
    if (esign_failed(result))
        return result;
    transfer->recipient = apr_pstrdup(transfer->pool, sms->to);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_URL, esign_template_fill(transfer->pool, gateway->url, &values, ESIGN_TEMPLATE_PERCENT));
    add_headers(transfer, gateway, &values);
    if (strcmp(gateway->method, "POST") == 0) {
        const char *pattern = gateway->body ? gateway->body : "";
        const char *body = esign_template_fill(transfer->pool, pattern, &values, esign_template_escape(media_type(gateway)));
        esign_transfer_text_t *source = esign_transfer_text(transfer, body);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_POST, 1L);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)source->length);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_READFUNCTION, esign_transfer_read);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_READDATA, source);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_SEEKFUNCTION, esign_transfer_seek);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_SEEKDATA, source);
    }
    ESIGN_TRANSFER_SET(transfer, CURLOPT_WRITEFUNCTION, skip_body);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_WRITEDATA, transfer);
    return esign_transfer_start(transfer);
}

esign_result_t esign_transport_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p)
{
    int found = 0, in_header = 0;
    /* Filled in with a plain value, the URL must be one. */
    const esign_template_values_t sample = { .number = "+905550000000", .text = "x", .secret = "x" };
    esign_result_t result = esign_template_check(p, gateway->url, &found);
    for (int i = 0; !esign_failed(result) && gateway->headers && i < gateway->headers->nelts; i++)
        result = esign_template_check(p, APR_ARRAY_IDX(gateway->headers, i, const char *), &in_header);
    found |= in_header;
    if (!esign_failed(result) && gateway->body)
        result = esign_template_check(p, gateway->body, &found);
    if (esign_failed(result))
        return result;
    const char *url = esign_template_fill(p, gateway->url, &sample, ESIGN_TEMPLATE_PERCENT);
    if (!esign_transport_url_valid(url, "http", "https", 0))
        return esign_result_make(p, APR_EINVAL, "SMS", "'%s' is not an HTTP address: write https://host/path", gateway->url);
    if (!esign_transport_url_private(url))
        return esign_result_make(p, APR_EINVAL, "SMS", "'%s' would carry numbers and codes in clear: write https://, or http:// to this machine itself (127.0.0.1, [::1], localhost)",
                                 gateway->url);
    if (!(found & ESIGN_TEMPLATE_HAS_NUMBER) || !(found & ESIGN_TEMPLATE_HAS_TEXT))
        return esign_result_make(p, APR_EINVAL, "SMS", "{number} and {text} must stand somewhere: {number} in the URL, a header or the body, {text} in the URL or the body");
    if (in_header & ESIGN_TEMPLATE_HAS_TEXT)
        return esign_result_make(p, APR_EINVAL, "SMS", "{text} stands in a header, which cannot hold its two lines: write it in the URL or the body");
    if ((found & ESIGN_TEMPLATE_HAS_SECRET) && !gateway->secret)
        return esign_result_make(p, APR_EINVAL, "SMS", "{secret} stands there, but EsignSMSSecretFile is missing");
    return ESIGN_OK;
}
