/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl.c: prepares libcurl, and sets what every connection of ours has in common. */
#include "libcurl.h"

#include <sys/socket.h>

#define LONGEST_CONNECT apr_time_from_sec(10)

esign_result_t esign_libcurl_init(apr_pool_t *p)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = code == CURLE_OK ? curl_easy_init() : NULL;
    if (code == CURLE_OK && !easy)
        code = CURLE_OUT_OF_MEMORY;
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps,http,https");
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_cleanup(easy);
    if (code == CURLE_OK)
        return ESIGN_OK;
    return esign_result_make(p, APR_EGENERAL, "libcurl",
                             "libcurl %s is too old, or lacks a protocol (smtp, smtps, http, "
                             "https): %s",
                             curl_version_info(CURLVERSION_NOW)->version, curl_easy_strerror(code));
}

/* libcurl would leave its sockets open to the programs that others start in this process (mod_cgi,
 * mod_include). */
static curl_socket_t open_socket(void *nothing, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)nothing, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode esign_libcurl_limit(CURL *easy, const esign_libcurl_limits_t *limits, char *words)
{
    CURLcode code = CURLE_OK;
    apr_interval_time_t connect =
        limits->timeout < LONGEST_CONNECT ? limits->timeout : LONGEST_CONNECT;
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_ERRORBUFFER, words);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_PROTOCOLS_STR, limits->protocols);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_FOLLOWLOCATION, 0L);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_NOPROXY, "*");
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_NOSIGNAL, 1L);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    /* A transfer that gives up must not wait for its resolver thread: that holds up the others. */
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_QUICK_EXIT, 1L);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(limits->timeout));
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_CONNECTTIMEOUT_MS, (long)apr_time_as_msec(connect));
    /* The smallest buffer that libcurl allows. SMTP takes it three times for each mail, and our
     * malloc overwrites all of it twice. */
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_SSL_VERIFYPEER, 1L);
    ESIGN_LIBCURL_SET(code, easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (limits->ca_file)
        ESIGN_LIBCURL_SET(code, easy, CURLOPT_CAINFO, limits->ca_file);
    return code;
}
