/* SPDX-License-Identifier: Apache-2.0 */
/* form.h: reading a POST. */
#ifndef ESIGN_WEB_FORM_H
#define ESIGN_WEB_FORM_H

#include "request.h"

/* Reads the body into q->form. 0, or the status of the refusal: 400 malformed (broken escape, NUL,
 * a field twice, not UTF-8), 413 over 16 KiB, 415 another type than
 * application/x-www-form-urlencoded. */
int esign_form_read(esign_request_t *q);

/* Reads the body of another program's request into q->body, whatever it is. 0, 400 or 413 as above.
 */
int esign_form_read_plain(esign_request_t *q);

/* A field as it was sent, "" when it is absent. */
const char *esign_form_field(const esign_request_t *q, const char *name);

/* The identity number of the field `id`, normalized into `id`. NULL, or the code of its problem. */
const char *esign_form_id_problem(const esign_request_t *q, char id[ESIGN_NATIONAL_ID_MAX + 1]);

#endif
