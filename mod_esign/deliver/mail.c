/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c: one mail over SMTP: text and HTML in one message. */
#include "deliver/transport_private.h"

#include "deliver/header.h"

#include "core/contact.h"

#include <apr_strings.h>

#include <string.h>

/* Keeps the line by which the server refused: libcurl itself tells no more than the number. The goodbye behind it is none. */
static size_t keep_reply(char *bytes, size_t size, size_t count, void *baton)
{
    esign_transfer_t *transfer = baton;
    size_t length = size * count, kept = length < sizeof(transfer->reply) ? length : sizeof(transfer->reply) - 1;
    if (length == 0 || (bytes[0] != '4' && bytes[0] != '5'))
        return length;
    memcpy(transfer->reply, bytes, kept);
    transfer->reply[kept] = '\0';
    transfer->reply[strcspn(transfer->reply, "\r\n")] = '\0';
    return length;
}

/* Whether a refusal is of this recipient or this text. A server that turns the connection, the sender or the password away is the administrator's to mend: the message waits. */
static int is_about_message(const esign_transfer_t *transfer, CURLcode code)
{
    static const char recipient[] = "RCPT failed", text[] = "DATA failed", greeting[] = "Got unexpected smtp-server response";
    if (strncmp(transfer->words, recipient, strlen(recipient)) == 0 || strncmp(transfer->words, text, strlen(text)) == 0)
        return 1;
    /* What comes behind the text. */
    return code == CURLE_WEIRD_SERVER_REPLY && strncmp(transfer->words, greeting, strlen(greeting)) != 0;
}

static esign_transfer_outcome_e judge(esign_transfer_t *transfer, CURLcode code, const char **words)
{
    long reply = 0;
    if (code == CURLE_OK)
        return ESIGN_TRANSFER_SENT;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply);
    if (reply >= 400 && transfer->reply[0] != '\0')
        *words = transfer->reply;
    return reply >= 500 && reply < 600 && is_about_message(transfer, code) ? ESIGN_TRANSFER_NEVER : ESIGN_TRANSFER_LATER;
}

static void add_part(esign_transfer_t *transfer, const char *text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(transfer->mime);
    esign_transfer_text_t *source = esign_transfer_text(transfer, text);
    if (!part || curl_mime_data_cb(part, (curl_off_t)source->length, esign_transfer_read, esign_transfer_seek, NULL, source) != CURLE_OK || curl_mime_type(part, type) != CURLE_OK ||
        curl_mime_encoder(part, "quoted-printable") != CURLE_OK)
        transfer->setup = CURLE_OUT_OF_MEMORY;
}

static void add_body(esign_transfer_t *transfer, const esign_mail_t *mail)
{
    transfer->mime = curl_mime_init(transfer->easy);
    if (!transfer->mime) {
        transfer->setup = CURLE_OUT_OF_MEMORY;
        return;
    }
    /* The last one is what a reader that can show both prefers. */
    add_part(transfer, mail->text, "text/plain; charset=utf-8");
    add_part(transfer, mail->html, "text/html; charset=utf-8");
    ESIGN_TRANSFER_SET(transfer, CURLOPT_MIMEPOST, transfer->mime);
}

static void add_headers(esign_transfer_t *transfer, const esign_smtp_t *smtp, const esign_mail_t *mail)
{
    apr_pool_t *p = transfer->pool;
    const char *host = strrchr(smtp->from, '@') + 1;
    const char *const lines[] = {
        esign_header_date(p, apr_time_now()),
        esign_header_mailbox(p, "From", smtp->from_name, smtp->from),
        esign_header_mailbox(p, "To", mail->to_name, mail->to),
        esign_header_text(p, "Subject", mail->subject),
        apr_psprintf(p, "Message-ID: <%s@%s>", mail->id, host),
        "Auto-Submitted: auto-generated",
        /* libcurl adds the boundary. */
        "Content-Type: multipart/alternative",
        smtp->reply_to ? esign_header_mailbox(p, "Reply-To", "", smtp->reply_to) : NULL,
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (lines[i])
            esign_transfer_append(transfer, &transfer->headers, lines[i]);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
}

esign_result_t esign_transport_mail(esign_transport_t *transport, apr_int64_t id, const esign_mail_t *mail)
{
    const esign_smtp_t *smtp = transport->smtp;
    esign_transfer_limits_t limits = { .protocols = "smtp,smtps", .ca_file = smtp->ca_file, .timeout = smtp->timeout };
    esign_transfer_t *transfer;
    if (!esign_contact_email_valid(mail->to) || !esign_header_safe(mail->to_name) || !esign_header_safe(mail->subject))
        return (esign_result_t){ APR_EINVAL, "mail", "the address, name or subject cannot stand in a header" };
    esign_result_t result = esign_transfer_open(&transfer, transport, id, &limits, &transport->mails, judge);
    if (esign_failed(result))
        return result;
    transfer->recipient = apr_pstrdup(transfer->pool, mail->to);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_URL, smtp->url);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_USE_SSL, (long)(smtp->tls_required ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (smtp->user) {
        ESIGN_TRANSFER_SET(transfer, CURLOPT_USERNAME, smtp->user);
        ESIGN_TRANSFER_SET(transfer, CURLOPT_PASSWORD, smtp->password);
    }
    ESIGN_TRANSFER_SET(transfer, CURLOPT_HEADERFUNCTION, keep_reply);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_HEADERDATA, transfer);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_MAIL_FROM, smtp->from);
    esign_transfer_append(transfer, &transfer->recipients, mail->to);
    ESIGN_TRANSFER_SET(transfer, CURLOPT_MAIL_RCPT, transfer->recipients);
    add_headers(transfer, smtp, mail);
    add_body(transfer, mail);
    return esign_transfer_start(transfer);
}

esign_result_t esign_transport_check_smtp(const esign_smtp_t *smtp, apr_pool_t *p)
{
    if (!esign_transport_url_valid(smtp->url, "smtp", "smtps", 1))
        return esign_result_make(p, APR_EINVAL, "mail", "'%s' is not an SMTP server: write smtp://host:port or smtps://host:port", smtp->url);
    return ESIGN_OK;
}
