/* SPDX-License-Identifier: Apache-2.0 */
/* mark.h: names the subscriber that a form was made for. A browser has one session and one link at
 * a time, but may show forms of two people in two tabs. */
#ifndef ESIGN_WEB_MARK_H
#define ESIGN_WEB_MARK_H

#include "request.h"

/* The value of the hidden field `mark` in a subscriber's forms: 16 characters of an HMAC under the
 * active key, in r->pool. */
const char *esign_mark_make(const esign_request_t *q, const esign_subscriber_t *subscriber);

/* Whether the form that was sent was made for another subscriber. A form without a mark passes,
 * because the mark guards against a mix-up of tabs, not against forgery. */
int esign_mark_differs(const esign_request_t *q, const esign_subscriber_t *subscriber);

#endif
