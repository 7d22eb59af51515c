/* SPDX-License-Identifier: Apache-2.0 */
/* login.h: the start page, the sign-in by number and word, the sign-out. */
#ifndef ESIGN_SCREENS_LOGIN_H
#define ESIGN_SCREENS_LOGIN_H

#include "web/request.h"

esign_screen_fn esign_start_get, esign_login_get, esign_login_post, esign_logout_post;

#endif
