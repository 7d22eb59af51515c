/* SPDX-License-Identifier: Apache-2.0 */
/* status.h: figures of this httpd's portals for their operator: counts, ages, and hosts of servers,
 * without personal data. status.c shows them on mod_status's page, metrics.c to Prometheus. */
#ifndef ESIGN_OPERATOR_STATUS_H
#define ESIGN_OPERATOR_STATUS_H

#include "server/runtime.h"

#include <httpd.h>

/* The portals, const esign_runtime_t *, after their levels were read where they were due
 * (levels.h). In r->pool. */
const apr_array_header_t *esign_status_portals(request_rec *r);

/* How many servers a portal sends messages to: the mail server (0), then the SMS gateways. */
int esign_status_servers(const esign_runtime_t *portal);

/* The host of a server, in `p`. */
const char *esign_status_server(const esign_runtime_t *portal, int server, apr_pool_t *p);

/* The name of a server's <EsignSMSGateway>; NULL: it has no such section. */
const char *esign_status_gateway(const esign_runtime_t *portal, int server);

/* Registers mod_status's hook (status.c). */
void esign_status_register_hooks(apr_pool_t *p);

/* Registers the handler esign-metrics (metrics.c). */
void esign_metrics_register_hooks(apr_pool_t *p);

#endif
