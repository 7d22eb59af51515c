/* SPDX-License-Identifier: Apache-2.0 */
/* device.c: reads and writes the device cookie, which holds a mark for each of the last subscribers
 * that signed in with this browser. */
#include "device.h"

#include "client.h"

#include "core/digest.h"
#include "core/seal.h"

#include <apr_strings.h>

#define PLACE "device cookie"
#define YEAR (365 * 24 * 3600)
/* Subscribers in one cookie: several people may use one computer. The one whose last sign-in is
 * oldest is dropped first. */
#define MARKS 5
#define MARK_SIZE 12
#define SIZE (MARKS * MARK_SIZE)

/* Makes the subscriber's mark, an HMAC of row id and epoch. Only a holder of the keys can make it
 * or find the subscriber by it. A new word and the end of all sessions raise the epoch, so a stolen
 * browser is an unknown device from then on. */
static void make_mark(const esign_request_t *q, int key, const esign_subscriber_t *subscriber,
                      unsigned char mark[ESIGN_DIGEST_SIZE])
{
    const char *text =
        apr_psprintf(q->r->pool, "device of #%" APR_INT64_T_FMT ", %" APR_INT64_T_FMT,
                     subscriber->id, subscriber->epoch);
    esign_digest_hmac(esign_keyring_key(q->runtime->keyring, ESIGN_KEY_MARK, key), text,
                      strlen(text), mark);
}

/* The MARKS marks of the cookie, the latest first, in r->pool. If the cookie is absent, forged or
 * of a lost key, they are random bytes. Unused places are random too, so that the length of the
 * cookie does not show how many people sign in here. */
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

/* The place of the subscriber's mark, made under any key; -1: there is none. memcmp may leak its
 * time here: the marks come out of a seal, so nobody can send guesses. */
static int find_mark(esign_request_t *q, const unsigned char *marks,
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
    return find_mark(q, read_marks(q), subscriber) >= 0;
}

void esign_device_remember(esign_request_t *q, const esign_subscriber_t *subscriber)
{
    const unsigned char *old = read_marks(q);
    unsigned char mark[ESIGN_DIGEST_SIZE], marks[SIZE];
    const char *sealed;
    int place = find_mark(q, old, subscriber);
    apr_size_t before = (apr_size_t)(place >= 0 ? place : MARKS - 1) * MARK_SIZE,
               after = before + MARK_SIZE;
    make_mark(q, esign_keyring_active(q->runtime->keyring), subscriber, mark);
    memcpy(marks, mark, MARK_SIZE);
    memcpy(marks + MARK_SIZE, old, before);
    memcpy(marks + after, old + after, SIZE - after);
    esign_result_t result = esign_seal(q->runtime->keyring, ESIGN_KEY_COOKIE, PLACE, marks,
                                       sizeof(marks), &sealed, q->r->pool);
    if (esign_failed(result))
        esign_request_log(q, result);
    else
        esign_client_set_cookie(q->r, ESIGN_COOKIE_DEVICE, sealed, YEAR);
}
