/* SPDX-License-Identifier: Apache-2.0 */
/* test_libcurl.c: the options of each handle, and the error for a libcurl that refuses one. */
#define CURL_DISABLE_TYPECHECK
#include "deliver/libcurl.h"
#include "suite.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#undef curl_easy_setopt

/* Of the running test: all options that were set, in their order. */
static struct {
    CURLoption option;
    long number;
    const void *pointer;
} set[64];
static int count;
static CURLoption refused; /* 0: none */

/* Replaces libcurl's function. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    va_list value;
    (void)easy;
    if (option == refused)
        return CURLE_UNKNOWN_OPTION;
    va_start(value, option);
    set[count].option = option;
    if (option < CURLOPTTYPE_OBJECTPOINT)
        set[count].number = va_arg(value, long);
    else
        set[count].pointer = va_arg(value, const void *);
    va_end(value);
    count++;
    return CURLE_OK;
}

static int index_of(CURLoption option)
{
    int found = -1;
    for (int i = 0; i < count; i++)
        if (set[i].option == option) {
            CU_ASSERT_EQUAL(found, -1);
            found = i;
        }
    return found;
}

static long number_of(CURLoption option)
{
    return index_of(option) < 0 ? -1 : set[index_of(option)].number;
}

static const char *text_of(CURLoption option)
{
    return index_of(option) < 0 ? "" : set[index_of(option)].pointer;
}

static CURLcode limit(apr_interval_time_t timeout, const char *ca_file)
{
    static char words[CURL_ERROR_SIZE];
    const esign_libcurl_limits_t limits = { .protocols = "http,https",
                                            .ca_file = ca_file,
                                            .timeout = timeout };
    count = 0;
    CURLcode code = esign_libcurl_limit(NULL, &limits, words);
    if (code == CURLE_OK)
        CU_ASSERT_PTR_EQUAL(text_of(CURLOPT_ERRORBUFFER), words);
    return code;
}

static void test_limits(void)
{
    CU_ASSERT_EQUAL(limit(apr_time_from_sec(30), NULL), CURLE_OK);
    CU_ASSERT_STRING_EQUAL(text_of(CURLOPT_PROTOCOLS_STR), "http,https");
    CU_ASSERT_STRING_EQUAL(text_of(CURLOPT_NOPROXY), "*");
    CU_ASSERT_EQUAL(number_of(CURLOPT_FOLLOWLOCATION), 0);
    CU_ASSERT_EQUAL(number_of(CURLOPT_NOSIGNAL), 1);
    CU_ASSERT_EQUAL(number_of(CURLOPT_QUICK_EXIT), 1);
    CU_ASSERT_EQUAL(number_of(CURLOPT_SSL_VERIFYPEER), 1);
    CU_ASSERT_EQUAL(number_of(CURLOPT_SSL_VERIFYHOST), 2);
    CU_ASSERT_EQUAL(number_of(CURLOPT_SSLVERSION), CURL_SSLVERSION_TLSv1_2);
    CU_ASSERT_EQUAL(index_of(CURLOPT_CAINFO), -1);
}

static void test_ca_file(void)
{
    CU_ASSERT_EQUAL(limit(apr_time_from_sec(30), "/etc/ca.pem"), CURLE_OK);
    CU_ASSERT_STRING_EQUAL(text_of(CURLOPT_CAINFO), "/etc/ca.pem");
}

/* Connecting has ten seconds of the whole time at most. */
static void test_times(void)
{
    CU_ASSERT_EQUAL(limit(apr_time_from_msec(30500), NULL), CURLE_OK);
    CU_ASSERT(number_of(CURLOPT_TIMEOUT_MS) == 30500 &&
              number_of(CURLOPT_CONNECTTIMEOUT_MS) == 10000);
    CU_ASSERT_EQUAL(limit(apr_time_from_msec(4500), NULL), CURLE_OK);
    CU_ASSERT(number_of(CURLOPT_TIMEOUT_MS) == 4500 &&
              number_of(CURLOPT_CONNECTTIMEOUT_MS) == 4500);
}

/* After the first option that is refused none is set, and the refusal is returned. */
static void test_refused(void)
{
    refused = CURLOPT_SSL_VERIFYPEER;
    CU_ASSERT_EQUAL(limit(apr_time_from_sec(30), NULL), CURLE_UNKNOWN_OPTION);
    refused = 0;
    CU_ASSERT_EQUAL(index_of(CURLOPT_SSL_VERIFYHOST), -1);
}

/* Programs that are started in this process do not inherit our connections. */
static void test_sockets(void)
{
    struct curl_sockaddr address = { .family = AF_INET, .socktype = SOCK_STREAM };
    CU_ASSERT_EQUAL(limit(apr_time_from_sec(30), NULL), CURLE_OK);
    curl_opensocket_callback open =
        (curl_opensocket_callback)set[index_of(CURLOPT_OPENSOCKETFUNCTION)].pointer;
    curl_socket_t made = open(NULL, CURLSOCKTYPE_IPCXN, &address);
    CU_ASSERT(made >= 0 && (fcntl(made, F_GETFD) & FD_CLOEXEC) != 0);
    close(made);
}

static void test_init(void)
{
    count = 0;
    CU_ASSERT(!esign_failed(esign_libcurl_init(pool)));
    CU_ASSERT_STRING_EQUAL(text_of(CURLOPT_PROTOCOLS_STR), "smtp,smtps,http,https");
    refused = CURLOPT_PROTOCOLS_STR;
    esign_result_t result = esign_libcurl_init(pool);
    refused = 0;
    CU_ASSERT(esign_failed(result) &&
              strstr(result.detail, "lacks a protocol (smtp, smtps, http, https)"));
}

int main(void)
{
    CU_TestInfo tests[] = { { "each handle verifies, follows nothing, has no proxy", test_limits },
                            { "a CA file of the configuration's", test_ca_file },
                            { "times", test_times },
                            { "the first refusal is told", test_refused },
                            { "sockets are not for other programs", test_sockets },
                            { "a libcurl without the protocols is found", test_init },
                            CU_TEST_INFO_NULL };
    return suite_run("libcurl", tests);
}
