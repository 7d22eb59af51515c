/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: each address of the portal: its methods, the trust it needs and what answers it. */
#include "table.h"

#include "activity.h"
#include "login.h"
#include "menu.h"
#include "otp.h"
#include "picture.h"
#include "pin.h"
#include "report.h"
#include "reset.h"
#include "word.h"

#include "web/route.h"

#define SESSION ESIGN_ROUTE_SESSION
#define GATEWAY (ESIGN_ROUTE_PLAIN_BODY | ESIGN_ROUTE_SECRET | ESIGN_ROUTE_SECRET_QUERY)
#define SECRET ESIGN_ROUTE_SECRET

#define NO ESIGN_TRUST_NONE
#define WORD ESIGN_TRUST_WORD
#define CODE ESIGN_TRUST_CODE

/* A row: path, suffix, properties, trust, GET, POST. */
static const esign_route_t table[ESIGN_PATHS] = {
    [ESIGN_PATH_START] = { "", NULL, 0, NO, esign_start_get, NULL },
    [ESIGN_PATH_LOGIN] = { "login", NULL, 0, NO, esign_login_get, esign_login_post },
    [ESIGN_PATH_PICTURE] = { "captcha/", ".png", 0, NO, esign_picture_get, NULL },
    [ESIGN_PATH_SOUND] = { "captcha/", ".wav", 0, NO, esign_picture_sound_get, NULL },
    [ESIGN_PATH_RESET] = { "reset", NULL, 0, NO, esign_reset_get, esign_reset_post },
    [ESIGN_PATH_RESET_SENT] = { "reset/sent", NULL, 0, NO, esign_reset_sent_get, NULL },
    [ESIGN_PATH_RESET_WORD] = { "reset/word", NULL, 0, NO, esign_reset_word_get,
                                esign_reset_word_post },
    [ESIGN_PATH_RESET_DONE] = { "reset/done", NULL, 0, NO, esign_reset_done_get, NULL },
    [ESIGN_PATH_RESET_LINK] = { "reset/", "", SECRET, NO, esign_reset_link_get, NULL },
    [ESIGN_PATH_REPORT] = { "report/", "", GATEWAY, NO, esign_report_any, esign_report_any },
    [ESIGN_PATH_OTP] = { "otp", NULL, SESSION, WORD, esign_otp_get, esign_otp_post },
    [ESIGN_PATH_OTP_CODE] = { "otp/code", NULL, SESSION, WORD, esign_otp_code_get,
                              esign_otp_code_post },
    [ESIGN_PATH_MENU] = { "menu", NULL, SESSION, CODE, esign_menu_get, NULL },
    [ESIGN_PATH_PIN] = { "pin", NULL, SESSION, CODE, esign_pin_get, esign_pin_post },
    [ESIGN_PATH_WORD] = { "word", NULL, SESSION, CODE, esign_word_get, esign_word_post },
    [ESIGN_PATH_ACTIVITY] = { "activity", NULL, SESSION, CODE, esign_activity_get,
                              esign_activity_post },
    [ESIGN_PATH_LOGOUT] = { "logout", NULL, SESSION, NO, NULL, esign_logout_post },
};

void esign_table_register_hooks(apr_pool_t *p)
{
    esign_route_register_hooks(p, table);
}
