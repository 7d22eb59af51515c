/* SPDX-License-Identifier: Apache-2.0 */
/* sms.h: sends an SMS by an HTTP gateway, and checks what the configuration says of a gateway. */
#ifndef ESIGN_DELIVER_SMS_H
#define ESIGN_DELIVER_SMS_H

#include "gateway.h"
#include "lease.h"
#include "message.h"
#include "transfer.h"

/* Starts the transfer of a row's SMS. The SMS is copied; gateway and lease outlive the transfer.
 * APR_EINVAL: it can never be sent. */
esign_result_t esign_sms_start(esign_transfers_t *transfers, apr_int64_t id,
                               const esign_sms_gateway_t *gateway, const esign_sms_t *sms,
                               const esign_lease_t *lease);

/* Checks a gateway's URL, and that its placeholders exist, have a value and are where they can be.
 * APR_EINVAL: the detail says what to write. */
esign_result_t esign_sms_check_gateway(const esign_sms_gateway_t *gateway, apr_pool_t *p);

/* The gateway's host, with its port where the URL has one, for logs and metrics. Other parts of the
 * URL may hold secrets, so they are left out. */
const char *esign_sms_gateway_host(const esign_sms_gateway_t *gateway, apr_pool_t *p);

#endif
