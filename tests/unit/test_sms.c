/* SPDX-License-Identifier: Apache-2.0 */
/* test_sms.c: how an SMS ends, for each answer of a gateway on a socket. */
#include "suite.h"

#include "deliver/transport.h"

#include <apr_thread_proc.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static _Atomic int set_back, looks;
static _Atomic size_t answered; /* bytes of the last answer that the client took */

/* Replaces libapr's function: the machine's clock, which somebody sets back by an hour after the
 * next look.
 */
apr_time_t apr_time_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return apr_time_from_sec(now.tv_sec - (set_back && looks++ > 0 ? 3600 : 0)) +
           now.tv_nsec / 1000;
}

/* A gateway that accepts one connection at a time, reads a request and sends its answer. NULL: it
 * sends nothing, and keeps the connection open. */
typedef struct {
    int listener, port;
    const char *answer;
    char asked[4096];
    atomic_int connections;
    apr_thread_t *thread;
    atomic_int over;
} gateway_t;

/* Whether a request is complete, with its body. */
static int is_whole(const char *asked)
{
    const char *end = strstr(asked, "\r\n\r\n"), *length = strstr(asked, "\r\nContent-Length: ");
    return end && (!length || length > end || strlen(end + 4) >= strtoul(length + 18, NULL, 10));
}

static void serve(gateway_t *g, int connection)
{
    apr_size_t length = 0;
    ssize_t got;
    g->connections++;
    while (!is_whole(g->asked) &&
           (got = read(connection, g->asked + length, sizeof(g->asked) - 1 - length)) > 0)
        g->asked[length += (apr_size_t)got] = '\0';
    struct pollfd silence = { .fd = connection, .events = POLLIN };
    /* A client that has read enough of a flood hangs up. */
    answered = 0;
    for (const char *rest = g->answer;
         rest && *rest && (got = send(connection, rest, strlen(rest), MSG_NOSIGNAL)) > 0;) {
        rest += got;
        answered += (size_t)got;
    }
    if (!g->answer)
        poll(&silence, 1, 20000);
    close(connection);
}

static void *APR_THREAD_FUNC run_gateway(apr_thread_t *thread, void *data)
{
    gateway_t *g = data;
    while (!g->over) {
        struct pollfd door = { .fd = g->listener, .events = POLLIN };
        if (poll(&door, 1, 20) == 1)
            serve(g, accept(g->listener, NULL, NULL));
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static gateway_t *open_gateway(const char *answer)
{
    gateway_t *g = apr_pcalloc(pool, sizeof(*g));
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);
    g->listener = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(bind(g->listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                    listen(g->listener, 8) == 0 &&
                    getsockname(g->listener, (struct sockaddr *)&at, &size) == 0);
    g->port = ntohs(at.sin_port);
    g->answer = answer;
    CU_ASSERT_FATAL(apr_thread_create(&g->thread, NULL, run_gateway, g, pool) == APR_SUCCESS);
    return g;
}

static void close_gateway(gateway_t *g)
{
    apr_status_t status;
    g->over = 1;
    apr_thread_join(&status, g->thread);
    close(g->listener);
}

/* This suite sends no mail. */
static const esign_smtp_t no_mail = { .url = "smtp://127.0.0.1:1", .connections = 1 };

static esign_lease_t lease = { APR_INT64_MAX };

/* How the last transfer ended. */
static esign_transfer_outcome_e outcome;
static const char *words;

static void done(void *baton, apr_int64_t id, esign_transfer_outcome_e how, const char *error)
{
    CU_ASSERT(id == 7);
    *(int *)baton += 1;
    outcome = how;
    words = error ? apr_pstrdup(pool, error) : NULL;
}

/* Sends an SMS that expires after `life`, and waits for its outcome. Returns how long that took. */
static apr_interval_time_t send_for(const char *url, esign_sms_gateway_t gateway,
                                    apr_interval_time_t life)
{
    int ended = 0;
    esign_transport_t *transport;
    const esign_sms_t sms = { .to = "+905551234567",
                              .text = "Kod: 739154",
                              .report = "https://h/r",
                              .expires = apr_time_now() + life };
    gateway.url = url;
    gateway.method = gateway.body ? "POST" : "GET";
    gateway.timeout = apr_time_from_sec(10);
    CU_ASSERT_FATAL(
        !esign_failed(esign_transport_create(&transport, &no_mail, done, &ended, pool)));
    apr_time_t start = apr_time_now();
    CU_ASSERT_FATAL(!esign_failed(esign_transport_sms(transport, 7, &gateway, &sms, &lease)));
    while (esign_transport_collect(transport) > 0 && apr_time_now() - start < apr_time_from_sec(8))
        esign_transport_wait(transport, -1, apr_time_from_sec(1));
    CU_ASSERT_EQUAL(ended, 1);
    return apr_time_now() - start;
}

static const char *url_of(const gateway_t *g, const char *scheme)
{
    return apr_psprintf(pool, "%s://127.0.0.1:%d/?n={number}&t={text}&r={report}", scheme, g->port);
}

static void answer_with(const char *answer, esign_sms_gateway_t gateway,
                        esign_transfer_outcome_e expected)
{
    gateway_t *g = open_gateway(answer);
    send_for(url_of(g, "http"), gateway, apr_time_from_sec(60));
    close_gateway(g);
    CU_ASSERT_EQUAL(outcome, expected);
    CU_ASSERT((words == NULL) == (expected == ESIGN_TRANSFER_SENT));
}

#define HTTP(status, text) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" text

static const esign_pattern_t *accepted(const char *text)
{
    const esign_pattern_t *made = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_pattern_compile(&made, text, pool)));
    return made;
}

static void test_by_status(void)
{
    static const esign_sms_gateway_t plain = { .name = "a" };
    answer_with(HTTP("200 OK", "whatever"), plain, ESIGN_TRANSFER_SENT);
    answer_with(HTTP("202 Accepted", ""), plain, ESIGN_TRANSFER_SENT);
    answer_with(HTTP("500 No", ""), plain, ESIGN_TRANSFER_LATER);
    answer_with(HTTP("429 Slowly", ""), plain, ESIGN_TRANSFER_LATER);
    answer_with(HTTP("408 Slow", ""), plain, ESIGN_TRANSFER_LATER);
    answer_with(HTTP("403 No", ""), plain, ESIGN_TRANSFER_NEVER);
    CU_ASSERT_STRING_EQUAL(words, "HTTP status 403");
    answer_with(HTTP("302 There\r\nLocation: http://127.0.0.1:1/", ""), plain,
                ESIGN_TRANSFER_LATER);
}

static void test_by_pattern(void)
{
    const esign_sms_gateway_t strict = { .name = "a", .accepted = accepted("^OK \\d+$") };
    answer_with(HTTP("200 OK", "OK 17\n"), strict, ESIGN_TRANSFER_SENT);
    answer_with(HTTP("500 No", "OK 17"), strict, ESIGN_TRANSFER_LATER);
    answer_with(HTTP("200 OK", ""), strict, ESIGN_TRANSFER_NEVER);
    /* The error has the gateway's words, on one line, without number and code. */
    answer_with(HTTP("200 OK", "\r\nERR 12 to 05551234567: Kod: 739154\n#739154\nOK"), strict,
                ESIGN_TRANSFER_NEVER);
    CU_ASSERT_STRING_EQUAL(words, "HTTP status 200, and an answer that does not say that it was "
                                  "accepted: ERR 12 to ***********: Kod: ****** #****** OK");
    /* The beginning of an endless answer counts; the rest is not read. */
    enum { FLOOD = 16 << 20 };
    char *flood = apr_palloc(pool, FLOOD + 1);
    memset(flood, 'x', FLOOD);
    flood[FLOOD] = '\0';
    answer_with(apr_pstrcat(pool, HTTP("200 OK", "OK 1\n"), flood, NULL), strict,
                ESIGN_TRANSFER_SENT);
    answer_with(apr_pstrcat(pool, HTTP("200 OK", ""), flood, "\nOK 1\n", NULL), strict,
                ESIGN_TRANSFER_NEVER);
    CU_ASSERT(answered < FLOOD);
}

/* Secrets that a gateway repeats do not reach the log. */
static void test_credentials(void)
{
    const esign_sms_gateway_t gateway = { .name = "a", .secret = "Aladdin:open sesame" };
    answer_with(HTTP("401 No", "{\r\n  \"error\": \"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\",\r\n  "
                               "\"of\": \"Aladdin:open sesame\", \"word\": \"open sesame\" }"),
                gateway, ESIGN_TRANSFER_NEVER);
    CU_ASSERT_STRING_EQUAL(words,
                           "HTTP status 401: { \"error\": \"Basic ****************************\", "
                           "\"of\": \"*******************\", \"word\": \"***********\" }");
    answer_with(HTTP("503 No", " \r\n\t"), gateway, ESIGN_TRANSFER_LATER);
    CU_ASSERT_STRING_EQUAL(words, "HTTP status 503");
    answer_with(HTTP("503 No", "\x1b[2J123456789 \x01"), gateway, ESIGN_TRANSFER_LATER);
    CU_ASSERT_STRING_EQUAL(words, "HTTP status 503:  [2J*********  ");
}

static void test_no_answer(void)
{
    static const esign_sms_gateway_t plain = { .name = "a" };
    gateway_t *g = open_gateway(NULL);
    int port = g->port;
    CU_ASSERT(send_for(url_of(g, "http"), plain, apr_time_from_msec(400)) < apr_time_from_sec(3));
    close_gateway(g);
    CU_ASSERT(outcome == ESIGN_TRANSFER_UNANSWERED && g->connections == 1);
    send_for(apr_psprintf(pool, "http://127.0.0.1:%d/", port), plain, apr_time_from_sec(60));
    CU_ASSERT_EQUAL(outcome, ESIGN_TRANSFER_UNREACHABLE); /* nobody listens: nothing was sent */
}

/* It expires while the connection is being made: nothing is sent. Under valgrind libcurl takes
 * seconds to read the system's CA certificates. */
static void test_expires_on_the_way(void)
{
    static const esign_sms_gateway_t plain = { .name = "a" };
    gateway_t *g = open_gateway(NULL);
    CU_ASSERT(send_for(url_of(g, "https"), plain, apr_time_from_msec(300)) < apr_time_from_sec(7));
    CU_ASSERT_EQUAL(outcome, ESIGN_TRANSFER_UNREACHABLE);
    close_gateway(g);
    CU_ASSERT(g->connections == 1 && !strstr(g->asked, "Kod"));
    esign_transport_t *transport;
    const esign_sms_t late = { .to = "+905551234567", .text = "x", .expires = apr_time_now() - 1 };
    CU_ASSERT_FATAL(!esign_failed(esign_transport_create(&transport, &no_mail, done, NULL, pool)));
    CU_ASSERT(esign_failed(esign_transport_sms(transport, 7, &plain, &late, &lease)) &&
              esign_transport_pending_sms(transport) == 0);
}

/* Before a request is sent the lease is checked, on a new connection and on a kept
 * one. */
static void test_lease_lost(void)
{
    static const esign_sms_gateway_t plain = { .name = "a" };
    gateway_t *g = open_gateway(HTTP("200 OK", ""));
    lease.deadline = esign_clock() - 1;
    send_for(url_of(g, "http"), plain, apr_time_from_sec(60));
    lease.deadline = APR_INT64_MAX;
    CU_ASSERT(outcome == ESIGN_TRANSFER_UNTRIED && strcmp(words, ESIGN_LEASE_LOST) == 0);
    close_gateway(g);
    CU_ASSERT_STRING_EQUAL(g->asked, "");
}

/* Our sockets that lead to a port, and how many of them a program that is started here would
 * get. */
static int leading_to(int port, int *inherited)
{
    int found = 0;
    *inherited = 0;
    for (int file = 0; file < 256; file++) {
        struct sockaddr_in at;
        socklen_t size = sizeof(at);
        if (getpeername(file, (struct sockaddr *)&at, &size) != 0 || at.sin_family != AF_INET ||
            ntohs(at.sin_port) != port)
            continue;
        found++;
        *inherited += !(fcntl(file, F_GETFD) & FD_CLOEXEC);
    }
    return found;
}

static void test_not_inherited(void)
{
    int ended = 0, inherited;
    apr_pool_t *p;
    esign_transport_t *transport;
    gateway_t *g = open_gateway(NULL);
    const esign_sms_gateway_t gateway = {
        .name = "a", .url = url_of(g, "http"), .method = "GET", .timeout = apr_time_from_sec(10)
    };
    const esign_sms_t sms = { .to = "+905551234567",
                              .text = "x",
                              .expires = apr_time_now() + apr_time_from_sec(10) };
    apr_pool_create(&p, pool);
    CU_ASSERT_FATAL(!esign_failed(esign_transport_create(&transport, &no_mail, done, &ended, p)) &&
                    !esign_failed(esign_transport_sms(transport, 7, &gateway, &sms, &lease)));
    for (int tries = 0; tries < 100 && g->connections == 0; tries++)
        esign_transport_wait(transport, -1, apr_time_from_msec(20));
    CU_ASSERT(leading_to(g->port, &inherited) == 1 && inherited == 0);
    apr_pool_destroy(p);
    close_gateway(g);
}

/* A wait does not take longer, but ends when the timer fires. */
static void test_clock_set_back(void)
{
    const struct itimerspec end = { .it_value = { .tv_sec = 2 } };
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    esign_transport_t *transport;
    CU_ASSERT_FATAL(timer >= 0 && timerfd_settime(timer, 0, &end, NULL) == 0);
    CU_ASSERT_FATAL(!esign_failed(esign_transport_create(&transport, &no_mail, done, NULL, pool)));
    apr_time_t start = esign_clock();
    looks = 0;
    set_back = 1;
    esign_transport_wait(transport, timer, apr_time_from_msec(50));
    set_back = 0;
    CU_ASSERT(esign_clock() - start < apr_time_from_sec(1));
    close(timer);
}

static void test_request(void)
{
    apr_array_header_t *headers = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(headers, const char *) = "Content-Type: application/json";
    APR_ARRAY_PUSH(headers, const char *) = "Authorization: Basic {basic}";
    const esign_sms_gateway_t gateway = { .name = "a",
                                          .headers = headers,
                                          .body = "{\"to\":\"{digits}\"}",
                                          .secret = "Aladdin:open sesame" };
    gateway_t *g = open_gateway(HTTP("200 OK", ""));
    send_for(url_of(g, "http"), gateway, apr_time_from_sec(60));
    close_gateway(g);
    CU_ASSERT_PTR_EQUAL(
        strstr(g->asked,
               "POST /?n=%2B905551234567&t=Kod%3A%20739154&r=https%3A%2F%2Fh%2Fr HTTP/1.1\r\n"),
        g->asked);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(g->asked,
               "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")); /* RFC 7617's own */
    CU_ASSERT_PTR_NOT_NULL(strstr(g->asked, "{\"to\":\"905551234567\"}"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the status decides", test_by_status },
        { "the pattern decides", test_by_pattern },
        { "credentials that a gateway repeats are removed", test_credentials },
        { "no answer, and no listener", test_no_answer },
        { "an SMS that expires while it connects is not sent", test_expires_on_the_way },
        { "an SMS whose deadline has passed is not sent", test_lease_lost },
        { "programs that are started here inherit no connection", test_not_inherited },
        { "a clock that is set back makes no wait longer", test_clock_set_back },
        { "the request that is sent", test_request },
        CU_TEST_INFO_NULL
    };
    return suite_run("sms", tests);
}
