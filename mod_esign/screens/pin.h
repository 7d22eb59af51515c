/* SPDX-License-Identifier: Apache-2.0 */
/* pin.h: the page that shows PIN and PUK of each card. */
#ifndef ESIGN_SCREENS_PIN_H
#define ESIGN_SCREENS_PIN_H

#include "web/request.h"

esign_screen_fn esign_pin_get, esign_pin_post;

#endif
