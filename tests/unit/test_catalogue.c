/* SPDX-License-Identifier: Apache-2.0 */
/* test_catalogue.c: texts by language and key, and message files that are refused. */
#include "render/catalogue.h"
#include "suite.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/esign-catalogue-XXXXXX";

static const char *path_of(const char *language)
{
    return apr_psprintf(pool, "%s/messages.%s.xml", folder, language);
}

static void write_file(const char *language, const char *text)
{
    FILE *file = fopen(path_of(language), "w");
    CU_ASSERT_FATAL(file != NULL && fputs(text, file) >= 0);
    fclose(file);
}

static esign_result_t load(const char *turkish, const char *english,
                           const esign_catalogue_t **catalogue)
{
    write_file("tr", turkish);
    write_file("en", english);
    return esign_catalogue_load(catalogue, folder, NULL, pool);
}

static const char *of(const char *language, const char *messages)
{
    return apr_psprintf(pool, "<messages lang=\"%s\">\n%s</messages>", language, messages);
}

#define ONE "<message key=\"one\">1</message>\n"
#define TWO "<message key=\"two\">2</message>\n"

/* Checks that these files are refused, and that the error contains all of these texts. */
static void refuse(const char *turkish, const char *english, const char *where, const char *what)
{
    const esign_catalogue_t *catalogue = NULL;
    esign_result_t result = load(turkish, english, &catalogue);
    CU_ASSERT_PTR_NULL(catalogue);
    CU_ASSERT_FATAL(esign_failed(result));
    CU_ASSERT_STRING_EQUAL(result.problem, "message catalogue");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, apr_pstrcat(pool, folder, "/", where, NULL)));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, what));
}

static const esign_catalogue_t *ours(void)
{
    const esign_catalogue_t *catalogue = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_catalogue_load(&catalogue, ESIGN_TEST_HTDOCS, NULL, pool)));
    return catalogue;
}

static void test_ours(void)
{
    const esign_catalogue_t *catalogue = ours();
    CU_ASSERT_STRING_EQUAL(esign_catalogue_text(catalogue, "tr", "title.login"),
                           "Şifreli Giriş Ekranı");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_text(catalogue, "tr-TR", "title.login"),
                           "Şifreli Giriş Ekranı");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_text(catalogue, "en", "sign-out"), "Sign Out");
    CU_ASSERT_PTR_NULL(esign_catalogue_text(catalogue, "en", "title.nothing"));
    CU_ASSERT_PTR_NULL(esign_catalogue_text(catalogue, "de", "title.login"));
    CU_ASSERT_PTR_NULL(esign_catalogue_text(catalogue, NULL, "title.login"));
}

static void test_language(void)
{
    static const struct {
        const char *tag, *language;
    } tags[] = {
        { "tr", "tr" }, { "en-GB", "en" }, { "EN-us", "en" }, { "Tr", "tr" }, { "trv", NULL },
        { "t", NULL },  { "", NULL },      { "de", NULL },    { NULL, NULL },
    };
    for (apr_size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
        const char *language = esign_catalogue_language(tags[i].tag);
        CU_ASSERT(language && tags[i].language ? strcmp(language, tags[i].language) == 0
                                               : language == tags[i].language);
    }
}

static void test_keys_refused(void)
{
    refuse(of("tr", ONE TWO), of("en", ONE), "messages.en.xml", "lacks the key two");
    refuse(of("tr", ONE), of("en", ONE TWO), "messages.tr.xml", "lacks the key two");
    refuse(of("tr", ONE), of("en", ONE TWO ONE), "messages.en.xml:4", "the key one stands twice");
    refuse(of("tr", ONE "<message>no key</message>"), of("en", ONE), "messages.tr.xml:3",
           "has no key");
    refuse(of("tr", ONE "<message key=\"\">no key</message>"), of("en", ONE), "messages.tr.xml:3",
           "has no key");
    refuse(of("tr", "\n<text key=\"one\">1</text>"), of("en", ONE), "messages.tr.xml:3",
           "only <message>");
}

static void test_files_refused(void)
{
    const char *good = of("tr", ONE);
    refuse(of("en", ONE), of("en", ONE), "messages.tr.xml", "<messages lang=\"tr\">");
    refuse(good, "<messages>" ONE "</messages>", "messages.en.xml", "<messages lang=\"en\">");
    refuse(good, "<texts lang=\"en\">" ONE "</texts>", "messages.en.xml", "<messages lang=\"en\">");
    refuse(good, "<messages lang=\"en\">\n\n<message key=\"one\">1</messages>",
           "messages.en.xml:3: ", "");
    refuse(good, "", "messages.en.xml:", "");
    refuse(good, "<messages lang=\"en\"><message key=\"one\">\xFF</message></messages>",
           "messages.en.xml:1", "");
    unlink(path_of("tr"));
    const esign_catalogue_t *catalogue;
    esign_result_t result = esign_catalogue_load(&catalogue, folder, NULL, pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "messages.tr.xml") != NULL);
}

static void test_doctype_refused(void)
{
    const char *english = of("en", ONE);
    refuse("<!DOCTYPE messages>\n<messages lang=\"tr\">" ONE "</messages>", english,
           "messages.tr.xml:2", "document type");
    refuse("<!DOCTYPE messages [<!ENTITY x \"1\">]>\n<messages lang=\"tr\"><message "
           "key=\"one\">&x;</message></messages>",
           english, "messages.tr.xml:2", "document type");
    refuse("<!DOCTYPE messages SYSTEM \"messages.en.xml\">\n<messages lang=\"tr\">" ONE
           "</messages>",
           english, "messages.tr.xml:2", "document type");
}

static void test_format(void)
{
    static const char *const arguments[] = { "A", "{1}", "C" };
    const esign_catalogue_t *catalogue;
    const char *messages = "<message key=\"order\">{2}, {1}; {1}{3}.</message><message "
                           "key=\"odd\">{ {0} {x} {1 {1}{4}}</message>"
                           "<message key=\"plain\">&lt;b&gt; &amp;</message>";
    CU_ASSERT_FATAL(!esign_failed(load(of("tr", messages), of("en", messages), &catalogue)));
    CU_ASSERT_STRING_EQUAL(esign_catalogue_format(catalogue, "tr", "order", arguments, 3, pool),
                           "{1}, A; AC.");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_format(catalogue, "tr", "order", arguments, 1, pool),
                           "{2}, A; A{3}.");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_format(catalogue, "en", "odd", arguments, 3, pool),
                           "{ {0} {x} {1 A{4}}");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_format(catalogue, "en", "plain", NULL, 0, pool),
                           "<b> &");
    CU_ASSERT_PTR_NULL(esign_catalogue_format(catalogue, "en", "none", arguments, 3, pool));
}

static void test_times(void)
{
    const esign_catalogue_t *catalogue = ours();
    apr_time_t moment = apr_time_from_sec(1795529225),
               midnight = apr_time_from_sec(1795478400); /* 2026-11-24 14:07:05 and 00:00:00 UTC */
    setenv("TZ", "<+03>-3", 1);
    tzset();
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "tr", moment, 0, pool),
                           "24 Kasım 2026 17.07");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "en", moment, 0, pool),
                           "24 November 2026, 17:07");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "en", midnight, 0, pool),
                           "24 November 2026, 03:00");
    /* A date is the same day in every time zone. */
    setenv("TZ", "<-08>8", 1);
    tzset();
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "tr", midnight, 1, pool),
                           "24 Kasım 2026");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "en", midnight, 1, pool),
                           "24 November 2026");
    CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "en", midnight, 0, pool),
                           "23 November 2026, 16:00");
}

static void test_months(void)
{
    static const char *const turkish[] = { "Ocak",  "Şubat",   "Mart",   "Nisan",
                                           "Mayıs", "Haziran", "Temmuz", "Ağustos",
                                           "Eylül", "Ekim",    "Kasım",  "Aralık" };
    static const char *const english[] = { "January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December" };
    const esign_catalogue_t *catalogue = ours();
    for (int month = 0; month < 12; month++) {
        apr_time_exp_t parts = { .tm_year = 126, .tm_mon = month, .tm_mday = 5 };
        apr_time_t time;
        apr_time_exp_gmt_get(&time, &parts);
        CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "tr", time, 1, pool),
                               apr_psprintf(pool, "5 %s 2026", turkish[month]));
        CU_ASSERT_STRING_EQUAL(esign_catalogue_time(catalogue, "en", time, 1, pool),
                               apr_psprintf(pool, "5 %s 2026", english[month]));
    }
}

int main(void)
{
    CU_TestInfo tests[] = { { "our own catalogues load", test_ours },
                            { "languages are found by their tags", test_language },
                            { "wrong keys are refused by file, line and key", test_keys_refused },
                            { "wrong files are refused by file and line", test_files_refused },
                            { "a document type is refused", test_doctype_refused },
                            { "arguments are filled in, once", test_format },
                            { "times are in the server's time zone, dates are not", test_times },
                            { "months have their names", test_months },
                            CU_TEST_INFO_NULL };
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    int status = suite_run("catalogue", tests);
    char path[sizeof(folder) + 20];
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        snprintf(path, sizeof(path), "%s/messages.%s.xml", folder, esign_catalogue_languages[i]);
        unlink(path);
    }
    rmdir(folder);
    return status;
}
