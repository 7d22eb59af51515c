/* SPDX-License-Identifier: Apache-2.0 */
/* device.c: a long-lived cookie with the marks of those who have signed in with this browser. */
#include "device.h"

#include "client.h"

#include "core/digest.h"
#include "core/seal.h"

#include <apr_strings.h>

#define PLACE "device cookie"
#define YEAR (365 * 24 * 3600)
/* A computer of an office knows this many people; the one who was away longest is forgotten first.
 */
#define MARKS 5
#define MARK_SIZE 12
#define SIZE (MARKS * MARK_SIZE)

/* Only we can make it or tell whose it is. The epoch is in it: a thief's browser that a word change
 * or an end of all sessions has locked out is not known afterwards. */
static void make_mark(const esign_request_t *q, int key, const esign_subscriber_t *subscriber,
                      unsigned char mark[ESIGN_DIGEST_SIZE])
{
    const char *text =
        apr_psprintf(q->r->pool, "device of #%" APR_INT64_T_FMT ", %" APR_INT64_T_FMT,
                     subscriber->id, subscriber->epoch);
    esign_digest_hmac(esign_keyring_key(q->runtime->keyring, ESIGN_KEY_MARK, key), text,
                      strlen(text), mark);
}

/* The cookie's marks, the latest first. The places of a cookie that is absent, forged or of a lost
 * key, and those not taken yet, hold random bytes: its length does not tell how many people sign in
 * here. */
static const unsigned char *read_marks(esign_request_t *q)
{
    const char *cookie = esign_client_cookie(q->r, ESIGN_COOKIE_DEVICE);
    char *clear;
    apr_size_t length;
    if (cookie &&
        !esign_failed(esign_unseal(q->runtime->keyring, ESIGN_KEY_COOKIE, PLACE, cookie, &clear,
                                   &length, q->r->pool)) &&
        length == SIZE)
        return (const unsigned char *)clear;
    unsigned char *none = apr_palloc(q->r->pool, SIZE);
    esign_digest_random(none, SIZE);
    return none;
}

/* Where the subscriber's mark stands, under whichever key it was made; -1: nowhere. The marks were
 * sealed: nobody can try them out. */
static int find(esign_request_t *q, const unsigned char *marks,
                const esign_subscriber_t *subscriber)
{
    const int *keys;
    int count = esign_keyring_ids(q->runtime->keyring, &keys);
    for (int i = 0; i < count; i++) {
        unsigned char mark[ESIGN_DIGEST_SIZE];
        make_mark(q, keys[i], subscriber, mark);
        for (int place = 0; place < MARKS; place++)
            if (memcmp(marks + place * MARK_SIZE, mark, MARK_SIZE) == 0)
                return place;
    }
    return -1;
}

int esign_device_known(esign_request_t *q, const esign_subscriber_t *subscriber)
{
    return find(q, read_marks(q), subscriber) >= 0;
}

void esign_device_remember(esign_request_t *q, const esign_subscriber_t *subscriber)
{
    const unsigned char *old = read_marks(q);
    unsigned char mark[ESIGN_DIGEST_SIZE], marks[SIZE];
    const char *sealed;
    int place = find(q, old, subscriber);
    apr_size_t before = (apr_size_t)(place >= 0 ? place : MARKS - 1) * MARK_SIZE,
               behind = before + MARK_SIZE;
    make_mark(q, esign_keyring_active(q->runtime->keyring), subscriber, mark);
    memcpy(marks, mark, MARK_SIZE);
    memcpy(marks + MARK_SIZE, old, before);
    memcpy(marks + behind, old + behind, SIZE - behind);
    esign_result_t result = esign_seal(q->runtime->keyring, ESIGN_KEY_COOKIE, PLACE, marks,
                                       sizeof(marks), &sealed, q->r->pool);
    if (esign_failed(result))
        esign_request_log(q, result);
    else
        esign_client_set_cookie(q->r, ESIGN_COOKIE_DEVICE, sealed, YEAR);
}
