/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h: the picture on a form, its spoken form and the work that may stand in for it: made,
 * judged, used up. */
#ifndef ESIGN_SCREENS_PICTURE_H
#define ESIGN_SCREENS_PICTURE_H

#include "web/page.h"

#include "challenge/captcha.h"

esign_screen_fn esign_picture_get, esign_picture_sound_get;

#define ESIGN_PICTURE_LIFE apr_time_from_sec(5 * 60)

/* The picture of one form. */
typedef struct {
    const char
        *challenge; /* what the form shows next: the one that was sent while it is still good */
    const char
        *answer; /* filled in again: the right answer beside a mistake in another field; NULL */
    const char *work;    /* the same of a right number */
    const char *problem; /* NULL, or the code of what is wrong with it */
    int wrong; /* another answer than the picture's was sent, or another number than the work's */
    apr_time_t expires;
} esign_picture_t;

/* A fresh one. 0: it could not be made, logged. */
int esign_picture_new(esign_request_t *q, esign_picture_t *picture);

/* Judges what was sent: the work's number when there is one, else the answer, and only what
 * EsignChallenge offers. A wrong one uses the challenge up; an empty or a right one does not. Sets
 * picture->problem when it is not right. 0: memcached failed, logged. */
int esign_picture_judge(esign_request_t *q, esign_picture_t *picture);

/* Uses a right one up; when another request did so before, sets picture->problem and a fresh
 * challenge. 0: memcached failed, logged. */
int esign_picture_use(esign_request_t *q, esign_picture_t *picture);

/* Says what is wrong with it, at its field; nothing when nothing is. */
void esign_picture_tell(esign_page_t *page, const esign_picture_t *picture);

/* Puts it on a form. */
void esign_picture_show(esign_page_t *page, int form, const esign_picture_t *picture);

#endif
