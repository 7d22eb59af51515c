/* SPDX-License-Identifier: Apache-2.0 */
/* activity.h: the page of recent activity, which also ends all other sessions. */
#ifndef ESIGN_SCREENS_ACTIVITY_H
#define ESIGN_SCREENS_ACTIVITY_H

#include "web/request.h"

esign_screen_fn esign_activity_get, esign_activity_post;

#endif
