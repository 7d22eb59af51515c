/* SPDX-License-Identifier: Apache-2.0 */
/* device.h: whether a subscriber has signed in with this browser before. */
#ifndef ESIGN_WEB_DEVICE_H
#define ESIGN_WEB_DEVICE_H

#include "request.h"

/* Whether this browser's cookie holds the subscriber's mark of this epoch. A cookie that was
 * changed holds none. */
int esign_device_known(esign_request_t *q, const esign_subscriber_t *subscriber);

/* After the second factor, and where a session of such trust raises the epoch: the mark goes into
 * the cookie, or its year begins anew. A failure is logged: the next sign-in is told as one from a
 * new device then. */
void esign_device_remember(esign_request_t *q, const esign_subscriber_t *subscriber);

#endif
