/* SPDX-License-Identifier: Apache-2.0 */
/* gateways.h: what directives say of SMS gateways, as deliver/ uses it. */
#ifndef ESIGN_SERVER_GATEWAYS_H
#define ESIGN_SERVER_GATEWAYS_H

#include "config.h"
#include "deliver/gateway.h"

/* A server's gateways in their order, esign_sms_gateway_t, their secrets read and everything
 * checked. A failure's detail names the gateway and the directive. */
esign_result_t esign_gateways_make(apr_array_header_t **gateways, const esign_config_t *config,
                                   apr_pool_t *p);

#endif
