/* SPDX-License-Identifier: Apache-2.0 */
/* gateways.h: makes the SMS gateways of deliver/ from the directives. */
#ifndef ESIGN_SERVER_GATEWAYS_H
#define ESIGN_SERVER_GATEWAYS_H

#include "config.h"
#include "deliver/gateway.h"

/* Makes a server's gateways, esign_sms_gateway_t in the configuration's order: reads their secrets,
 * compiles their patterns and checks them. The detail of a failure names the gateway and the
 * directive. */
esign_result_t esign_gateways_make(apr_array_header_t **gateways, const esign_config_t *config,
                                   apr_pool_t *p);

#endif
