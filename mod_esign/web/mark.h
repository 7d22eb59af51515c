/* SPDX-License-Identifier: Apache-2.0 */
/* mark.h: whose form a form is: a browser has one session and one link at a time, but may show
 * forms of two people in two tabs. */
#ifndef ESIGN_WEB_MARK_H
#define ESIGN_WEB_MARK_H

#include "request.h"

/* What a subscriber's forms carry in their hidden field `mark`: 16 characters that only we can
 * make, in r->pool. */
const char *esign_mark_make(const esign_request_t *q, const esign_subscriber_t *subscriber);

/* Whether the form that was sent is of somebody else than `subscriber`. One without a mark is
 * nobody else's. */
int esign_mark_differs(const esign_request_t *q, const esign_subscriber_t *subscriber);

#endif
