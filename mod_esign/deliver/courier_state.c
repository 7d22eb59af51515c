/* SPDX-License-Identifier: Apache-2.0 */
/* courier_state.c: what the parts of the courier ask of its state. */
#include "courier_state.h"

#include <apr_strings.h>

#include <stdarg.h>

void esign_courier_log(const esign_courier_t *courier, int level, apr_status_t status,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    courier->options->log(courier->options->baton, level, status,
                          apr_pvsprintf(courier->round, format, arguments));
    va_end(arguments);
}

const esign_sms_gateway_t *esign_courier_gateway(const esign_courier_t *courier, int gateway)
{
    return &APR_ARRAY_IDX(courier->options->gateways, gateway, esign_sms_gateway_t);
}
