/* SPDX-License-Identifier: Apache-2.0 */
/* notice.h: queues mails that inform a subscriber about an event of the account. */
#ifndef ESIGN_WEB_NOTICE_H
#define ESIGN_WEB_NOTICE_H

#include "request.h"

#include "audit/trail.h"

/* Queues the notice of `event`, with address and time of the request, in the caller's transaction
 * on q's database. */
esign_result_t esign_notice_add(esign_request_t *q, const esign_subscriber_t *subscriber,
                                esign_audit_event_e event);

#endif
