/* SPDX-License-Identifier: Apache-2.0 */
/* test_otp.c: codes of a session and seed, and the ways to type them. */
#include "core/otp.h"
#include "keys.h"

#define SESSION "otp:a-session"

/* The code of seed number `number`. */
static const char *code_of(const esign_keyring_t *keyring, const char *session, int number,
                           int digits)
{
    unsigned char seed[ESIGN_OTP_SEED_SIZE] = { (unsigned char)number,
                                                (unsigned char)(number >> 8) };
    char code[ESIGN_OTP_MAX_DIGITS + 1];
    CU_ASSERT(esign_otp_code(keyring, 1, session, seed, digits, code));
    return apr_pstrdup(pool, code);
}

static void test_bound(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *code = code_of(keyring, SESSION, 1, 10);
    CU_ASSERT_STRING_EQUAL(code_of(keyring, SESSION, 1, 10), code);
    CU_ASSERT_STRING_NOT_EQUAL(code_of(keyring, SESSION, 2, 10), code);
    CU_ASSERT_STRING_NOT_EQUAL(code_of(keyring, "otp:b-session", 1, 10), code);
    CU_ASSERT_STRING_NOT_EQUAL(code_of(keyring, "otp:a-sessio", 1, 10), code);
    CU_ASSERT_STRING_NOT_EQUAL(code_of(keys_load("key 1 " KEY_B "\n"), SESSION, 1, 10), code);
    CU_ASSERT_STRING_EQUAL(code_of(keys_load("key 1 " KEY_A "\nkey 2 " KEY_B "\n"), SESSION, 1, 10),
                           code); /* the code's own key counts, not the active one */
    CU_ASSERT(!esign_otp_code(keyring, 2, SESSION, (unsigned char[ESIGN_OTP_SEED_SIZE]){ 1 }, 10,
                              (char[ESIGN_OTP_MAX_DIGITS + 1]){ 0 }));

    unsigned char seed[ESIGN_OTP_SEED_SIZE] = { 1 };
    char other[ESIGN_OTP_MAX_DIGITS + 1];
    seed[ESIGN_OTP_SEED_SIZE - 1] = 1; /* the whole seed counts */
    CU_ASSERT(esign_otp_code(keyring, 1, SESSION, seed, 10, other));
    CU_ASSERT_STRING_NOT_EQUAL(other, code);
}

static void test_even(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    int count[6][10] = { { 0 } };
    for (int i = 0; i < 2000; i++) {
        const char *code = code_of(keyring, SESSION, i, 6);
        CU_ASSERT_FATAL(strlen(code) == 6 && strspn(code, "0123456789") == 6);
        for (int place = 0; place < 6; place++)
            count[place][code[place] - '0']++;
    }
    /* 200 each, with a deviation of 13; a code keeps its leading zeros. */
    for (int place = 0; place < 6; place++)
        for (int digit = 0; digit < 10; digit++)
            CU_ASSERT(count[place][digit] > 130 && count[place][digit] < 270);
}

static void test_lengths(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    for (int digits = 6; digits <= ESIGN_OTP_MAX_DIGITS; digits++)
        for (int i = 0; i < 50; i++) {
            const char *code = code_of(keyring, SESSION, i, digits);
            CU_ASSERT(strlen(code) == (size_t)digits &&
                      strspn(code, "0123456789") == (size_t)digits);
        }
}

static void test_matches(void)
{
    static const char *const right[] = { "012345",
                                         "012 345",
                                         "012-345",
                                         " 0 1-2 3-4 5 ",
                                         "012.345",
                                         "012\xC2\xA0"
                                         "345",
                                         "\xE2\x80\xAA"
                                         "012345\xE2\x80\xAC",
                                         "\xEF\xBB\xBF"
                                         "012\xE2\x80\x91"
                                         "345\t" };
    static const char *const wrong[] = { "",
                                         " ",
                                         "01234",
                                         "0123456",
                                         "12345",
                                         "112345",
                                         "012346",
                                         "O12345",
                                         "012345x",
                                         "012,345",
                                         "+012345",
                                         "012345\xC2",
                                         "012345\xE2\x80",
                                         "01234567890123456789",
                                         "\xD9\xA0\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4\xD9\xA5" };
    for (apr_size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
        CU_ASSERT(esign_otp_matches("012345", right[i]));
    for (apr_size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CU_ASSERT(!esign_otp_matches("012345", wrong[i]));
}

static void test_well_formed(void)
{
    CU_ASSERT(esign_otp_well_formed("000000", 6));
    CU_ASSERT(esign_otp_well_formed(" 12-34 56 ", 6));
    CU_ASSERT(esign_otp_well_formed("1234567890", 10));
    CU_ASSERT(!esign_otp_well_formed("", 6));
    CU_ASSERT(!esign_otp_well_formed("12345", 6));
    CU_ASSERT(!esign_otp_well_formed("1234567", 6));
    CU_ASSERT(!esign_otp_well_formed("12345a", 6));
    CU_ASSERT(!esign_otp_well_formed("12345678901", 10));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a code belongs to its session, seed and key", test_bound },
                            { "each digit is equally likely at each place", test_even },
                            { "codes have the length asked for", test_lengths },
                            { "a code is right however it is spaced", test_matches },
                            { "texts that have the form of a code", test_well_formed },
                            CU_TEST_INFO_NULL };
    return suite_run("otp", tests);
}
