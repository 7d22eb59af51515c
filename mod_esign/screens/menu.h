/* SPDX-License-Identifier: Apache-2.0 */
/* menu.h: the operations menu. */
#ifndef ESIGN_SCREENS_MENU_H
#define ESIGN_SCREENS_MENU_H

#include "web/request.h"

esign_screen_fn esign_menu_get;

#endif
