/* SPDX-License-Identifier: Apache-2.0 */
/* form.h: reads the body of a POST, and its fields. */
#ifndef ESIGN_WEB_FORM_H
#define ESIGN_WEB_FORM_H

#include "request.h"

/* Reads a form into q->form. 0, or the status of the refusal: 400 malformed (broken escape, NUL, a
 * field twice, not UTF-8), 413 over 16 KiB, 415 any type but application/x-www-form-urlencoded. */
int esign_form_read(esign_request_t *q);

/* Reads a body of any type into q->body. 0, or 400 or 413 as above. */
int esign_form_read_plain(esign_request_t *q);

/* The value of a field as it was sent; "": it is absent. Secret memory. */
const char *esign_form_field(const esign_request_t *q, const char *name);

/* Reads the identity number of the field `id`, normalized, into `id`. NULL, or the code of the
 * problem that the page shows. */
const char *esign_form_id_problem(const esign_request_t *q, char id[ESIGN_NATIONAL_ID_MAX + 1]);

#endif
