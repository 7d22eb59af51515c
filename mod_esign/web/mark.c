/* SPDX-License-Identifier: Apache-2.0 */
/* mark.c: makes and compares the marks of forms. */
#include "mark.h"

#include "form.h"

#include "core/base64.h"
#include "core/digest.h"

#include <apr_strings.h>

/* Bytes of the HMAC that are used. */
#define SIZE 12

static const char *mark_under_key(const esign_request_t *q, int key,
                                  const esign_subscriber_t *subscriber)
{
    const char *text = apr_psprintf(q->r->pool, "form of #%" APR_INT64_T_FMT, subscriber->id);
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(esign_keyring_key(q->runtime->keyring, ESIGN_KEY_MARK, key), text,
                      strlen(text), mac);
    return esign_base64_url_encode(q->r->pool, mac, SIZE);
}

const char *esign_mark_make(const esign_request_t *q, const esign_subscriber_t *subscriber)
{
    return mark_under_key(q, esign_keyring_active(q->runtime->keyring), subscriber);
}

int esign_mark_differs(const esign_request_t *q, const esign_subscriber_t *subscriber)
{
    const char *sent = esign_form_field(q, "mark");
    const int *keys;
    int count = esign_keyring_ids(q->runtime->keyring, &keys);
    /* A form that was open while the active key changed has a mark under an older key. */
    for (int i = 0; *sent && i < count; i++)
        if (strcmp(sent, mark_under_key(q, keys[i], subscriber)) == 0)
            return 0;
    return *sent != '\0';
}
