/* SPDX-License-Identifier: Apache-2.0 */
/* status.h: what the portals of this httpd tell their operator: counts, ages, and hosts of servers,
 * nothing of a person. status.c: on mod_status's page; metrics.c: for Prometheus. */
#ifndef ESIGN_OPERATOR_STATUS_H
#define ESIGN_OPERATOR_STATUS_H

#include "server/runtime.h"

#include <httpd.h>

/* The portals, const esign_runtime_t *, each with a meter whose levels are a second old at most, as
 * long as looks are quick (meter.h). */
const apr_array_header_t *esign_status_portals(request_rec *r);

/* How many servers a portal's messages go to: mail's, then the SMS gateways; and the host of one.
 */
int esign_status_servers(const esign_runtime_t *portal);
const char *esign_status_server(const esign_runtime_t *portal, int server, apr_pool_t *p);

/* The name of an SMS gateway's section; NULL: of none. */
const char *esign_status_gateway(const esign_runtime_t *portal, int server);

/* mod_status's hook. */
void esign_status_register_hooks(apr_pool_t *p);

/* The handler esign-metrics. */
void esign_metrics_register_hooks(apr_pool_t *p);

#endif
