/* SPDX-License-Identifier: Apache-2.0 */
/* reset.h: a forgotten word: the request, the mailed link, the new word. */
#ifndef ESIGN_SCREENS_RESET_H
#define ESIGN_SCREENS_RESET_H

#include "web/request.h"

esign_screen_fn esign_reset_get, esign_reset_post, esign_reset_sent_get, esign_reset_link_get,
    esign_reset_word_get, esign_reset_word_post, esign_reset_done_get;

#endif
