/* SPDX-License-Identifier: Apache-2.0 */
/* smtp.c: gives a mail to libcurl, and judges how its transfer ended. */
#include "smtp.h"

#include "libcurl.h"

#include "core/contact.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct esign_smtp_session_t {
    CURL *easy;
    /* Of the mail that is being sent. */
    esign_mail_job_t *job;
    apr_size_t read;  /* bytes of it that libcurl has read */
    int lost;         /* its lease's deadline had passed when the final dot was to be sent */
    int without_utf8; /* MAIL was sent without SMTPUTF8, which this mail needs */
    int named;        /* RCPT was sent: a failure from here on may be this mail's own */
    char reply[256];  /* the last line by which the server refused */
    char words[CURL_ERROR_SIZE]; /* libcurl's */
};

/* libcurl's callback that reads the mail. After the last piece libcurl sends the final dot, so the
 * lease is checked before it: without the dot a server discards the text (RFC 5321 section
 * 4.1.1.10). */
static size_t read_mail(char *bytes, size_t size, size_t count, void *baton)
{
    esign_smtp_session_t *session = baton;
    const esign_mail_job_t *job = session->job;
    apr_size_t left = job->length - session->read,
               taken = size * count < left ? size * count : left;
    session->lost = taken == left && !esign_lease_held(job->lease);
    if (session->lost)
        return CURL_READFUNC_ABORT;
    memcpy(bytes, job->bytes + session->read, taken);
    session->read += taken;
    return taken;
}

/* libcurl's callback for each line of the server's: keeps the line by which it refuses, because
 * libcurl's own text has no more than its number. */
static size_t keep_reply(char *bytes, size_t size, size_t count, void *baton)
{
    esign_smtp_session_t *session = baton;
    size_t length = size * count;
    if (session->without_utf8)
        return 0;
    if (length > 0 && (bytes[0] == '4' || bytes[0] == '5')) {
        apr_cpystrn(session->reply, bytes,
                    length < sizeof(session->reply) ? length + 1 : sizeof(session->reply));
        session->reply[strcspn(session->reply, "\r\n")] = '\0';
    }
    return length;
}

static int is_command(const char *bytes, size_t size, const char *command)
{
    return size > strlen(command) && memcmp(bytes, command, strlen(command)) == 0;
}

/* libcurl's debug callback, which shows the commands: notes how far the mail is, and whether
 * libcurl asked for SMTPUTF8. It does where the server offers it (RFC 6531 section 3.1). Where it
 * did not, and the address needs it, keep_reply ends the transfer. */
static int watch_commands(CURL *easy, curl_infotype type, char *bytes, size_t size, void *baton)
{
    esign_smtp_session_t *session = baton;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT && is_command(bytes, size, "MAIL FROM:"))
        session->without_utf8 =
            !esign_contact_ascii(session->job->to) && memmem(bytes, size, " SMTPUTF8", 9) == NULL;
    if (type == CURLINFO_HEADER_OUT && is_command(bytes, size, "RCPT TO:"))
        session->named = 1;
    return 0;
}

/* libcurl's progress callback, about once a second: not 0 breaks the transfer off. */
static int check_stop(void *stop, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                      curl_off_t upload_now)
{
    (void)total, (void)now, (void)upload_total, (void)upload_now;
    return *(const atomic_int *)stop;
}

#define SET(option, value) ESIGN_LIBCURL_SET(code, session->easy, option, value)

static CURLcode set_options(esign_smtp_session_t *session, const esign_smtp_t *smtp,
                            const atomic_int *stop)
{
    const esign_libcurl_limits_t limits = { .protocols = "smtp,smtps",
                                            .ca_file = smtp->ca_file,
                                            .timeout = smtp->timeout };
    CURLcode code = esign_libcurl_limit(session->easy, &limits, session->words);
    SET(CURLOPT_URL, smtp->url);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)apr_time_sec(smtp->timeout));
    SET(CURLOPT_USE_SSL, (long)(smtp->tls_required ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (smtp->user) {
        SET(CURLOPT_USERNAME, smtp->user);
        SET(CURLOPT_PASSWORD, smtp->password);
    }
    SET(CURLOPT_HEADERFUNCTION, keep_reply);
    SET(CURLOPT_HEADERDATA, session);
    SET(CURLOPT_VERBOSE, 1L);
    SET(CURLOPT_DEBUGFUNCTION, watch_commands);
    SET(CURLOPT_DEBUGDATA, session);
    SET(CURLOPT_XFERINFOFUNCTION, check_stop);
    SET(CURLOPT_XFERINFODATA, stop);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, read_mail);
    SET(CURLOPT_READDATA, session);
    SET(CURLOPT_MAIL_FROM, smtp->from);
    return code;
}

static esign_smtp_session_t *open_session(const esign_smtp_t *smtp, const atomic_int *stop)
{
    esign_smtp_session_t *session = calloc(1, sizeof(*session));
    if (session && (session->easy = curl_easy_init()) &&
        set_options(session, smtp, stop) == CURLE_OK)
        return session;
    esign_smtp_close(session);
    return NULL;
}

/* libcurl would wait two minutes for the answer to QUIT where the server hangs. With the reading
 * side of the connection shut down it sends QUIT and does not wait. */
void esign_smtp_close(esign_smtp_session_t *session)
{
    curl_socket_t connection = CURL_SOCKET_BAD;
    if (session &&
        curl_easy_getinfo(session->easy, CURLINFO_ACTIVESOCKET, &connection) == CURLE_OK &&
        connection != CURL_SOCKET_BAD)
        shutdown(connection, SHUT_RD);
    if (session)
        curl_easy_cleanup(session->easy);
    free(session);
}

/* Whether the server refused this recipient or this text. A refusal of the connection, the sender
 * or the password is for the administrator to repair. */
static int is_about_message(const esign_smtp_session_t *session, CURLcode code)
{
    static const char recipient[] = "RCPT failed", text[] = "DATA failed",
                      greeting[] = "Got unexpected smtp-server response";
    if (strncmp(session->words, recipient, strlen(recipient)) == 0 ||
        strncmp(session->words, text, strlen(text)) == 0)
        return 1;
    /* The answer to the text has no words of its own in libcurl. */
    return code == CURLE_WEIRD_SERVER_REPLY &&
           strncmp(session->words, greeting, strlen(greeting)) != 0;
}

/* Whether the server refuses us as a sender (RFC 3463 section 3.8: X.7.x; RFC 4954 section 6: 530),
 * although it answers to RCPT, as Postfix does to a client that has not signed in. The
 * administrator can repair that, so the message is tried until it expires. */
static int is_policy(const esign_smtp_session_t *session, long reply)
{
    return reply == 530 ||
           (session->reply[0] != '\0' && strncmp(session->reply + 3, " 5.7.", 5) == 0);
}

/* Sets the job's outcome and words. */
static void judge_mail(const esign_smtp_session_t *session, CURLcode code, esign_mail_job_t *job)
{
    long reply = 0;
    job->outcome = ESIGN_TRANSFER_SENT;
    if (code == CURLE_OK)
        return;
    job->outcome = session->without_utf8 ? ESIGN_TRANSFER_NEVER
                   : session->named && code != CURLE_ABORTED_BY_CALLBACK
                       ? ESIGN_TRANSFER_UNANSWERED
                       : ESIGN_TRANSFER_UNREACHABLE;
    curl_easy_getinfo(session->easy, CURLINFO_RESPONSE_CODE, &reply);
    /* 421 is about the connection (RFC 5321 section 3.8). */
    if (reply >= 400 && reply < 600 && reply != 421 && is_about_message(session, code))
        job->outcome =
            reply < 500 || is_policy(session, reply) ? ESIGN_TRANSFER_LATER : ESIGN_TRANSFER_NEVER;
    const char *words = session->words[0] != '\0' ? session->words : curl_easy_strerror(code);
    if (reply >= 400 && session->reply[0] != '\0')
        words = session->reply;
    if (session->without_utf8)
        words = "the server does not offer SMTPUTF8 (RFC 6531), without which no mail reaches an "
                "address whose first part is not ASCII";
    apr_cpystrn(job->words, words, sizeof(job->words));
}

void esign_smtp_send(esign_smtp_session_t **open, const esign_smtp_t *smtp, esign_mail_job_t *job,
                     const atomic_int *stop)
{
    esign_smtp_session_t *session = *open ? *open : (*open = open_session(smtp, stop));
    struct curl_slist *recipients = session ? curl_slist_append(NULL, job->to) : NULL;
    if (!recipients) {
        job->outcome = ESIGN_TRANSFER_UNREACHABLE;
        apr_cpystrn(job->words, "libcurl has no memory", sizeof(job->words));
        return;
    }
    CURLcode code = CURLE_OK;
    session->job = job;
    session->read = 0;
    session->without_utf8 = session->named = session->lost = 0;
    session->reply[0] = session->words[0] = '\0';
    SET(CURLOPT_MAIL_RCPT, recipients);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->length);
    if (code == CURLE_OK)
        code = curl_easy_perform(session->easy);
    if (session->lost)
        esign_mail_job_lost(job);
    else
        judge_mail(session, code, job);
    session->job = NULL;
    curl_slist_free_all(recipients);
    /* After a failure libcurl may keep the connection, where a late answer would be taken for the
     * answer to the next mail. */
    if (code != CURLE_OK) {
        esign_smtp_close(session);
        *open = NULL;
    }
}
