/* SPDX-License-Identifier: Apache-2.0 */
/* device.h: whether a subscriber has signed in with this browser before. */
#ifndef ESIGN_WEB_DEVICE_H
#define ESIGN_WEB_DEVICE_H

#include "request.h"

/* Whether this browser's device cookie holds the subscriber's mark of the current epoch. A cookie
 * that was changed does not. */
int esign_device_known(esign_request_t *q, const esign_subscriber_t *subscriber);

/* Sets the device cookie, valid for a year, with the subscriber's mark in it. Called after the
 * second factor, and when a signed-in session has raised the epoch. A failure is logged; the next
 * sign-in then sends a notice, as from a new device. */
void esign_device_remember(esign_request_t *q, const esign_subscriber_t *subscriber);

#endif
