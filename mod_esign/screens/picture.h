/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h: the challenge of a form: a picture to read, its spoken form, or a proof of work
 * instead. It is issued, judged and used up here. */
#ifndef ESIGN_SCREENS_PICTURE_H
#define ESIGN_SCREENS_PICTURE_H

#include "web/page.h"

#include "challenge/captcha.h"

esign_screen_fn esign_picture_get, esign_picture_sound_get;

/* How long a challenge may be answered. */
#define ESIGN_PICTURE_LIFE apr_time_from_sec(5 * 60)

/* The challenge of one form. Texts are in r->pool or in the form. */
typedef struct {
    const char
        *challenge;      /* what the form shows next; the one that was sent, if it is still good */
    const char *answer;  /* the right answer, to fill in again when another field is wrong; NULL */
    const char *work;    /* the same for the number of a proof of work */
    const char *problem; /* NULL, or the code of the problem */
    int wrong;           /* the answer or the number was wrong, not only missing or expired */
    apr_time_t expires;
} esign_picture_t;

/* Issues a challenge. 0: it cannot be made, logged. */
int esign_picture_new(esign_request_t *q, esign_picture_t *picture);

/* Judges what the form sent: the number of a proof of work if there is one, else the answer, and
 * only in ways that EsignChallenge offers. A wrong one uses the challenge up; a right or empty one
 * does not. Unless it is right, picture->problem is set. 0: memcached failed, logged. */
int esign_picture_judge(esign_request_t *q, esign_picture_t *picture);

/* Uses up a challenge that was answered rightly. If another request was first, sets
 * picture->problem and issues a new challenge. 0: memcached failed, logged. */
int esign_picture_use(esign_request_t *q, esign_picture_t *picture);

/* Adds picture->problem, if there is one, to the page, at the field that it concerns. */
void esign_picture_add_problem(esign_page_t *page, const esign_picture_t *picture);

/* Adds the challenge to the element `form` of the page. */
void esign_picture_add(esign_page_t *page, int form, const esign_picture_t *picture);

#endif
