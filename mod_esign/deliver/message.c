/* SPDX-License-Identifier: Apache-2.0 */
/* message.c: makes the XML of messages, and has the stylesheets make texts of it. */
#include "message.h"

#include "core/iso_time.h"
#include "core/secret.h"
#include "core/sms_size.h"
#include "core/url.h"
#include "header.h"
#include "render/document.h"

#include <apr_strings.h>
#include <apr_time.h>

/* Begins a message's document. What is personal, or of one moment, must be a copied value
 * (render/document.h): the document without these values is a key of the page cache. */
static esign_document_t *begin_document(const esign_message_context_t *context, const char *name,
                                        const char *language, const char *organization,
                                        apr_pool_t *p)
{
    esign_document_t *document = esign_document_new("message", p);
    esign_document_attribute(document, "name", name);
    esign_document_attribute(document, "lang", language);
    esign_document_attribute(document, "organization", organization);
    esign_document_attribute(document, "url", context->url);
    return document;
}

static void add_element(esign_document_t *document, const char *name, const char *attribute,
                        const char *value)
{
    esign_document_element(document, 0, name);
    esign_document_attribute(document, attribute, value);
}

static void add_text(esign_document_t *document, const char *name, const char *text)
{
    esign_document_element(document, 0, name);
    esign_document_copied_text(document, text);
}

static void add_origin(const esign_message_context_t *context, esign_document_t *document,
                       const char *language, const char *address, apr_time_t time, apr_pool_t *p)
{
    add_element(document, "origin", "~address", address);
    esign_document_attribute(document, "~time", esign_iso_time(p, time));
    esign_document_attribute(
        document, "~written",
        esign_catalogue_time(esign_render_catalogue(context->render), language, time, 0, p));
}

/* Makes both parts and the subject of a mail to a subscriber. */
static esign_result_t make_mail(const esign_message_context_t *context,
                                const esign_subscriber_t *subscriber, esign_document_t *document,
                                const char *subject, esign_mail_t *mail, apr_pool_t *p)
{
    char *text, *html;
    apr_size_t length;
    const char *const arguments[] = { context->organization };
    esign_document_finish(document);
    esign_result_t result = esign_page_cache_render(context->page_cache, context->render,
                                                    "mail-text", document, &text, &length, p);
    if (!esign_failed(result))
        result = esign_page_cache_render(context->page_cache, context->render, "mail-html",
                                         document, &html, &length, p);
    if (esign_failed(result))
        return result;
    *mail = (esign_mail_t){
        .to = subscriber->email, .to_name = subscriber->name, .text = text, .html = html
    };
    mail->subject = esign_catalogue_format(esign_render_catalogue(context->render),
                                           subscriber->language, subject, arguments, 1, p);
    return mail->subject ? ESIGN_OK
                         : esign_result_make(p, APR_ENOENT, "message catalogue",
                                             "there is no key %s", subject);
}

esign_result_t esign_message_reset(const esign_message_context_t *context,
                                   const esign_subscriber_t *subscriber, const char *token,
                                   int minutes, const char *address, apr_time_t time,
                                   esign_mail_t *mail, apr_pool_t *p)
{
    esign_document_t *document =
        begin_document(context, "reset", subscriber->language, context->organization, p);
    add_text(document, "name", subscriber->name);
    char *link = apr_pstrcat(p, context->url, "/reset/", token, NULL);
    add_element(document, "link", "~href", link);
    esign_secret_wipe(link, strlen(link));
    add_element(document, "life", "minutes", apr_itoa(p, minutes));
    add_origin(context, document, subscriber->language, address, time, p);
    return make_mail(context, subscriber, document, "subject.reset", mail, p);
}

esign_result_t esign_message_notice(const esign_message_context_t *context,
                                    const esign_subscriber_t *subscriber, const char *event,
                                    const char *address, apr_time_t time, esign_mail_t *mail,
                                    apr_pool_t *p)
{
    esign_document_t *document =
        begin_document(context, "notice", subscriber->language, context->organization, p);
    add_text(document, "name", subscriber->name);
    add_element(document, "event", "name", event);
    add_origin(context, document, subscriber->language, address, time, p);
    return make_mail(context, subscriber, document, apr_pstrcat(p, "subject.notice.", event, NULL),
                     mail, p);
}

/* The host that the last line of an SMS names: the portal's, without its port. NULL: it is an IPv6
 * address, which that line cannot have. */
static const char *host_of(const esign_message_context_t *context, apr_pool_t *p)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
    const char *host = esign_url_hostname(context->url, p);
    return host && host[strspn(host, allowed)] == '\0' ? host : NULL;
}

esign_result_t esign_message_code(const esign_message_context_t *context,
                                  const esign_subscriber_t *subscriber, const char *code,
                                  esign_sms_t *sms, apr_pool_t *p)
{
    char *text;
    apr_size_t length;
    const char *host = host_of(context, p);
    esign_document_t *document =
        begin_document(context, "code", subscriber->language,
                       context->sms_name ? context->sms_name : context->organization, p);
    add_text(document, "code", code);
    if (host)
        add_element(document, "origin", "host", host);
    esign_document_finish(document);
    esign_result_t result = esign_page_cache_render(context->page_cache, context->render, "sms",
                                                    document, &text, &length, p);
    if (!esign_failed(result))
        *sms = (esign_sms_t){ .to = subscriber->phone, .text = text };
    return result;
}

esign_result_t esign_message_code_fits(const esign_message_context_t *context, int digits,
                                       apr_pool_t *p)
{
    const char *code = apr_psprintf(p, "%0*d", digits, 0);
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        esign_subscriber_t subscriber = { .language = esign_catalogue_languages[i] };
        esign_sms_t sms;
        esign_result_t result = esign_message_code(context, &subscriber, code, &sms, p);
        if (esign_failed(result))
            return result;
        if (!strstr(sms.text, code))
            return esign_result_make(p, APR_EINVAL, "stylesheet", "the SMS (%s) lacks its code",
                                     esign_catalogue_languages[i]);
        esign_sms_size_t size = esign_sms_size(sms.text);
        if (size.units > size.room)
            return esign_result_make(
                p, APR_EINVAL, "EsignSMSName",
                "with %s, the SMS with a code (%s) takes %d characters, and one message holds "
                "%d%s: write a short name",
                context->sms_name ? "this name" : "EsignOrganization in its place",
                subscriber.language, size.units, size.room,
                size.alphabet == ESIGN_SMS_UCS2 ? ", because some are not in the GSM alphabet"
                                                : "");
    }
    return ESIGN_OK;
}

/* Checks that a mail's subject fits a header. */
static esign_result_t check_subject(const esign_mail_t *mail, apr_pool_t *p)
{
    return esign_header_safe(mail->subject)
               ? ESIGN_OK
               : esign_result_make(p, APR_EINVAL, "message catalogue",
                                   "a mail's subject must stand on one line: %s", mail->subject);
}

/* Makes every mail in a language, and checks it. */
static esign_result_t check_language(const esign_message_context_t *context, const char *language,
                                     apr_pool_t *p)
{
    static const char *const events[] = { "word-reset", "word-changed", "pin-shown", "signed-in" };
    const esign_subscriber_t subscriber = { .language = language,
                                            .name = "A",
                                            .email = "a@example.org" };
    esign_mail_t mail;
    esign_result_t result =
        esign_message_reset(context, &subscriber, "sample-token", 30, "192.0.2.1", 0, &mail, p);
    if (!esign_failed(result))
        result = check_subject(&mail, p);
    if (!esign_failed(result) &&
        (!strstr(mail.text, "/reset/sample-token") || !strstr(mail.html, "/reset/sample-token")))
        result =
            esign_result_make(p, APR_EINVAL, "stylesheet", "%s lacks the link to a new word",
                              strstr(mail.text, "/reset/sample-token") ? "mail-html" : "mail-text");
    for (size_t i = 0; i < sizeof(events) / sizeof(*events) && !esign_failed(result); i++) {
        result = esign_message_notice(context, &subscriber, events[i], "192.0.2.1", 0, &mail, p);
        if (!esign_failed(result))
            result = check_subject(&mail, p);
    }
    return result;
}

esign_result_t esign_message_check(const esign_message_context_t *context, int digits,
                                   apr_pool_t *p)
{
    esign_result_t result = esign_message_code_fits(context, digits, p);
    for (int i = 0; i < ESIGN_LANGUAGES && !esign_failed(result); i++)
        result = check_language(context, esign_catalogue_languages[i], p);
    return result;
}
