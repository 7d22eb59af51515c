/* SPDX-License-Identifier: Apache-2.0 */
/* otp.h: the second factor: the phone number confirmed, the code entered. */
#ifndef ESIGN_SCREENS_OTP_H
#define ESIGN_SCREENS_OTP_H

#include "web/request.h"

esign_screen_fn esign_otp_get, esign_otp_post, esign_otp_code_get, esign_otp_code_post;

#endif
