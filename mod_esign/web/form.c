/* SPDX-License-Identifier: Apache-2.0 */
/* form.c: reads a body of bounded size, and takes only well-formed fields. */
#include "form.h"

#include "wipe.h"

#include "core/record.h"
#include "core/secret.h"

#include <http_protocol.h>

#include <apr_cstr.h>

#define BODY_MAX 16384

/* Appends the bytes of a brigade to `body`, and overwrites them in the brigade. 0, or the status of
 * the refusal. `*end` becomes 1 at the end of the body. */
static int append_brigade(apr_bucket_brigade *brigade, char body[BODY_MAX + 1], apr_size_t *length,
                          int *end)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *bytes;
        apr_size_t got;
        if (APR_BUCKET_IS_EOS(bucket))
            *end = 1;
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        if (apr_bucket_read(bucket, &bytes, &got, APR_BLOCK_READ) != APR_SUCCESS)
            return HTTP_BAD_REQUEST;
        if (got > BODY_MAX - *length)
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
        memcpy(body + *length, bytes, got);
        *length += got;
        esign_wipe_bucket(bucket, bytes, got);
    }
    return 0;
}

/* Reads the whole body into `body`. 0, or the status of the refusal. */
static int read_body(request_rec *r, char body[BODY_MAX + 1], apr_size_t *length)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int refusal = 0;
    if (ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK) != OK)
        return HTTP_BAD_REQUEST;
    *length = 0;
    for (int end = !ap_should_client_block(r); !end && !refusal; apr_brigade_cleanup(brigade)) {
        if (ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ,
                           HUGE_STRING_LEN) == APR_SUCCESS) {
            refusal = append_brigade(brigade, body, length, &end);
            continue;
        }
        refusal = HTTP_BAD_REQUEST;
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    return refusal;
}

int esign_form_read(esign_request_t *q)
{
    request_rec *r = q->r;
    const char *type = apr_table_get(r->headers_in, "Content-Type"),
               *expected = "application/x-www-form-urlencoded";
    char *body = esign_secret_alloc(r->pool, BODY_MAX + 1);
    apr_size_t length;
    int refusal = read_body(r, body, &length);
    if (refusal)
        return refusal;
    if (length > 0 && (!type || apr_cstr_casecmpn(type, expected, strlen(expected)) != 0 ||
                       strchr("; \t", type[strlen(expected)]) == NULL))
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    /* The body is read before input filters are added that could decode it (mod_deflate's). */
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");
    if (coding && apr_cstr_casecmp(coding, "identity") != 0)
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    q->form = esign_record_decode_form(r->pool, body, length);
    return q->form ? 0 : HTTP_BAD_REQUEST;
}

int esign_form_read_plain(esign_request_t *q)
{
    apr_size_t length;
    char *body = esign_secret_alloc(q->r->pool, BODY_MAX + 1);
    q->body = body;
    return read_body(q->r, body, &length);
}

const char *esign_form_field(const esign_request_t *q, const char *name)
{
    const char *value = q->form ? apr_table_get(q->form, name) : NULL;
    return value ? value : "";
}

const char *esign_form_id_problem(const esign_request_t *q, char id[ESIGN_NATIONAL_ID_MAX + 1])
{
    const char *typed = esign_form_field(q, "id");
    if (typed[strspn(typed, " \t")] == '\0')
        return "id-empty";
    return esign_national_id_parse(q->runtime->scheme, typed, id) ? NULL : "id-wrong";
}
