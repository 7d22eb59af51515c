/* SPDX-License-Identifier: Apache-2.0 */
/* picture.c: challenges on forms, and the screens that send a challenge's picture and sound. */
#include "picture.h"

#include "web/form.h"
#include "web/send.h"

#include "cache/token.h"
#include "challenge/work.h"
#include "core/secret.h"

#include <http_protocol.h>

#include <apr_strings.h>

/* The ways that have an answer to type. */
#define TYPED_WAYS (ESIGN_CHALLENGE_PICTURE | ESIGN_CHALLENGE_SOUND)

/* Whether EsignChallenge offers one of these ways (ESIGN_CHALLENGE_…). */
static int offers(const esign_request_t *q, int ways)
{
    return (q->config->challenge & ways) != 0;
}

int esign_picture_new(esign_request_t *q, esign_picture_t *picture)
{
    esign_result_t result = esign_captcha_issue(q->runtime->keyring, q->now, ESIGN_PICTURE_LIFE,
                                                &picture->challenge, q->r->pool);
    picture->answer = picture->work = NULL;
    if (esign_failed(result))
        esign_request_log(q, result);
    return !esign_failed(result);
}

/* Sets the problem, and issues a new challenge. */
static int replace_challenge(esign_request_t *q, esign_picture_t *picture, const char *problem)
{
    picture->problem = problem;
    return esign_picture_new(q, picture);
}

int esign_picture_use(esign_request_t *q, esign_picture_t *picture)
{
    switch (esign_token_use_challenge(q->runtime->cache, picture->challenge, picture->expires,
                                      q->r->pool)) {
    case ESIGN_CACHE_DONE:
        return 1;
    case ESIGN_CACHE_MISS:
        return replace_challenge(q, picture, picture->work ? "work-expired" : "answer-expired");
    default:
        esign_request_log_cache(q);
        return 0;
    }
}

int esign_picture_judge(esign_request_t *q, esign_picture_t *picture)
{
    char *answer = esign_secret_alloc(q->r->pool, ESIGN_CAPTCHA_LENGTH + 1);
    const char *number = esign_form_field(q, "work"), *typed = esign_form_field(q, "answer");
    const esign_keyring_t *keyring = q->runtime->keyring;
    int is_work = offers(q, ESIGN_CHALLENGE_WORK) && (*number || !offers(q, TYPED_WAYS)), right;
    *picture = (esign_picture_t){ .challenge = esign_form_field(q, "challenge") };
    if (esign_captcha_read(keyring, picture->challenge, q->now, answer, &picture->expires,
                           q->r->pool) != ESIGN_CAPTCHA_OPEN)
        return replace_challenge(q, picture, is_work ? "work-expired" : "answer-expired");
    if (is_work ? !*number : typed[strspn(typed, " ")] == '\0') {
        picture->problem = is_work ? "work-empty" : "answer-empty";
        return 1;
    }
    right = is_work
                ? esign_work_matches(keyring, picture->challenge, q->config->work_number, number)
                : esign_captcha_matches(answer, typed);
    if (right) {
        *(is_work ? &picture->work : &picture->answer) = is_work ? number : typed;
        return 1;
    }
    picture->wrong = 1;
    esign_request_log_refusal(q, is_work ? "wrong work" : "a wrong picture");
    if (!esign_picture_use(q, picture))
        return 0;
    return replace_challenge(q, picture, is_work ? "work-wrong" : "answer-wrong");
}

void esign_picture_add_problem(esign_page_t *page, const esign_picture_t *picture)
{
    const char *field =
        picture->problem && strncmp(picture->problem, "work", 4) == 0 ? "work" : "answer";
    if (picture->problem)
        esign_page_problem(page, field, picture->problem, NULL);
}

/* The path of the picture or its sound; NULL: the way is not offered. */
static const char *challenge_path(const esign_request_t *q, int way, esign_path_e path,
                                  const esign_picture_t *picture)
{
    return offers(q, way) ? esign_request_path_of(q, path, picture->challenge) : NULL;
}

static void add_work(esign_page_t *page, int challenge, const esign_picture_t *picture)
{
    esign_request_t *q = page->q;
    const char *target;
    esign_result_t result = esign_work_target(q->runtime->keyring, picture->challenge,
                                              q->config->work_number, &target, q->r->pool);
    if (esign_failed(result))
        esign_request_log(q, result);
    else
        esign_page_element(page, challenge, "work", "~salt", picture->challenge, "~target", target,
                           "max", apr_itoa(q->r->pool, q->config->work_number), "~number",
                           picture->work, NULL);
}

void esign_picture_add(esign_page_t *page, int form, const esign_picture_t *picture)
{
    esign_request_t *q = page->q;
    const char *drawn = challenge_path(q, ESIGN_CHALLENGE_PICTURE, ESIGN_PATH_PICTURE, picture),
               *spoken = challenge_path(q, ESIGN_CHALLENGE_SOUND, ESIGN_PATH_SOUND, picture);
    if (spoken)
        spoken = apr_pstrcat(q->r->pool, spoken, "?lang=", q->language, NULL);
    int challenge =
        esign_page_element(page, form, "challenge", "~value", picture->challenge, "~picture", drawn,
                           "~sound", spoken, "~answer", picture->answer, NULL);
    if (offers(q, ESIGN_CHALLENGE_WORK))
        add_work(page, challenge, picture);
}

static int send_bytes(esign_request_t *q, const char *type, const char *bytes, apr_size_t length)
{
    ap_set_content_type(q->r, type);
    ap_set_content_length(q->r, (apr_off_t)length);
    ap_set_accept_ranges(q->r);
    esign_send_bytes(q->r, bytes, length, 0);
    return OK;
}

/* Sends picture or sound, while the challenge may be answered. */
static int send_challenge(esign_request_t *q, int way, const char *type)
{
    char *answer = esign_secret_alloc(q->r->pool, ESIGN_CAPTCHA_LENGTH + 1);
    apr_time_t expires;
    const char *bytes, *seed;
    apr_size_t length;
    if (!offers(q, way) ||
        (seed = esign_captcha_seed(q->runtime->keyring, q->argument, q->r->pool)) == NULL ||
        esign_captcha_read(q->runtime->keyring, q->argument, q->now, answer, &expires,
                           q->r->pool) != ESIGN_CAPTCHA_OPEN)
        return esign_page_not_found(q);
    esign_result_t result =
        way == ESIGN_CHALLENGE_PICTURE
            ? esign_captcha_draw(answer, seed, &bytes, &length, q->r->pool)
            : esign_captcha_speak(answer, seed, q->language, &bytes, &length, q->r->pool);
    if (esign_failed(result)) {
        esign_request_log(q, result);
        return esign_page_unavailable(q);
    }
    return send_bytes(q, type, bytes, length);
}

int esign_picture_get(esign_request_t *q)
{
    return send_challenge(q, ESIGN_CHALLENGE_PICTURE, "image/png");
}

int esign_picture_sound_get(esign_request_t *q)
{
    return send_challenge(q, ESIGN_CHALLENGE_SOUND, "audio/wav");
}
