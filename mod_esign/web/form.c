/* SPDX-License-Identifier: Apache-2.0 */
/* form.c: the body of a POST, bounded and strict. */
#include "form.h"

#include "core/record.h"
#include "core/secret.h"

#include <http_protocol.h>

#include <apr_cstr.h>

#define BODY_MAX 16384

/* The whole body into `body`. 0 or a status. */
static int read_body(request_rec *r, char body[BODY_MAX + 1], apr_size_t *length)
{
    if (ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK) != OK)
        return HTTP_BAD_REQUEST;
    *length = 0;
    if (!ap_should_client_block(r))
        return 0;
    for (;;) {
        char spare[1];
        apr_size_t room = BODY_MAX - *length;
        long got = ap_get_client_block(r, room ? body + *length : spare, room ? room : sizeof(spare));
        if (got < 0)
            return HTTP_BAD_REQUEST;
        if (got == 0)
            return 0;
        if (room == 0)
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
        *length += (apr_size_t)got;
    }
}

int esign_form_read(esign_request_t *q)
{
    request_rec *r = q->r;
    const char *type = apr_table_get(r->headers_in, "Content-Type"), *expected = "application/x-www-form-urlencoded";
    char *body = esign_secret_alloc(r->pool, BODY_MAX + 1);
    apr_size_t length;
    int refusal = read_body(r, body, &length);
    if (refusal)
        return refusal;
    if (length > 0 && (!type || apr_cstr_casecmpn(type, expected, strlen(expected)) != 0 || strchr("; \t", type[strlen(expected)]) == NULL))
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    /* Read before httpd's filters (mod_deflate's) could undo one. */
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");
    if (coding && apr_cstr_casecmp(coding, "identity") != 0)
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    q->form = esign_record_decode_form(r->pool, body, length);
    return q->form ? 0 : HTTP_BAD_REQUEST;
}

const char *esign_form_field(const esign_request_t *q, const char *name)
{
    const char *value = q->form ? apr_table_get(q->form, name) : NULL;
    return value ? value : "";
}
