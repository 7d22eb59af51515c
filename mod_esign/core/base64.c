/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c: libsodium's base64, with the check of input that its version 1.0.18 lacks. */
#include "base64.h"
#include "ascii.h"
#include "secret.h"

#include <sodium.h>
#include <string.h>

static char *encode_variant(apr_pool_t *p, const void *bytes, apr_size_t length, int variant)
{
    apr_size_t size = sodium_base64_encoded_len(length, variant);
    return sodium_bin2base64(esign_secret_alloc(p, size), size, bytes, length, variant);
}

/* libsodium 1.0.18 reads every byte above 0x7f as the last letter of the alphabet. Then one value
 * would have several texts, and a used challenge could be used again under another of them. */
static int read_variant(unsigned char *bytes, apr_size_t size, const char *text, apr_size_t given,
                        apr_size_t *length, int variant)
{
    return esign_ascii(text, given) &&
           sodium_base642bin(bytes, size, text, given, NULL, length, NULL, variant) == 0;
}

char *esign_base64_url_encode(apr_pool_t *p, const void *bytes, apr_size_t length)
{
    return encode_variant(p, bytes, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void esign_base64_url_write(char *text, const void *bytes, apr_size_t length)
{
    sodium_bin2base64(text, ESIGN_BASE64_URL_LENGTH(length) + 1, bytes, length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

unsigned char *esign_base64_url_decode(apr_pool_t *p, const char *text, apr_size_t *length)
{
    apr_size_t given = strlen(text), size = given / 4 * 3 + 3;
    unsigned char *bytes = esign_secret_alloc(p, size);
    return esign_base64_url_read(bytes, size, text, given, length) ? bytes : NULL;
}

int esign_base64_url_read(unsigned char *bytes, apr_size_t size, const char *text, apr_size_t given,
                          apr_size_t *length)
{
    return read_variant(bytes, size, text, given, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *esign_base64_encode(apr_pool_t *p, const void *bytes, apr_size_t length)
{
    return encode_variant(p, bytes, length, sodium_base64_VARIANT_ORIGINAL);
}

int esign_base64_read_unpadded(unsigned char *bytes, apr_size_t size, const char *text,
                               apr_size_t given, apr_size_t *length)
{
    return read_variant(bytes, size, text, given, length,
                        sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
