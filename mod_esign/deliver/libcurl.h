/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl.h: prepares libcurl, and sets what every connection of ours has in common. */
#ifndef ESIGN_DELIVER_LIBCURL_H
#define ESIGN_DELIVER_LIBCURL_H

#include "core/result.h"

#include <apr_time.h>

#include <curl/curl.h>

/* Initialises libcurl and asks it for the protocols and options without which nothing could be
 * sent: the library that is installed may be built without SMTP or TLS. Called once in httpd's
 * parent, before there are threads; a second call does no harm. The failure's detail, in `p`, names
 * the missing protocols. */
esign_result_t esign_libcurl_init(apr_pool_t *p);

/* What differs between the connections of mail and SMS. */
typedef struct {
    const char *protocols;       /* allowed schemes, as CURLOPT_PROTOCOLS_STR takes them */
    const char *ca_file;         /* CA certificates in PEM; NULL: the system's */
    apr_interval_time_t timeout; /* of the whole transfer; connecting gets 10 s of it at most */
} esign_libcurl_limits_t;

/* Limits a handle: it verifies TLS (1.2 at least), follows no redirect, uses no proxy and allows
 * only `limits->protocols`. libcurl writes into `words`, CURL_ERROR_SIZE bytes that outlive the
 * handle, why a transfer failed. Returns the first refusal of libcurl's. */
CURLcode esign_libcurl_limit(CURL *easy, const esign_libcurl_limits_t *limits, char *words);

/* Sets an option of a handle, unless one was refused before: `code` keeps the first refusal. */
#define ESIGN_LIBCURL_SET(code, easy, option, value)              \
    do {                                                          \
        if ((code) == CURLE_OK)                                   \
            (code) = curl_easy_setopt((easy), (option), (value)); \
    } while (0)

#endif
