/* SPDX-License-Identifier: Apache-2.0 */
/* sms.c: sends an SMS by an HTTP gateway, and checks what the configuration says of a gateway. */
#include "sms.h"

#include "template.h"

#include "core/base64.h"
#include "core/contact.h"
#include "core/secret.h"
#include "core/url.h"

#include <apr_cstr.h>
#include <apr_strings.h>

#include <string.h>

#define ANSWER_MAX 65536  /* bytes of an answer that are accepted */
#define JUDGED_MAX 16384  /* bytes of it that a pattern is matched against */
#define EXCERPT_MAX 256   /* bytes of it that an error text has */
#define CODE_DIGITS_MIN 6 /* a code has no fewer */
#define SECRET_MIN 4      /* a shorter secret would be found in any text */
#define TYPE "Content-Type:"

/* What a transfer of an SMS needs to be judged; in the transfer's pool. */
typedef struct {
    const esign_sms_gateway_t *gateway;
    const esign_lease_t *lease; /* the delivery's */
    int lost;                   /* the lease's deadline passed before the request was sent */
    apr_size_t received;        /* bytes of the gateway's answer */
    char *answer;               /* the first of them, NUL-terminated; secret memory */
} state_t;

/* libcurl's callback: keeps the beginning of the gateway's answer, and ends a transfer whose answer
 * is too long. */
static size_t take_answer(char *bytes, size_t size, size_t count, void *baton)
{
    state_t *state = baton;
    apr_size_t length = size * count,
               room = state->received < JUDGED_MAX ? JUDGED_MAX - state->received : 0;
    memcpy(state->answer + state->received, bytes, length < room ? length : room);
    state->received += length;
    return state->received <= ANSWER_MAX ? length : 0;
}

/* The value of {basic}. */
static const char *basic_of(const char *secret, apr_pool_t *p)
{
    return esign_base64_encode(p, secret, strlen(secret));
}

/* Replaces a secret by asterisks wherever `text` has it. */
static void mask_secret(char *text, const char *secret)
{
    apr_size_t length = secret ? strlen(secret) : 0;
    for (char *c = text; length >= SECRET_MIN && (c = strstr(c, secret)) != NULL; c += length)
        memset(c, '*', length);
}

/* ": EXCERPT", the beginning of the gateway's answer on one line; "" where it is empty. Gateways
 * repeat what they were sent, so our credentials, and numbers as long as a code, are masked. */
static const char *excerpt_of(const state_t *state, apr_pool_t *p)
{
    const char *secret = state->gateway->secret, *password = secret ? strchr(secret, ':') : NULL;
    char *text = esign_secret_copy(p, state->answer, strlen(state->answer)), *to = text;
    mask_secret(text, secret);
    mask_secret(text, password ? basic_of(secret, p) : NULL);
    mask_secret(text, password ? password + 1 : NULL);
    for (const char *from = text + strspn(text, " \t\r\n");
         *from != '\0' && to - text < EXCERPT_MAX;) {
        apr_size_t digits = strspn(from, "0123456789"), blanks = strspn(from, " \t\r\n");
        apr_size_t taken = digits > 0 ? digits : blanks > 0 ? blanks : 1;
        if (digits >= CODE_DIGITS_MIN)
            memset(to, '*', digits);
        else if (blanks > 0)
            *to = ' ';
        else
            memmove(to, from, taken);
        from += taken;
        to += blanks > 0 ? 1 : taken;
    }
    *to = '\0';
    return *text != '\0' ? apr_pstrcat(p, ": ", text, NULL) : "";
}

/* libcurl's callback on an open connection, before it sends the request: checks the lease. */
static int check_lease(void *baton, char *address, char *own_address, int port, int own_port)
{
    state_t *state = baton;
    (void)address, (void)own_address, (void)port, (void)own_port;
    state->lost = !esign_lease_held(state->lease);
    return state->lost ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Of a status of 2xx: sent, where the gateway's pattern finds its answer good. */
static esign_transfer_outcome_e judge_success(const state_t *state, CURLcode code, long status,
                                              const char **words, apr_pool_t *p)
{
    const esign_pattern_t *accepted = state->gateway->accepted;
    apr_size_t length = state->received < JUDGED_MAX ? state->received : JUDGED_MAX;
    if (!accepted || esign_pattern_found(accepted, state->answer, length))
        return ESIGN_TRANSFER_SENT;
    /* CURLE_WRITE_ERROR: take_answer ended it, which is no fault of the connection. */
    if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
        return ESIGN_TRANSFER_UNANSWERED;
    *words =
        apr_psprintf(p, "HTTP status %ld, and an answer that does not say that it was accepted%s",
                     status, excerpt_of(state, p));
    return ESIGN_TRANSFER_NEVER;
}

static esign_transfer_outcome_e judge_sms(esign_transfer_t *transfer, CURLcode code,
                                          const char **words)
{
    const state_t *state = transfer->baton;
    long status = 0, sent = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (state->lost) {
        *words = ESIGN_LEASE_LOST;
        return ESIGN_TRANSFER_UNTRIED;
    }
    if (status >= 200 && status < 300)
        return judge_success(state, code, status, words, transfer->pool);
    if (status == 0)
        return sent > 0 ? ESIGN_TRANSFER_UNANSWERED : ESIGN_TRANSFER_UNREACHABLE;
    *words = apr_psprintf(transfer->pool, "HTTP status %ld%s", status,
                          excerpt_of(state, transfer->pool));
    return status >= 400 && status < 500 && status != 429 && status != 408 ? ESIGN_TRANSFER_NEVER
                                                                           : ESIGN_TRANSFER_LATER;
}

/* The value of the Content-Type header; NULL: there is none. */
static const char *media_type(const esign_sms_gateway_t *gateway)
{
    for (int i = 0; gateway->headers && i < gateway->headers->nelts; i++) {
        const char *header = APR_ARRAY_IDX(gateway->headers, i, const char *);
        if (apr_cstr_casecmpn(header, TYPE, strlen(TYPE)) == 0)
            return header + strlen(TYPE) + strspn(header + strlen(TYPE), " \t");
    }
    return NULL;
}

static void add_headers(esign_transfer_t *transfer, const apr_array_header_t *headers,
                        const esign_template_values_t *values)
{
    for (int i = 0; headers && i < headers->nelts; i++) {
        const char *header = esign_template_fill(
            transfer->pool, APR_ARRAY_IDX(headers, i, const char *), values, ESIGN_TEMPLATE_RAW);
        if (strpbrk(header, "\r\n"))
            transfer->setup = CURLE_BAD_FUNCTION_ARGUMENT;
        esign_transfer_add_header(transfer, header);
    }
}

static void add_request(esign_transfer_t *transfer, const esign_sms_gateway_t *gateway,
                        const esign_sms_t *sms)
{
    apr_pool_t *p = transfer->pool;
    esign_template_values_t values = { .number = sms->to,
                                       .text = sms->text,
                                       .secret = gateway->secret,
                                       .basic =
                                           gateway->secret ? basic_of(gateway->secret, p) : NULL,
                                       .report = sms->report };
    ESIGN_TRANSFER_SET(transfer, CURLOPT_URL,
                       esign_template_fill(p, gateway->url, &values, ESIGN_TEMPLATE_PERCENT));
    add_headers(transfer, gateway->headers, &values);
    if (strcmp(gateway->method, "POST") == 0)
        esign_transfer_set_body(transfer,
                                esign_template_fill(p, gateway->body ? gateway->body : "", &values,
                                                    esign_template_escape(media_type(gateway))));
}

esign_result_t esign_sms_start(esign_transfers_t *transfers, apr_int64_t id,
                               const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                               const esign_lease_t *lease)
{
    apr_interval_time_t left = sms->expires - apr_time_now();
    esign_libcurl_limits_t limits = { .protocols = "http,https",
                                      .ca_file = gateway->ca_file,
                                      .timeout =
                                          left < gateway->timeout ? left : gateway->timeout };
    esign_transfer_t *transfer;
    if (!esign_contact_phone_valid(sms->to))
        return (esign_result_t){ APR_EINVAL, "SMS",
                                 "the phone number is not of the form +905551234567" };
    /* libcurl takes a timeout of 0 ms as none. */
    if (apr_time_as_msec(left) < 1)
        return (esign_result_t){ APR_EINVAL, "SMS", "expired" };
    esign_result_t result = esign_transfer_open(&transfer, transfers, id, &limits);
    if (esign_failed(result))
        return result;
    state_t *state = apr_pcalloc(transfer->pool, sizeof(*state));
    *state = (state_t){ .gateway = gateway,
                        .lease = lease,
                        .answer = esign_secret_alloc(transfer->pool, JUDGED_MAX + 1) };
    transfer->recipient = apr_pstrdup(transfer->pool, sms->to);
    transfer->judge = judge_sms;
    transfer->baton = state;
    add_request(transfer, gateway, sms);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_PREREQFUNCTION, check_lease);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_PREREQDATA, state);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_WRITEFUNCTION, take_answer);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_WRITEDATA, state);
    return esign_transfer_start(transfer);
}

/* Checks that a template has the placeholders it needs, where they can stand, and that each has a
 * value. `found`: all placeholders; `in_header`: those of headers. */
static esign_result_t check_placeholders(const esign_sms_gateway_t *gateway, int found,
                                         int in_header, apr_pool_t *p)
{
    if (!(found & ESIGN_TEMPLATE_HAS_NUMBER) || !(found & ESIGN_TEMPLATE_HAS_TEXT))
        return esign_result_make(
            p, APR_EINVAL, "SMS",
            "{number} or {text} is missing: write {number} in the URL, a header or the body, and "
            "{text} in the URL or the body; a GET has no body");
    if (in_header & ESIGN_TEMPLATE_HAS_TEXT)
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "{text} stands in a header, where its two lines are not allowed: "
                                 "write it in the URL or the body");
    if ((found & (ESIGN_TEMPLATE_HAS_SECRET | ESIGN_TEMPLATE_HAS_BASIC)) && !gateway->secret)
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "{secret} or {basic} is used, but EsignSMSSecretFile is missing");
    if ((found & ESIGN_TEMPLATE_HAS_BASIC) && !strchr(gateway->secret, ':'))
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "{basic} is used, but the first line of EsignSMSSecretFile is not "
                                 "of the form user:password");
    if ((found & ESIGN_TEMPLATE_HAS_REPORT) && !esign_gateway_reports(gateway))
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "{report} is used, but EsignSMSDelivered is missing: write what "
                                 "the report of a delivered message shows");
    if (gateway->delivered && !(found & ESIGN_TEMPLATE_HAS_REPORT))
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "EsignSMSDelivered is set, but there is no {report} that tells "
                                 "the gateway where to report");
    if (gateway->undelivered && !gateway->delivered)
        return esign_result_make(
            p, APR_EINVAL, "SMS",
            "EsignSMSUndelivered is set without EsignSMSDelivered: write both");
    return ESIGN_OK;
}

/* The URL with sample values, which can be parsed. */
static const char *plain_url(const esign_sms_gateway_t *gateway, apr_pool_t *p)
{
    const esign_template_values_t sample = {
        .number = "+905550000000", .text = "x", .secret = "x", .basic = "x", .report = "x"
    };
    return esign_template_fill(p, gateway->url, &sample, ESIGN_TEMPLATE_PERCENT);
}

const char *esign_sms_gateway_host(const esign_sms_gateway_t *gateway, apr_pool_t *p)
{
    return esign_url_host(plain_url(gateway, p), p);
}

esign_result_t esign_sms_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p)
{
    int found = 0, in_header = 0;
    esign_result_t result = esign_template_check(p, gateway->url, &found);
    for (int i = 0; !esign_failed(result) && gateway->headers && i < gateway->headers->nelts; i++)
        result =
            esign_template_check(p, APR_ARRAY_IDX(gateway->headers, i, const char *), &in_header);
    found |= in_header;
    if (!esign_failed(result) && gateway->body)
        result = esign_template_check(p, gateway->body, &found);
    if (esign_failed(result))
        return result;
    const char *url = plain_url(gateway, p);
    if (!esign_url_valid(url, ESIGN_URL_HTTP | ESIGN_URL_HTTPS | ESIGN_URL_PATH | ESIGN_URL_QUERY,
                         p))
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "'%s' is not an HTTP address: write https://host/path",
                                 gateway->url);
    if (!esign_url_private(url, p))
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "'%s' would carry numbers and codes in clear: write https://, or "
                                 "http:// to this machine itself (127.0.0.1, [::1], localhost)",
                                 gateway->url);
    return check_placeholders(gateway, found, in_header, p);
}
