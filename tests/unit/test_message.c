/* SPDX-License-Identifier: Apache-2.0 */
/* test_message.c: the mails and the SMS that our own stylesheets make. */
#include "core/sms_size.h"
#include "deliver/header.h"
#include "deliver/message.h"
#include "suite.h"

#include <apr_lib.h>
#include <time.h>

#define ORGANIZATION "Merkez & <Oğul> \"A.Ş.\""
#define ESCAPED "Merkez &amp; &lt;Oğul&gt; \"A.Ş.\"" /* a quotation mark is text between tags */
#define URL "https://portal.example.org/esign"
#define TOKEN "abcDEF-_0123456789abcDEF-_0123456789abcDEF0"
#define LINK URL "/reset/" TOKEN
#define WHEN apr_time_from_sec(1795529225) /* 2026-11-24 14:07:05 UTC */

static const esign_message_context_t *context;

static const esign_subscriber_t *subscriber_of(const char *language)
{
    esign_subscriber_t *subscriber = apr_pcalloc(pool, sizeof(*subscriber));
    *subscriber = (esign_subscriber_t){ .id = 7,
                                        .national_id = "10000000146",
                                        .name = "Ayşe <Yılmaz> & Co",
                                        .email = "ayse@example.org",
                                        .phone = "+905551234567",
                                        .language = language };
    return subscriber;
}

static int has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* The paragraphs of a text part with their line breaks undone. */
static const char *unwrapped(const char *text)
{
    char *flat = apr_pstrdup(pool, text);
    for (char *c = flat; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return flat;
}

/* The words of a text part, separated by single spaces: letters, digits and the characters of an
 * address, without the marks of lists and sentences. */
static const char *words(const char *text)
{
    char *flat = apr_pstrdup(pool, text), *end = flat;
    for (const char *c = text; *c; c++)
        if (apr_isalnum(*c) || (*c & 0x80) || strchr("/_&\"<>", *c) ||
            (strchr(".:-", *c) && c[1] > ' '))
            *end++ = *c;
        else if (end > flat && end[-1] != ' ')
            *end++ = ' ';
    while (end > flat && end[-1] == ' ')
        end--;
    *end = '\0';
    return flat;
}

/* The text that a browser shows of an HTML part: tags become spaces, the head goes, the entities
 * that a serialiser writes become characters. */
static const char *seen(const char *html)
{
    static const char *const entities[][2] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" } };
    const char *body = strstr(html, "<body>");
    char *text = apr_pcalloc(pool, strlen(html) + 1), *end = text;
    for (const char *c = body; *c;) {
        apr_size_t i = 0;
        while (i < 3 && strncmp(c, entities[i][0], strlen(entities[i][0])) != 0)
            i++;
        const char *tag_end = *c == '<' ? strchr(c, '>') : NULL;
        *end++ = tag_end ? ' ' : i < 3 ? *entities[i][1] : *c;
        c = tag_end ? tag_end + 1 : i < 3 ? c + strlen(entities[i][0]) : c + 1;
    }
    return text;
}

static int has_line(const char *text, const char *line)
{
    return has(apr_pstrcat(pool, "\n", text, NULL), apr_pstrcat(pool, "\n", line, "\n", NULL));
}

/* Checks what both parts of every mail must have. */
static void check_mail(const esign_mail_t *mail, const char *greeting, const char *time)
{
    CU_ASSERT_STRING_EQUAL(mail->to, "ayse@example.org");
    CU_ASSERT_STRING_EQUAL(mail->to_name, "Ayşe <Yılmaz> & Co");
    CU_ASSERT(esign_header_safe(mail->subject));
    CU_ASSERT_PTR_EQUAL(strstr(mail->subject, ORGANIZATION), mail->subject);
    CU_ASSERT(has(mail->text, apr_pstrcat(pool, greeting, "Ayşe <Yılmaz> & Co,", NULL)));
    CU_ASSERT(has(mail->html, apr_pstrcat(pool, greeting, "Ayşe &lt;Yılmaz&gt; &amp; Co,", NULL)));
    CU_ASSERT(has_line(mail->text, ORGANIZATION) && has_line(mail->text, URL));
    CU_ASSERT(has(mail->html, ">" ESCAPED "<") && !has(mail->html, "<Oğul>") &&
              !has(mail->html, "& <"));
    CU_ASSERT(has(mail->html, "href=\"" URL "\""));
    const char *const parts[] = { mail->text, mail->html };
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(has(parts[i], time));
        CU_ASSERT(has(parts[i], "2001:db8::7"));
        for (const char *brace = parts[i]; (brace = strchr(brace, '{')) != NULL; brace++)
            CU_ASSERT(brace[1] < '0' || brace[1] > '9'); /* every {n} is filled in */
    }
    CU_ASSERT_STRING_EQUAL(words(seen(mail->html)), words(mail->text));
    CU_ASSERT(!has(mail->html, "<img") && !has(mail->html, "url(") && !has(mail->html, "src="));
    for (const char *line = mail->text; *line; line += strcspn(line, "\n") + 1) {
        apr_size_t length = strcspn(line, "\n");
        CU_ASSERT(length <= 90 || strncmp(line, URL, strlen(URL)) ==
                                      0); /* 72 characters, of up to two bytes each */
    }
}

static void check_reset(const char *language, int minutes, const char *greeting, const char *time,
                        const char *life, const char *subject)
{
    esign_mail_t mail;
    CU_ASSERT_FATAL(!esign_failed(esign_message_reset(context, subscriber_of(language), TOKEN,
                                                      minutes, "2001:db8::7", WHEN, &mail, pool)));
    check_mail(&mail, greeting, time);
    CU_ASSERT_STRING_EQUAL(mail.subject, apr_pstrcat(pool, ORGANIZATION, subject, NULL));
    CU_ASSERT(has_line(mail.text, LINK));
    CU_ASSERT(has(mail.html, "<a href=\"" LINK "\">" LINK "</a>"));
    CU_ASSERT(has(unwrapped(mail.text), life));
    CU_ASSERT(has(mail.html, life));
    CU_ASSERT(has(mail.html, apr_psprintf(pool, "<html lang=\"%s\">", language)));
}

static void test_reset(void)
{
    check_reset("tr", 30, "Sayın ", "24 Kasım 2026 17.07", " 30 dakika ",
                ": Güvenlik Sözcüğü yenileme isteğiniz");
    check_reset("en", 30, "Dear ", "24 November 2026, 17:07", "valid for 30 minutes and",
                ": your request for a new Security Word");
    check_reset("en", 1, "Dear ", "24 November 2026, 17:07", "valid for 1 minute and",
                ": your request for a new Security Word");
}

static void test_notices(void)
{
    static const char *const events[] = { "word-reset", "word-changed", "pin-shown", "signed-in" };
    const esign_catalogue_t *catalogue = esign_render_catalogue(context->render);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < ESIGN_LANGUAGES; j++) {
            esign_mail_t mail;
            const char *language = esign_catalogue_languages[j], *organization[] = { ORGANIZATION };
            const char *what = esign_catalogue_text(catalogue, language,
                                                    apr_pstrcat(pool, "mail.", events[i], NULL));
            const char *otherwise = esign_catalogue_format(
                catalogue, language, apr_pstrcat(pool, "mail.", events[i], ".otherwise", NULL),
                organization, 1, pool);
            CU_ASSERT_FATAL(!esign_failed(esign_message_notice(
                context, subscriber_of(language), events[i], "2001:db8::7", WHEN, &mail, pool)));
            check_mail(&mail, j == 0 ? "Sayın " : "Dear ",
                       j == 0 ? "24 Kasım 2026 17.07" : "24 November 2026, 17:07");
            CU_ASSERT(has(unwrapped(mail.text), what) && has(mail.html, what));
            CU_ASSERT(has(unwrapped(mail.text), otherwise) && has(mail.html, ESCAPED));
            CU_ASSERT(!has(mail.text, "/reset") &&
                      !has(mail.html, "/reset")); /* a notice never asks to follow a link */
        }
}

static void test_code(void)
{
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        esign_sms_t sms;
        CU_ASSERT_FATAL(!esign_failed(esign_message_code(
            context, subscriber_of(esign_catalogue_languages[i]), "012345", &sms, pool)));
        CU_ASSERT_STRING_EQUAL(sms.to, "+905551234567");
        CU_ASSERT(has(sms.text, " 012345"));
        CU_ASSERT_PTR_EQUAL(strstr(sms.text, ORGANIZATION), sms.text);
        CU_ASSERT(!has(sms.text, "{") && strchr(sms.text, '\n') == strrchr(sms.text, '\n'));
        CU_ASSERT_STRING_EQUAL(strchr(sms.text, '\n'), "\n@portal.example.org #012345");
    }
}

static const char *sms_of(const char *url, const char *sms_name)
{
    esign_message_context_t other = *context;
    esign_sms_t sms;
    other.url = url;
    other.sms_name = sms_name;
    CU_ASSERT_FATAL(
        !esign_failed(esign_message_code(&other, subscriber_of("en"), "012345", &sms, pool)));
    return sms.text;
}

static void test_code_host(void)
{
    CU_ASSERT(has(sms_of("https://localhost:8443/esign", NULL), "\n@localhost #012345"));
    CU_ASSERT(has(sms_of("https://192.0.2.7:8443/esign", NULL), "\n@192.0.2.7 #012345"));
    CU_ASSERT(!has(sms_of("https://[2001:db8::7]:8443/esign", NULL), "\n"));
}

static void test_code_name(void)
{
    const char *text = sms_of(URL, "Merkez & Oğul");
    CU_ASSERT_PTR_EQUAL(strstr(text, "Merkez & Oğul:"), text);
    CU_ASSERT(!has(text, ORGANIZATION));
}

/* How many more characters a name may have in an SMS with a code of six digits. */
static int room_left(const char *organization, const char *language)
{
    esign_message_context_t other = *context;
    esign_sms_t sms;
    other.organization = organization;
    CU_ASSERT_FATAL(
        !esign_failed(esign_message_code(&other, subscriber_of(language), "012345", &sms, pool)));
    esign_sms_size_t size = esign_sms_size(sms.text);
    return size.room - size.units;
}

/* Names that fill one message to the last character, then one too many; and a name that only UCS-2
 * can write. */
static void test_code_fits(void)
{
    esign_message_context_t other = *context;
    other.organization = "Örnek Sertifikasyon Kuruluşu";
    CU_ASSERT(!esign_failed(esign_message_code_fits(&other, 10, pool)));
    int turkish = room_left(other.organization, "tr"),
        english = room_left(other.organization, "en"), room = turkish < english ? turkish : english;
    other.organization = apr_psprintf(pool, "Örnek Sertifikasyon Kuruluşu%0*d", room, 0);
    CU_ASSERT(!esign_failed(esign_message_code_fits(&other, 6, pool)));
    other.organization = apr_psprintf(pool, "Örnek Sertifikasyon Kuruluşu%0*d", room + 1, 0);
    esign_result_t result = esign_message_code_fits(&other, 6, pool);
    CU_ASSERT(esign_failed(result) && has(result.detail, "EsignOrganization") &&
              has(result.detail, " takes 156 ") && has(result.detail, "holds 155"));
    other.organization = apr_psprintf(pool, "Örnek Sertifikasyon Kuruluşu%0*d", room, 0);
    CU_ASSERT(esign_failed(esign_message_code_fits(&other, 7, pool)));
    other.sms_name = "Örnek";
    CU_ASSERT(!esign_failed(esign_message_code_fits(&other, 10, pool)));
    other.sms_name = "Пример";
    result = esign_message_code_fits(&other, 6, pool);
    CU_ASSERT(esign_failed(result) && has(result.detail, "this name") &&
              has(result.detail, "holds 70, "));
}

/* Our own messages pass. A theme's mistakes, which configtest finds by this, are in
 * tests/e2e/test_theme.py. */
static void test_check(void)
{
    esign_message_context_t other = *context;
    CU_ASSERT(!esign_failed(esign_message_check(&other, 10, pool)));
    other.organization = "Two\nlines";
    esign_result_t result = esign_message_check(&other, 6, pool);
    CU_ASSERT(esign_failed(result) && has(result.detail, "one line: Two"));
}

static void test_languages(void)
{
    esign_mail_t turkish, english;
    CU_ASSERT_FATAL(!esign_failed(esign_message_reset(context, subscriber_of("tr"), TOKEN, 30,
                                                      "local", WHEN, &turkish, pool)));
    CU_ASSERT_FATAL(!esign_failed(esign_message_reset(context, subscriber_of("en"), TOKEN, 30,
                                                      "local", WHEN, &english, pool)));
    CU_ASSERT(has(turkish.text, "Güvenlik Sözcüğü") && !has(turkish.text, "Security Word") &&
              !has(turkish.html, "Security Word"));
    CU_ASSERT(has(english.text, "Security Word") && !has(english.text, "Güvenlik") &&
              !has(english.html, "Güvenlik"));
}

static void test_refused(void)
{
    esign_mail_t mail;
    esign_sms_t sms;
    esign_result_t result = esign_message_notice(context, subscriber_of("en"), "nothing-known",
                                                 "local", WHEN, &mail, pool);
    CU_ASSERT(esign_failed(result) && has(result.detail, "mail.nothing-known"));
    CU_ASSERT(esign_failed(
        esign_message_notice(context, subscriber_of("en"), "", "local", WHEN, &mail, pool)));
    CU_ASSERT(esign_failed(esign_message_code(context, subscriber_of("de"), "012345", &sms, pool)));
}

/* Names and addresses come from outside: what XML cannot hold goes, and the mail still does. */
static void test_unclean(void)
{
    esign_mail_t mail;
    esign_subscriber_t *subscriber = apr_pmemdup(pool, subscriber_of("en"), sizeof(*subscriber));
    subscriber->name = "A\x01"
                       "B\xFF";
    CU_ASSERT_FATAL(!esign_failed(esign_message_notice(context, subscriber, "pin-shown",
                                                       "\x02"
                                                       "here",
                                                       WHEN, &mail, pool)));
    CU_ASSERT(has(mail.text, "Dear AB\xEF\xBF\xBD,") && has(mail.text, "IP address: here"));
}

/* One of ten messages, of somebody with one of seven names. */
static const char *message_of(const esign_message_context_t *made_by, int i)
{
    static const char *const names[] = {
        "Ayşe Yılmaz",
        "Ali",
        "",
        "O'Brien & Sons",
        "copied-value-001-",
        "İpek Çağla Öztürkoğullarından Büyükkaraosmanoğlu-Küçükhüseyinoğlu",
        "<b>"
    };
    static const char *const events[] = { "word-reset", "word-changed", "pin-shown", "signed-in" };
    esign_mail_t mail;
    esign_sms_t sms;
    esign_subscriber_t *subscriber =
        apr_pmemdup(pool, subscriber_of(i % 2 ? "tr" : "en"), sizeof(*subscriber));
    const char *address = apr_psprintf(pool, i % 3 ? "192.0.2.%d" : "2001:db8::%x", i);
    apr_time_t time = WHEN + apr_time_from_sec(86400) * i;
    subscriber->name = names[i % 7];
    if (i % 5 == 0) {
        CU_ASSERT_FATAL(!esign_failed(esign_message_code(
            made_by, subscriber, apr_psprintf(pool, "%06d", i * 7919 % 1000000), &sms, pool)));
        return sms.text;
    }
    if (i % 5 == 1)
        CU_ASSERT_FATAL(!esign_failed(esign_message_reset(made_by, subscriber,
                                                          apr_psprintf(pool, "token-_%d", i), 30,
                                                          address, time, &mail, pool)))
    else
        CU_ASSERT_FATAL(!esign_failed(
            esign_message_notice(made_by, subscriber, events[i % 4], address, time, &mail, pool)));
    return apr_pstrcat(pool, mail.subject, "\n", mail.text, "\n", mail.html, NULL);
}

/* A page cache fills in exactly what would be rendered. */
static void test_kept(void)
{
    esign_message_context_t keeping = *context;
    keeping.page_cache = esign_page_cache_create(pool);
    keeping.organization = "Örnek Sertifikasyon Kuruluşu";
    esign_message_context_t whole = keeping;
    whole.page_cache = NULL;
    for (int i = 0; i < 400; i++)
        CU_ASSERT_STRING_EQUAL(message_of(&keeping, i), message_of(&whole, i));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the reset mail holds the link in both parts", test_reset },
        { "notices say what happened and what to do", test_notices },
        { "the SMS holds the code in a sentence and in a last line", test_code },
        { "the last line names the host alone, or is left out", test_code_host },
        { "a short name stands for the organization in an SMS", test_code_name },
        { "an SMS that is too long for one message is found", test_code_fits },
        { "all messages are checked at once", test_check },
        { "a message is in one language", test_languages },
        { "a message without words is not sent", test_refused },
        { "unclean texts are cleaned", test_unclean },
        { "a cached message is the same as a rendered one", test_kept },
        CU_TEST_INFO_NULL
    };
    apr_pool_t *whole;
    esign_message_context_t made = { .organization = ORGANIZATION, .url = URL };
    setenv("TZ", "<+03>-3", 1);
    tzset();
    apr_initialize();
    apr_pool_create(&whole, NULL);
    if (esign_failed(esign_render_init(whole)) ||
        esign_failed(esign_render_load(&made.render, ESIGN_TEST_HTDOCS, NULL, whole)))
        return EXIT_FAILURE;
    context = &made;
    int status = suite_run("message", tests);
    apr_pool_destroy(whole);
    return status;
}
