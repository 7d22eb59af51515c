/* SPDX-License-Identifier: Apache-2.0 */
/* test_national_id.c: identity numbers as typed, pasted and mistyped. */
#include "core/national_id.h"
#include "suite.h"

static const esign_national_id_scheme_t *scheme(const char *name)
{
    const esign_national_id_scheme_t *found = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_national_id_scheme(&found, name, pool)) && found != NULL);
    return found;
}

static void takes(const esign_national_id_scheme_t *with, const char *typed, const char *expected)
{
    char id[ESIGN_NATIONAL_ID_MAX + 1] = "stale";
    CU_ASSERT(esign_national_id_parse(with, typed, id));
    CU_ASSERT_STRING_EQUAL(id, expected);
}

static void refuse(const esign_national_id_scheme_t *with, const char *typed)
{
    char id[ESIGN_NATIONAL_ID_MAX + 1] = "stale";
    CU_ASSERT(!esign_national_id_parse(with, typed, id));
    CU_ASSERT_STRING_EQUAL(id, "");
}

static void test_tckn(void)
{
    static const char *const good[] = {
        "10000000146", "19090909018", "98765432150", "10090909008"
    }; /* in the second and the fourth, the sum is negative */
    static const char *const bad[] = { "",
                                       "1000000014",
                                       "100000001460",
                                       "10000000145",
                                       "10000000156",
                                       "00000000000",
                                       "01234567890",
                                       "1000000014x",
                                       "12345678901",
                                       "11111111111",
                                       "x10000000146" };
    const esign_national_id_scheme_t *tckn = scheme("tckn");
    for (apr_size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        takes(tckn, good[i], good[i]);
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        refuse(tckn, bad[i]);
}

/* The two check digits find every single wrong digit. */
static void test_single_errors(void)
{
    const esign_national_id_scheme_t *tckn = scheme("tckn");
    for (int position = 0; position < 11; position++) {
        for (int digit = '0'; digit <= '9'; digit++) {
            char typed[] = "10000000146";
            if (typed[position] == digit)
                continue;
            typed[position] = (char)digit;
            refuse(tckn, typed);
        }
    }
}

static void test_separators(void)
{
    const esign_national_id_scheme_t *tckn = scheme("tckn");
    takes(tckn, " 100 000 001 46 ", "10000000146");
    takes(tckn, "100.000.001-46\t", "10000000146");
    takes(tckn,
          "\xE2\x80\xAA"
          "100\xE2\x80\x89"
          "000\xE2\x80\x93"
          "00146\xE2\x80\xAC",
          "10000000146");
    takes(tckn,
          "\xC2\xA0"
          "100\xC2\xA0"
          "000\xE2\x80\xAF"
          "00146\xC2\xA0",
          "10000000146");
    refuse(tckn, "100,000,001,46");
    refuse(tckn, "100/000/001/46");
    refuse(tckn, "10000000146\n");
    refuse(tckn, "10000000146\xC2");
    refuse(tckn, "\xC2"
                 "10000000146");
    refuse(tckn, "\xD9\xA1"
                 "0000000146"); /* an Arabic-Indic digit */
    refuse(tckn, "    ");
}

static void test_digits(void)
{
    const esign_national_id_scheme_t *some = scheme("digits:4-8"), *most = scheme("digits:1-32"),
                                     *exact = scheme("digits:10-10");
    takes(some, "0000", "0000");
    takes(some, "1234-5678", "12345678");
    refuse(some, "123");
    refuse(some, "123456789");
    takes(most, "0", "0");
    takes(most, "12345678901234567890123456789012", "12345678901234567890123456789012");
    refuse(most, "123456789012345678901234567890123");
    refuse(most, "");
    takes(exact, "1234567890", "1234567890");
    refuse(exact, "123456789");
}

static void test_scheme_names(void)
{
    static const char *const bad[] = { "",
                                       "TCKN",
                                       "tckn ",
                                       "digits",
                                       "digits:",
                                       "digits:4",
                                       "digits:4-",
                                       "digits:-8",
                                       "digits:0-8",
                                       "digits:9-8",
                                       "digits:1-33",
                                       "digits:1-100",
                                       "digits:1-8x",
                                       "digits:1--8",
                                       "digits:1 - 8" };
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const esign_national_id_scheme_t *found = NULL;
        esign_result_t result = esign_national_id_scheme(&found, bad[i], pool);
        CU_ASSERT(result.status == APR_EINVAL && found == NULL);
        CU_ASSERT_PTR_NOT_NULL(strstr(result.detail, apr_psprintf(pool, "\"%s\"", bad[i])));
    }
}

int main(void)
{
    CU_TestInfo tests[] = { { "TCKN by its check digits", test_tckn },
                            { "TCKN finds every single mistyped digit", test_single_errors },
                            { "separators are stripped, other characters are not",
                              test_separators },
                            { "numbers of a plain length", test_digits },
                            { "unknown schemes are refused", test_scheme_names },
                            CU_TEST_INFO_NULL };
    return suite_run("national_id", tests);
}
