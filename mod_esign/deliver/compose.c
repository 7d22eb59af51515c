/* SPDX-License-Identifier: Apache-2.0 */
/* compose.c: joins header fields and the two bodies of a mail. */
#include "compose.h"

#include "core/secret.h"
#include "header.h"

#include <apr_strings.h>

#include <string.h>

#define LINE 76 /* RFC 2045 section 6.7, rule 5 */

/* Whether a byte of a body needs no encoding: it is printable, and neither a mail server nor a
 * mailbox file gives it a meaning where it is. */
static int is_plain_at(const char *at, int line_begins)
{
    if (*at == ' ' || *at == '\t')
        return at[1] != '\n' && at[1] != '\r' && at[1] != '\0';
    if (line_begins && (*at == '.' || strncmp(at, "From ", 5) == 0))
        return 0;
    return *at > ' ' && *at <= '~' && *at != '=';
}

/* `text` as quoted-printable (RFC 2045 section 6.7), its line ends as CR LF. */
static char *quoted_printable(const char *text, apr_pool_t *p)
{
    static const char digits[] = "0123456789ABCDEF";
    /* At most three bytes for each one, and three more for the end of each line of 73 or more. */
    char *encoded = esign_secret_alloc(p, strlen(text) * 4 + 8), *end = encoded;
    int column = 0;
    for (; *text; text++) {
        if (*text == '\r' && text[1] == '\n')
            continue;
        if (*text == '\n') {
            *end++ = '\r', *end++ = '\n';
            column = 0;
            continue;
        }
        int size = is_plain_at(text, column == 0) ? 1 : 3;
        if (column + size > LINE - 1) {
            *end++ = '=', *end++ = '\r', *end++ = '\n';
            column = 0;
            size = is_plain_at(text, 1) ? 1 : 3;
        }
        if (size == 1)
            *end++ = *text;
        else
            *end++ = '=', *end++ = digits[(unsigned char)*text >> 4], *end++ = digits[*text & 15];
        column += size;
    }
    return encoded;
}

esign_result_t esign_compose(const esign_mail_t *mail, const char *to, const esign_smtp_t *smtp,
                             apr_time_t now, char **bytes, apr_size_t *length, apr_pool_t *p)
{
    if (!esign_header_safe(mail->to_name) || !esign_header_safe(mail->subject))
        return (esign_result_t){ APR_EINVAL, "mail",
                                 "the name or subject cannot stand in a header" };
    /* Quoted-printable text never has "=_" (RFC 2045 section 6.7). */
    const char *boundary = apr_psprintf(p, "=_%s", mail->id);
    const char *const pieces[] = {
        esign_header_date(p, now),
        "\r\n",
        esign_header_mailbox(p, "From", smtp->from_name, smtp->from),
        "\r\n",
        esign_header_mailbox(p, "To", mail->to_name, to),
        "\r\n",
        smtp->reply_to ? esign_header_mailbox(p, "Reply-To", "", smtp->reply_to) : "",
        smtp->reply_to ? "\r\n" : "",
        esign_header_text(p, "Subject", mail->subject),
        "\r\n",
        "Message-ID: <",
        mail->id,
        strrchr(smtp->from, '@'),
        ">\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=\"",
        boundary,
        "\"\r\n"
        /* Mail programs prefer the last part that they can show (RFC 2046 section 5.1.4). */
        "\r\n--",
        boundary,
        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\n",
        quoted_printable(mail->text, p),
        "\r\n--",
        boundary,
        "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\n",
        quoted_printable(mail->html, p),
        "\r\n--",
        boundary,
        "--\r\n",
    };
    *length = 0;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
        *length += strlen(pieces[i]);
    char *end = *bytes = esign_secret_alloc(p, *length + 1);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
        end = apr_cpystrn(end, pieces[i], strlen(pieces[i]) + 1);
    return ESIGN_OK;
}
