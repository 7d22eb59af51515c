/* SPDX-License-Identifier: Apache-2.0 */
/* test_word.c: which security words are acceptable, in Turkish and elsewhere. */
#include "core/word.h"
#include "suite.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

static const char *const nothing[] = { NULL };
static const char *const ayse[] = {
    "10000000146",   "Ayşe Yılmaz-Işık Ali",    "ayse.y_1984@kurum.example.org",
    "+905321234567", "Örnek Sertifika Merkezi", NULL
};

static esign_word_verdict_e judge(const esign_blocklist_t *blocklist, const char *typed,
                                  const char *const *personal)
{
    const esign_word_policy_t policy = { 8, 128, blocklist };
    return esign_word_check(&policy, esign_word_normalize(typed, pool), personal, pool);
}

static const char *repeat(const char *text, int count)
{
    char *all = apr_palloc(pool, strlen(text) * (apr_size_t)count + 1), *end = all;
    while (count-- > 0)
        end = apr_cpystrn(end, text, strlen(text) + 1);
    *end = '\0';
    return all;
}

static void test_normalize(void)
{
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("", pool), "");
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("  Two  words ", pool), "  Two  words ");
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("s\xCC\xA7"
                                                "i\xCC\x87"
                                                "G\xCC\x86",
                                                pool),
                           "ş"
                           "i\xCC\x87"
                           "Ğ");
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("I\xCC\x87", pool), "İ");
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("\xE2\x84\xAB", pool), "Å"); /* U+212B */
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("\xEF\xBC\xA1", pool),
                           "\xEF\xBC\xA1"); /* a full-width A: NFKC would change it */
    CU_ASSERT_STRING_EQUAL(esign_word_normalize("\xF0\x9F\x94\x91", pool), "\xF0\x9F\x94\x91");
    CU_ASSERT_STRING_EQUAL(
        esign_word_normalize("\xF0\x9D\x85\xA0", pool),
        "\xF0\x9D\x85\x98\xF0\x9D\x85\xA5\xF0\x9D\x85\xAE"); /* U+1D160 grows threefold */
    const char *grown = esign_word_normalize(repeat("\xF0\x9D\x85\xA0", 500), pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(grown);
    CU_ASSERT_EQUAL(strlen(grown), 6000);
}

static void test_malformed(void)
{
    static const char *const bad[] = { "line\nbreak",
                                       "tab\there",
                                       "bell\a",
                                       "\x7f"
                                       "delete",
                                       "next\xC2\x85line",
                                       "cut \xC3",
                                       "\xFF\xFE",
                                       "over\xC0\xAFlong",
                                       "\xED\xA0\x80 surrogate",
                                       "\xF4\x90\x80\x80 too high",
                                       "\xFE"
                                       "ifre",
                                       "latin \xFE" };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_PTR_NULL(esign_word_normalize(bad[i], pool));
        CU_ASSERT_EQUAL(judge(NULL, bad[i], nothing), ESIGN_WORD_MALFORMED);
    }
}

static void test_length(void)
{
    CU_ASSERT_EQUAL(judge(NULL, "", nothing), ESIGN_WORD_EMPTY);
    CU_ASSERT_EQUAL(judge(NULL, "ğüşıöçİ", nothing), ESIGN_WORD_SHORT);
    CU_ASSERT_EQUAL(judge(NULL, "ğüşıöçİĞ", nothing), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, repeat("s\xCC\xA7", 7), nothing), ESIGN_WORD_SHORT);
    CU_ASSERT_EQUAL(judge(NULL, repeat("s\xCC\xA7", 8), nothing), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, repeat("\xF0\x9F\x94\x91", 128), nothing), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, repeat("\xF0\x9F\x94\x91", 129), nothing), ESIGN_WORD_LONG);
    CU_ASSERT_EQUAL(judge(NULL, repeat("s\xCC\xA7", 128), nothing), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, "        ", nothing), ESIGN_WORD_OK); /* no composition rules */
    CU_ASSERT_EQUAL(judge(NULL, "aaaaaaaa", nothing), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, repeat("a", 100000), nothing), ESIGN_WORD_LONG);
}

static void test_personal(void)
{
    static const char *const refused[] = {
        "10000000146",      "xx10000000146yy", "+905321234567", "905321234567", "05321234567",
        "5321234567",       "x5321234567x",    "YILMAZ-2026",   "yılmaz-2026",  "Yılmaz.2026",
        "yilmaz... YILMAZ", "sevgili ayşe!",   "SEVGİLİ AYŞE",  "ışık-ışık",    "IŞIK IŞIK",
        "my ayse word",     "AYSE 12345",      "x1984x1984",    "sertifika!",   "SERTİFİKA!",
        "SERTIFIKA!",       "merkez merkezi",  "ÖRNEK-örnek"
    };
    static const char *const good[] = { "ali ali ali",  "kurum kurum",  "example.org",
                                        "12345678901",  "mavi kapı 77", "1000000014",
                                        "ayş eyıl maz", "321-234-567",  "532 123 45 67" };
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        CU_ASSERT_EQUAL(judge(NULL, refused[i], ayse), ESIGN_WORD_PERSONAL);
        CU_ASSERT(judge(NULL, refused[i], nothing) == ESIGN_WORD_OK);
    }
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT(judge(NULL, good[i], ayse) == ESIGN_WORD_OK ||
                  judge(NULL, good[i], ayse) == ESIGN_WORD_SHORT);
    CU_ASSERT_EQUAL(judge(NULL, "mavi kapı 77", ayse), ESIGN_WORD_OK);
}

static void test_personal_forms(void)
{
    static const char *const decomposed[] = { "Ays\xCC\xA7"
                                              "e",
                                              NULL };
    static const char *const broken[] = {
        "", "+", "+90", "@", "@example.org", "\xFF\xFF\xFF\xFF\xFF", "...", NULL
    };
    static const char *const dotted[] = { "İPEK", NULL };
    static const char *const german[] = { "Strauß", NULL };
    static const char *const digits[] = { "\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4", NULL };
    CU_ASSERT_EQUAL(judge(NULL, "merhaba AYŞE", decomposed), ESIGN_WORD_PERSONAL);
    CU_ASSERT_EQUAL(judge(NULL, "merhaba dünya", broken), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, "ipek ipek", dotted), ESIGN_WORD_PERSONAL);
    CU_ASSERT_EQUAL(judge(NULL, "IPEK IPEK", dotted), ESIGN_WORD_PERSONAL);
    CU_ASSERT_EQUAL(judge(NULL, "İpek İpek", dotted), ESIGN_WORD_PERSONAL);
    CU_ASSERT_EQUAL(judge(NULL, "ıpek ıpek", dotted), ESIGN_WORD_OK);
    CU_ASSERT_EQUAL(judge(NULL, "STRAUSS 12", german), ESIGN_WORD_PERSONAL);
    CU_ASSERT_EQUAL(judge(NULL, "xx\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4xx", digits),
                    ESIGN_WORD_PERSONAL);
}

/* The server's locale must not change the folding. On a system without a Turkish locale this proves
 * nothing. */
static void test_locale(void)
{
    setlocale(LC_ALL, "tr_TR.UTF-8");
    test_personal();
    test_personal_forms();
    test_normalize();
    setlocale(LC_ALL, "C");
}

static esign_result_t load(esign_blocklist_t **blocklist, const char *text, apr_size_t length)
{
    char path[] = "/tmp/esign-word-XXXXXX";
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0 && write(file, text, length) == (ssize_t)length);
    close(file);
    esign_result_t result = esign_blocklist_load(blocklist, path, pool);
    unlink(path);
    return result;
}

static void test_blocklist(void)
{
    static const char text[] =
        "# the worst of "
        "all\npassword\r\n\nPa$$word123\nİSTANBUL34\ntitanik99\ns\xCC\xA7ifrem12\n#12345678\nlast-"
        "one";
    static const char *const common[] = { "password",   "PassWord",   "PASSWORD",   "pa$$WORD123",
                                          "istanbul34", "İstanbul34", "ISTANBUL34", "titanik99",
                                          "TITANIK99",  "TİTANİK99",  "ŞİFREM12",   "Şifrem12",
                                          "last-one" };
    static const char *const good[] = { "password1", "passwor d", " password", "# the worst of all",
                                        "#12345678", "12345678",  "ıstanbul35" };
    esign_blocklist_t *blocklist = NULL;
    CU_ASSERT_FATAL(!esign_failed(load(&blocklist, text, sizeof(text) - 1)));
    for (apr_size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        CU_ASSERT_EQUAL(judge(blocklist, common[i], nothing), ESIGN_WORD_COMMON);
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT_EQUAL(judge(blocklist, good[i], nothing), ESIGN_WORD_OK);
}

static void test_blocklist_many(void)
{
    char *text = apr_palloc(pool, 20 * 20000), *end = text;
    for (int i = 0; i < 20000; i++)
        end += apr_snprintf(end, 20, "COMMON-I%05d\n", i);
    esign_blocklist_t *blocklist = NULL;
    CU_ASSERT_FATAL(!esign_failed(load(&blocklist, text, (apr_size_t)(end - text))));
    for (int i = 0; i < 20000; i += 7) {
        CU_ASSERT_EQUAL(judge(blocklist, apr_psprintf(pool, "common-i%05d", i), nothing),
                        ESIGN_WORD_COMMON);
        CU_ASSERT_EQUAL(judge(blocklist, apr_psprintf(pool, "common-ı%05d", i), nothing),
                        ESIGN_WORD_COMMON);
        CU_ASSERT_EQUAL(judge(blocklist, apr_psprintf(pool, "common-x%05d", i), nothing),
                        ESIGN_WORD_OK);
    }
}

static void test_blocklist_refused(void)
{
    esign_blocklist_t *blocklist = NULL;
    static const char latin[] = "password\n# \xFF\nparola\xFE\n", nul[] = "password\npass\0word\n";
    esign_result_t result = load(&blocklist, latin, sizeof(latin) - 1);
    CU_ASSERT(result.status == APR_EINVAL && strstr(result.detail, "line 3: ") != NULL &&
              strstr(result.detail, "parola") == NULL);
    result = load(&blocklist, nul, sizeof(nul) - 1);
    CU_ASSERT(result.status == APR_EINVAL && strstr(result.detail, "line 2: ") != NULL);
    CU_ASSERT_EQUAL(esign_blocklist_load(&blocklist, "/tmp/none/of/these", pool).status, ENOENT);
    CU_ASSERT_EQUAL(esign_blocklist_load(&blocklist, "/tmp", pool).status, EISDIR);
    CU_ASSERT_PTR_NULL(blocklist);

    CU_ASSERT_FATAL(!esign_failed(load(&blocklist, "", 0)));
    CU_ASSERT_EQUAL(judge(blocklist, "password", nothing), ESIGN_WORD_OK);
}

static void test_blocklist_limit(void)
{
    enum { LIMIT = 10000000 };
    char *text = apr_palloc(pool, LIMIT + 1);
    memset(text, '\n', LIMIT + 1);
    esign_blocklist_t *blocklist = NULL;
    CU_ASSERT(!esign_failed(load(&blocklist, text, LIMIT)));
    esign_result_t result = load(&blocklist, text, LIMIT + 1);
    CU_ASSERT(result.status == APR_EINVAL && strstr(result.detail, "10000001") != NULL);
}

/* Length is checked before the blocklist, and that before the subscriber's data. */
static void test_order(void)
{
    esign_blocklist_t *blocklist = NULL;
    CU_ASSERT_FATAL(!esign_failed(load(&blocklist, "ayşe\n10000000146\n", 18)));
    CU_ASSERT_EQUAL(judge(blocklist, "ayşe", ayse), ESIGN_WORD_SHORT);
    CU_ASSERT_EQUAL(judge(blocklist, "10000000146", ayse), ESIGN_WORD_COMMON);
}

static void test_names(void)
{
    static const char *const names[] = { "ok",        "empty",  "short",   "long",
                                         "malformed", "common", "personal" };
    for (int verdict = ESIGN_WORD_OK; verdict <= ESIGN_WORD_PERSONAL; verdict++)
        CU_ASSERT_STRING_EQUAL(esign_word_verdict_name((esign_word_verdict_e)verdict),
                               names[verdict]);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "words become NFC and nothing else", test_normalize },
        { "control characters and bytes that are not UTF-8 are refused", test_malformed },
        { "length counts code points after NFC", test_length },
        { "the subscriber's own data is refused", test_personal },
        { "personal data in odd forms", test_personal_forms },
        { "a Turkish locale changes nothing", test_locale },
        { "the blocklist matches without regard to case", test_blocklist },
        { "a blocklist of many words", test_blocklist_many },
        { "a blocklist that is not UTF-8 text is refused by line", test_blocklist_refused },
        { "a blocklist has at most 10 million lines", test_blocklist_limit },
        { "the first reason counts", test_order },
        { "verdicts have names", test_names },
        CU_TEST_INFO_NULL
    };
    return suite_run("word", tests);
}
