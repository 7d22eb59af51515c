/* SPDX-License-Identifier: Apache-2.0 */
/* gateways.c: makes SMS gateways from the directives of <EsignSMSGateway>, or of the server. */
#include "gateways.h"

#include "core/secret.h"
#include "deliver/sms.h"

#include <apr_strings.h>

static esign_result_t compile_pattern(const esign_pattern_t **pattern, const char *text,
                                      apr_pool_t *p)
{
    return text ? esign_pattern_compile(pattern, text, p) : ESIGN_OK;
}

/* Checks that a file, which libcurl opens later, can be read. */
static esign_result_t check_ca_file(const char *path, apr_pool_t *p)
{
    apr_file_t *file;
    apr_status_t status = path ? apr_file_open(&file, path, APR_READ, 0, p) : APR_SUCCESS;
    char text[120];
    return status == APR_SUCCESS
               ? ESIGN_OK
               : esign_result_make(p, status, "SMS", "EsignSMSCAFile: %s cannot be read: %s", path,
                                   apr_strerror(status, text, sizeof(text)));
}

static esign_result_t make_gateway(esign_sms_gateway_t *gateway, const esign_config_t *c,
                                   apr_pool_t *p)
{
    *gateway =
        (esign_sms_gateway_t){ .name = c->gateway_name ? c->gateway_name : "of EsignSMSURL",
                               .url = c->sms_url,
                               .method = c->sms_method,
                               .headers = c->sms_headers,
                               .body = strcmp(c->sms_method, "GET") == 0 ? NULL : c->sms_body,
                               .ca_file = c->sms_ca_file,
                               .timeout = c->delivery_timeout,
                               .report_wait = c->sms_report_wait };
    gateway->report_url = c->sms_report_url
                              ? c->sms_report_url
                              : apr_pstrcat(p, c->public_url, c->prefix, "/report", NULL);
    if (!c->sms_url)
        return esign_result_make(p, APR_EINVAL, "SMS",
                                 "EsignSMSURL is missing: write the address of the SMS gateway");
    esign_result_t result =
        c->sms_secret_file ? esign_secret_read(&gateway->secret, c->sms_secret_file, p) : ESIGN_OK;
    if (esign_failed(result))
        return esign_result_make(p, result.status, "SMS", "EsignSMSSecretFile: %s", result.detail);
    if (esign_failed(result = check_ca_file(c->sms_ca_file, p)) ||
        esign_failed(result = compile_pattern(&gateway->accepted, c->sms_accepted, p)) ||
        esign_failed(result = compile_pattern(&gateway->delivered, c->sms_delivered, p)) ||
        esign_failed(result = compile_pattern(&gateway->undelivered, c->sms_undelivered, p)))
        return result;
    result = esign_sms_check_gateway(gateway, p);
    return esign_failed(result)
               ? esign_result_make(p, result.status, "SMS",
                                   "EsignSMSURL, EsignSMSHeader or EsignSMSBody: %s", result.detail)
               : ESIGN_OK;
}

esign_result_t esign_gateways_make(apr_array_header_t **gateways, const esign_config_t *config,
                                   apr_pool_t *p)
{
    const apr_array_header_t *configs = esign_config_gateways(p, config);
    *gateways = apr_array_make(p, configs->nelts, sizeof(esign_sms_gateway_t));
    for (int i = 0; i < configs->nelts; i++) {
        const esign_config_t *c = APR_ARRAY_IDX(configs, i, const esign_config_t *);
        esign_result_t result = make_gateway(apr_array_push(*gateways), c, p);
        if (esign_failed(result))
            return c->gateway_name
                       ? esign_result_make(p, result.status, "SMS", "<EsignSMSGateway %s>: %s",
                                           c->gateway_name, result.detail)
                       : result;
    }
    return ESIGN_OK;
}
