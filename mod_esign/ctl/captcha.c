/* SPDX-License-Identifier: Apache-2.0 */
/* captcha.c: the command `captcha answer`. */
#include "command.h"

#include "challenge/captcha.h"

#include <stdio.h>
#include <string.h>

#define CHALLENGE_LINE_MAX 4096

/* Prints an empty line for a forged challenge, so that lines of input and output correspond. */
static int print_answer(const esign_keyring_t *keyring, const char *challenge, apr_pool_t *p)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1] = "";
    apr_time_t expires;
    int forged = esign_captcha_read(keyring, challenge, apr_time_now(), answer, &expires, p) ==
                 ESIGN_CAPTCHA_FORGED;
    puts(forged ? "" : answer);
    fflush(stdout);
    return forged ? esign_command_fail(ESIGN_EXIT_REFUSED, "that is no challenge of this key file")
                  : ESIGN_EXIT_OK;
}

int esign_command_captcha_answer(const esign_command_t *command)
{
    const esign_keyring_t *keyring;
    char line[CHALLENGE_LINE_MAX];
    const char *challenge = esign_command_argument(command, 0);
    int code = ESIGN_EXIT_OK;
    esign_result_t result = esign_settings_keyring(command->settings, &keyring, command->pool);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT, "%s", result.detail);
    if (strcmp(challenge, "-") != 0)
        return print_answer(keyring, challenge, command->pool);
    apr_pool_t *p;
    apr_pool_create(&p, command->pool);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (print_answer(keyring, line, p) != ESIGN_EXIT_OK)
            code = ESIGN_EXIT_REFUSED;
        apr_pool_clear(p);
    }
    return code;
}
