/* SPDX-License-Identifier: Apache-2.0 */
/* picture.c: the picture on the forms, and the picture itself. */
#include "picture.h"

#include "form.h"
#include "store/token.h"

#include <http_protocol.h>

#include <apr_strings.h>

int esign_picture_new(esign_request_t *q, esign_picture_t *picture)
{
    esign_result_t result = esign_captcha_issue(q->runtime->keyring, q->now, ESIGN_PICTURE_LIFE, &picture->challenge, q->r->pool);
    picture->answer = NULL;
    if (esign_failed(result))
        esign_request_log(q, result);
    return !esign_failed(result);
}

static int renew(esign_request_t *q, esign_picture_t *picture, const char *problem)
{
    picture->problem = problem;
    return esign_picture_new(q, picture);
}

int esign_picture_use(esign_request_t *q, esign_picture_t *picture)
{
    switch (esign_token_use_challenge(q->runtime->cache, picture->challenge, picture->expires, q->r->pool)) {
    case ESIGN_CACHE_DONE:
        return 1;
    case ESIGN_CACHE_MISS:
        return renew(q, picture, "answer-expired");
    default:
        esign_request_log_cache(q);
        return 0;
    }
}

int esign_picture_judge(esign_request_t *q, esign_picture_t *picture)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1];
    const char *typed = esign_form_field(q, "answer");
    *picture = (esign_picture_t){ .challenge = esign_form_field(q, "challenge") };
    if (esign_captcha_read(q->runtime->keyring, picture->challenge, q->now, answer, &picture->expires, q->r->pool) != ESIGN_CAPTCHA_OPEN)
        return renew(q, picture, "answer-expired");
    if (typed[strspn(typed, " ")] == '\0') {
        picture->problem = "answer-empty";
        return 1;
    }
    if (esign_captcha_matches(answer, typed)) {
        picture->answer = typed;
        return 1;
    }
    picture->wrong = 1;
    if (!esign_picture_use(q, picture))
        return 0;
    return renew(q, picture, "answer-wrong");
}

void esign_picture_show(esign_page_t *page, xmlNodePtr form, const esign_picture_t *picture)
{
    esign_request_t *q = page->q;
    const char *below = apr_pstrcat(q->r->pool, "captcha/", picture->challenge, ".png", NULL);
    esign_page_element(page, form, "challenge", "value", picture->challenge, "picture", esign_request_path(q, below), "answer", picture->answer, NULL);
}

/* An expired picture is still drawn: the form that shows it says what to do when it is sent. */
int esign_picture_get(esign_request_t *q)
{
    char answer[ESIGN_CAPTCHA_LENGTH + 1];
    apr_time_t expires;
    const char *png;
    apr_size_t length;
    if (esign_captcha_read(q->runtime->keyring, q->argument, q->now, answer, &expires, q->r->pool) == ESIGN_CAPTCHA_FORGED)
        return esign_page_not_found(q);
    esign_result_t result = esign_captcha_draw(answer, q->argument, &png, &length, q->r->pool);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return esign_page_unavailable(q);
    }
    ap_set_content_type(q->r, "image/png");
    ap_set_content_length(q->r, (apr_off_t)length);
    if (!q->r->header_only)
        ap_rwrite(png, (int)length, q->r);
    return OK;
}
