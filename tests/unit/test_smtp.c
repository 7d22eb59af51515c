/* SPDX-License-Identifier: Apache-2.0 */
/* test_smtp.c: how a mail ends, for each answer of a server on a socket at each step. */
#include "deliver/smtp.h"
#include "suite.h"

#include <apr_thread_proc.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT "To: ayse@example.org\r\n\r\n..Merhaba\r\n"

/* The steps at which the server answers; DOT is the end of the text. */
typedef enum { GREETING, EHLO, AUTH, MAIL, RCPT, DATA, DOT, STEPS } step_e;

#define CLOSED "" /* as an answer: the connection is closed */

/* Of the running test. */
static struct {
    int listener, port;
    const char *answers[STEPS]; /* without their line end; NULL: none comes */
    int stops;                  /* at the end of the text the process is to end */
    int hangs;                  /* QUIT is not answered */
    char got[4096];             /* all lines of the client's, of all connections */
    atomic_int connections, over;
    apr_thread_t *thread;
} server;

static esign_smtp_t smtp;
static esign_lease_t lease;
static atomic_int stop;
static char url[64];

static int say(int connection, step_e step)
{
    const char *answer = server.answers[step];
    char line[256];
    struct pollfd silence = { .fd = connection, .events = POLLIN };
    if (answer && *answer) {
        int length = apr_snprintf(line, sizeof(line), "%s\r\n", answer);
        return send(connection, line, (size_t)length, MSG_NOSIGNAL) == length;
    }
    if (!answer)
        poll(&silence, 1, 5000);
    return 0;
}

static step_e step_of(const char *line, int in_text)
{
    static const char *const commands[] = { "", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "." };
    if (!in_text && strncmp(line, "HELO", 4) == 0)
        return EHLO;
    for (step_e step = in_text ? DOT : EHLO; step < STEPS; step++)
        if (strncmp(line, commands[step], strlen(commands[step])) == 0 &&
            (step != DOT || (in_text && strcmp(line, ".\r\n") == 0)))
            return step;
    return STEPS;
}

static void serve(int connection)
{
    FILE *lines = fdopen(dup(connection), "r");
    char line[1024];
    int in_text = 0, goes_on = say(connection, GREETING);
    server.connections++;
    while (goes_on && fgets(line, sizeof(line), lines)) {
        step_e step = step_of(line, in_text);
        strncat(server.got, line, sizeof(server.got) - strlen(server.got) - 1);
        /* A client without an initial response sends its password on a line of its own. */
        if (step == AUTH)
            goes_on = send(connection, "334 \r\n", 6, MSG_NOSIGNAL) == 6 &&
                      fgets(line, sizeof(line), lines) && say(connection, AUTH);
        else if (step == DOT && server.stops)
            stop = 1;
        else if (step != STEPS)
            goes_on = say(connection, step);
        else if (!in_text && strncmp(line, "QUIT", 4) == 0) {
            struct pollfd silence = { .fd = connection, .events = POLLRDHUP };
            poll(&silence, 1, server.hangs ? 5000 : 0);
            goes_on = 0;
        } else if (!in_text)
            goes_on = send(connection, "250 ok\r\n", 8, MSG_NOSIGNAL) == 8;
        if (step == DATA || step == DOT)
            in_text = step == DATA && goes_on && server.answers[DATA][0] == '3';
    }
    fclose(lines);
    close(connection);
}

static void *APR_THREAD_FUNC run_server(apr_thread_t *thread, void *data)
{
    (void)data;
    while (!server.over) {
        struct pollfd waiting = { .fd = server.listener, .events = POLLIN };
        if (poll(&waiting, 1, 20) == 1)
            serve(accept(server.listener, NULL, NULL));
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void open_server(void)
{
    static const char *const usual[STEPS] = { "220 mx.example.org ESMTP",
                                              "250-mx.example.org\r\n250 AUTH PLAIN",
                                              "235 welcome",
                                              "250 2.1.0 ok",
                                              "250 2.1.5 ok",
                                              "354 go on",
                                              "250 2.0.0 queued" };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);
    memset(&server, 0, sizeof(server));
    memcpy(server.answers, usual, sizeof(usual));
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(bind(server.listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                    listen(server.listener, 8) == 0 &&
                    getsockname(server.listener, (struct sockaddr *)&at, &size) == 0);
    server.port = ntohs(at.sin_port);
    apr_snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", server.port);
    smtp = (esign_smtp_t){
        .url = url, .from = "portal@example.org", .connections = 1, .timeout = apr_time_from_sec(5)
    };
    lease.deadline = APR_INT64_MAX;
    stop = 0;
    CU_ASSERT_FATAL(apr_thread_create(&server.thread, NULL, run_server, NULL, pool) == APR_SUCCESS);
}

static void close_server(void)
{
    apr_status_t status;
    server.over = 1;
    apr_thread_join(&status, server.thread);
    close(server.listener);
}

static esign_mail_job_t *send_over(esign_smtp_session_t **session, const char *to)
{
    esign_mail_job_t *job = apr_pcalloc(pool, sizeof(*job));
    *job = (esign_mail_job_t){
        .pool = pool, .id = 7, .to = to, .bytes = TEXT, .length = strlen(TEXT), .lease = &lease
    };
    job->outcome = (esign_transfer_outcome_e)-1;
    esign_smtp_send(session, &smtp, job, &stop);
    return job;
}

/* One mail over a connection of its own. */
static esign_mail_job_t *send_one(void)
{
    esign_smtp_session_t *session = NULL;
    esign_mail_job_t *job = send_over(&session, "ayse@example.org");
    esign_smtp_close(session);
    return job;
}

/* The outcome for an answer at a step, and the text for log and outbox; NULL: libcurl's own. */
static const struct {
    step_e step;
    const char *answer;
    esign_transfer_outcome_e outcome;
    const char *words;
} cases[] = {
    { GREETING, "554 no service", ESIGN_TRANSFER_UNREACHABLE, "554 no service" },
    { GREETING, "421 busy", ESIGN_TRANSFER_UNREACHABLE, "421 busy" },
    { GREETING, CLOSED, ESIGN_TRANSFER_UNREACHABLE, NULL },
    { EHLO, "421 busy", ESIGN_TRANSFER_UNREACHABLE, "421 busy" },
    { EHLO, CLOSED, ESIGN_TRANSFER_UNREACHABLE, NULL },
    { MAIL, "550 5.7.1 not you", ESIGN_TRANSFER_UNREACHABLE, "550 5.7.1 not you" },
    { MAIL, "451 4.3.0 try later", ESIGN_TRANSFER_UNREACHABLE, "451 4.3.0 try later" },
    { MAIL, CLOSED, ESIGN_TRANSFER_UNREACHABLE, NULL },
    { RCPT, "550 5.1.1 no mailbox", ESIGN_TRANSFER_NEVER, "550 5.1.1 no mailbox" },
    { RCPT, "553 no such name", ESIGN_TRANSFER_NEVER, "553 no such name" },
    { RCPT, "450 4.2.0 greylisted", ESIGN_TRANSFER_LATER, "450 4.2.0 greylisted" },
    { RCPT, "452 4.2.2 full", ESIGN_TRANSFER_LATER, "452 4.2.2 full" },
    { RCPT, "554 5.7.1 relay denied", ESIGN_TRANSFER_LATER, "554 5.7.1 relay denied" },
    { RCPT, "530 sign in first", ESIGN_TRANSFER_LATER, "530 sign in first" },
    { RCPT, "421 4.3.2 going down", ESIGN_TRANSFER_UNANSWERED, "421 4.3.2 going down" },
    { RCPT, CLOSED, ESIGN_TRANSFER_UNANSWERED, NULL },
    { DATA, "554 5.6.0 bad", ESIGN_TRANSFER_NEVER, "554 5.6.0 bad" },
    { DATA, "451 4.3.0 try later", ESIGN_TRANSFER_LATER, "451 4.3.0 try later" },
    { DATA, CLOSED, ESIGN_TRANSFER_UNANSWERED, NULL },
    { DOT, "554 5.6.0 looks like spam", ESIGN_TRANSFER_NEVER, "554 5.6.0 looks like spam" },
    { DOT, "554 5.7.1 policy", ESIGN_TRANSFER_LATER, "554 5.7.1 policy" },
    { DOT, "452 4.3.1 disk full", ESIGN_TRANSFER_LATER, "452 4.3.1 disk full" },
    { DOT, "421 4.3.2 going down", ESIGN_TRANSFER_UNANSWERED, "421 4.3.2 going down" },
    { DOT, CLOSED, ESIGN_TRANSFER_UNANSWERED, NULL },
};

static void test_answers(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        open_server();
        server.answers[cases[i].step] = cases[i].answer;
        const esign_mail_job_t *job = send_one();
        if (job->outcome != cases[i].outcome)
            printf("\nstep %d, %s: %d, %s\n", cases[i].step, cases[i].answer, job->outcome,
                   job->words);
        CU_ASSERT_EQUAL(job->outcome, cases[i].outcome);
        CU_ASSERT(job->words[0] != '\0');
        if (cases[i].words)
            CU_ASSERT_STRING_EQUAL(job->words, cases[i].words);
        close_server();
    }
}

/* A server that says nothing more: at the greeting it cannot be used; after the text it may have
 * the mail. */
static void test_silence(void)
{
    static const struct {
        step_e step;
        esign_transfer_outcome_e outcome;
    } silent[] = { { GREETING, ESIGN_TRANSFER_UNREACHABLE }, { DOT, ESIGN_TRANSFER_UNANSWERED } };
    for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++) {
        open_server();
        smtp.timeout = apr_time_from_sec(1);
        server.answers[silent[i].step] = NULL;
        apr_time_t start = apr_time_now();
        CU_ASSERT_EQUAL(send_one()->outcome, silent[i].outcome);
        CU_ASSERT(apr_time_now() - start < apr_time_from_sec(3));
        close_server();
    }
}

static void test_nobody_listens(void)
{
    open_server();
    close_server();
    CU_ASSERT_EQUAL(send_one()->outcome, ESIGN_TRANSFER_UNREACHABLE);
}

static void test_sent(void)
{
    esign_smtp_session_t *session = NULL;
    open_server();
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_SENT);
    esign_smtp_close(session);
    close_server();
    CU_ASSERT_EQUAL(server.connections, 1);
    CU_ASSERT(strstr(server.got, "MAIL FROM:<portal@example.org>") != NULL);
    CU_ASSERT(strstr(server.got, "RCPT TO:<ayse@example.org>\r\n") != NULL);
    const char *first = strstr(server.got, "\r\n\r\n...Merhaba\r\n.\r\n");
    CU_ASSERT(first && strstr(first + 1, "\r\n\r\n...Merhaba\r\n.\r\n"));
}

/* Where the server refuses the sender of a second mail, that mail is judged alone. */
static void test_second_mail(void)
{
    esign_smtp_session_t *session = NULL;
    open_server();
    CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_SENT);
    server.answers[MAIL] = "451 4.3.0 try later";
    CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_UNREACHABLE);
    esign_smtp_close(session);
    close_server();
}

/* The end of a connection does not wait for the server. */
static void test_close(void)
{
    esign_smtp_session_t *session = NULL;
    open_server();
    server.hangs = 1;
    CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_SENT);
    apr_time_t start = apr_time_now();
    esign_smtp_close(session);
    CU_ASSERT(apr_time_now() - start < apr_time_from_sec(2));
    close_server();
}

/* After a failure the next mail has a new connection, and its own answer. */
static void test_after_a_failure(void)
{
    esign_smtp_session_t *session = NULL;
    open_server();
    server.answers[RCPT] = "550 5.1.1 no mailbox";
    CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_NEVER);
    CU_ASSERT_PTR_NULL(session);
    server.answers[RCPT] = "250 ok";
    CU_ASSERT_EQUAL(send_over(&session, "ayse@example.org")->outcome, ESIGN_TRANSFER_SENT);
    esign_smtp_close(session);
    close_server();
    CU_ASSERT_EQUAL(server.connections, 2);
}

/* A server that refuses the sign-in, or offers no TLS where that is required, cannot be used. */
static void test_sign_in_and_tls(void)
{
    open_server();
    smtp.user = "portal";
    smtp.password = "secret";
    CU_ASSERT_EQUAL(send_one()->outcome, ESIGN_TRANSFER_SENT);
    server.answers[AUTH] = "535 5.7.8 wrong";
    const esign_mail_job_t *job = send_one();
    CU_ASSERT_EQUAL(job->outcome, ESIGN_TRANSFER_UNREACHABLE);
    CU_ASSERT_STRING_EQUAL(job->words, "535 5.7.8 wrong");
    smtp.user = NULL;
    smtp.tls_required = 1;
    CU_ASSERT_EQUAL(send_one()->outcome, ESIGN_TRANSFER_UNREACHABLE);
    close_server();
}

/* An address that is not ASCII goes to servers with SMTPUTF8 alone (RFC 6531). */
static void test_smtputf8(void)
{
    esign_smtp_session_t *session = NULL;
    open_server();
    const esign_mail_job_t *job = send_over(&session, "ay\xc5\x9f"
                                                      "e@example.org");
    CU_ASSERT_EQUAL(job->outcome, ESIGN_TRANSFER_NEVER);
    CU_ASSERT(strstr(job->words, "SMTPUTF8") != NULL);
    esign_smtp_close(session);
    session = NULL;
    CU_ASSERT_PTR_NULL(strstr(server.got, "RCPT TO"));
    server.answers[EHLO] = "250-mx.example.org\r\n250 SMTPUTF8";
    CU_ASSERT_EQUAL(send_over(&session, "ay\xc5\x9f"
                                        "e@example.org")
                        ->outcome,
                    ESIGN_TRANSFER_SENT);
    esign_smtp_close(session);
    close_server();
}

/* A mail whose deadline has passed does not get its final dot. */
static void test_lost_lease(void)
{
    open_server();
    lease.deadline = esign_clock() - 1;
    const esign_mail_job_t *job = send_one();
    CU_ASSERT_EQUAL(job->outcome, ESIGN_TRANSFER_UNTRIED);
    CU_ASSERT_STRING_EQUAL(job->words, ESIGN_LEASE_LOST);
    close_server();
    CU_ASSERT(strstr(server.got, "DATA") && !strstr(server.got, "\n.\r\n"));
}

/* A transfer is broken off at the end of the process. */
static void test_stopped(void)
{
    open_server();
    server.stops = 1;
    apr_time_t start = apr_time_now();
    CU_ASSERT_EQUAL(send_one()->outcome, ESIGN_TRANSFER_UNREACHABLE);
    CU_ASSERT(apr_time_now() - start < apr_time_from_sec(3));
    close_server();
}

int main(void)
{
    CU_TestInfo tests[] = { { "an answer at each step", test_answers },
                            { "a server that says nothing more", test_silence },
                            { "nobody listens", test_nobody_listens },
                            { "two mails over one connection", test_sent },
                            { "a second mail is judged by its own answers", test_second_mail },
                            { "a connection is closed at once", test_close },
                            { "after a failure comes a new connection", test_after_a_failure },
                            { "sign-in and TLS that are refused", test_sign_in_and_tls },
                            { "an address that needs SMTPUTF8", test_smtputf8 },
                            { "a mail whose deadline has passed", test_lost_lease },
                            { "a mail that is broken off", test_stopped },
                            CU_TEST_INFO_NULL };
    return suite_run("smtp", tests);
}
