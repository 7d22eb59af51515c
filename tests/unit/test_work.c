/* SPDX-License-Identifier: Apache-2.0 */
/* test_work.c: the number that a browser has to look for. */
#include "challenge/captcha.h"
#include "challenge/work.h"
#include "core/digest.h"
#include "keys.h"

#define MAX 3000

static const char *issue(const esign_keyring_t *keyring)
{
    const char *challenge = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_captcha_issue(keyring, 0, 1, &challenge, pool)));
    return challenge;
}

/* Does the browser's work: finds the first number from 0 to max whose hash is the target; -1: there
 * is none. */
static int solve(const char *salt, const char *target, int max)
{
    for (int number = 0; number <= max; number++) {
        unsigned char digest[ESIGN_DIGEST_SIZE];
        char hex[2 * ESIGN_DIGEST_SIZE + 1], text[160];
        int length = apr_snprintf(text, sizeof(text), "%s%d", salt, number);
        esign_digest_sha256(text, (apr_size_t)length, digest);
        for (int i = 0; i < ESIGN_DIGEST_SIZE; i++)
            apr_snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        if (strcmp(hex, target) == 0)
            return number;
    }
    return -1;
}

static const char *target_of(const esign_keyring_t *keyring, const char *challenge, int max)
{
    const char *target = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_work_target(keyring, challenge, max, &target, pool)));
    CU_ASSERT_EQUAL(strspn(target, "0123456789abcdef"), 64);
    return target;
}

static void test_solved(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    int low = 0;
    for (int i = 0; i < 60; i++) {
        const char *challenge = issue(keyring);
        int number = solve(challenge, target_of(keyring, challenge, MAX), MAX);
        CU_ASSERT_FATAL(number >= 0);
        low += number < MAX / 2;
        CU_ASSERT(esign_work_matches(keyring, challenge, MAX, apr_itoa(pool, number)));
        CU_ASSERT(!esign_work_matches(keyring, challenge, MAX, apr_itoa(pool, number + 1)));
        CU_ASSERT(
            !esign_work_matches(keyring, issue(keyring), APR_INT32_MAX, apr_itoa(pool, number)));
    }
    CU_ASSERT(low > 10 && low < 50); /* 30 expected, with a deviation of 4 */
}

static void test_written_otherwise(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n");
    const char *challenge = issue(keyring),
               *right = apr_itoa(pool, solve(challenge, target_of(keyring, challenge, MAX), MAX));
    const char *const others[] = { "",
                                   " ",
                                   "-1",
                                   "x",
                                   apr_pstrcat(pool, "0", right, NULL),
                                   apr_pstrcat(pool, right, " ", NULL),
                                   apr_pstrcat(pool, "+", right, NULL),
                                   apr_pstrcat(pool, right, ".0", NULL),
                                   "99999999999999999999999999" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        CU_ASSERT(!esign_work_matches(keyring, challenge, MAX, others[i]));
    CU_ASSERT(!esign_work_matches(keyring, challenge, MAX / 2, right) || atoi(right) <= MAX / 2);
}

/* The number depends on the key of the challenge, also after a change of keys. */
static void test_keys(void)
{
    const esign_keyring_t *old = keys_load("key 1 " KEY_A "\n"),
                          *both = keys_load("key 1 " KEY_A "\nkey 2 " KEY_B "\n");
    const char *challenge = issue(old), *target;
    CU_ASSERT_STRING_EQUAL(target_of(old, challenge, MAX), target_of(both, challenge, MAX));
    CU_ASSERT_STRING_NOT_EQUAL(target_of(old, challenge, MAX),
                               target_of(keys_load("key 1 " KEY_B "\n"), challenge, MAX));
    CU_ASSERT(esign_failed(
        esign_work_target(keys_load("key 2 " KEY_A "\n"), challenge, MAX, &target, pool)));
    CU_ASSERT(!esign_work_matches(keys_load("key 2 " KEY_A "\n"), challenge, MAX, "0"));
    CU_ASSERT(!esign_work_matches(old, "", MAX, "0"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the number that gives the target is right, for its own challenge only", test_solved },
        { "a number has one accepted form", test_written_otherwise },
        { "the number depends on the challenge's key", test_keys },
        CU_TEST_INFO_NULL
    };
    return suite_run("work", tests);
}
