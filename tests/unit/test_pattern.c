/* SPDX-License-Identifier: Apache-2.0 */
/* test_pattern.c: regular expressions of the administrator on any bytes. */
#include "suite.h"

#include "core/pattern.h"

#include <apr_time.h>

static int found(const char *text, const char *subject, apr_size_t length)
{
    const esign_pattern_t *pattern = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_pattern_compile(&pattern, text, pool)) && pattern != NULL);
    return esign_pattern_found(pattern, subject, length);
}

#define FOUND(text, subject) found((text), (subject), strlen(subject))

static void test_found(void)
{
    CU_ASSERT(FOUND("^0: Accepted", "0: Accepted for delivery"));
    CU_ASSERT(!FOUND("^0: Accepted", "4: Accepted"));
    CU_ASSERT(FOUND("\"status\": *\"(ok|queued)\"", "{\"status\": \"queued\"}"));
    CU_ASSERT(!FOUND("ok", "OK") && FOUND("(?i)ok", "OK"));
    CU_ASSERT(FOUND("^status=1$", "a=b\nstatus=1\nc=d") && !FOUND("^status=1$", "status=16"));
    CU_ASSERT(!FOUND("a", "") && FOUND("^$", ""));
}

static void test_bytes(void)
{
    CU_ASSERT(found("b$", "a\0b", 3) && !found("b", "a\0b", 2));
    CU_ASSERT(FOUND("x", "\xff\xc3\x28x")); /* no UTF-8 */
    CU_ASSERT(FOUND("şifre", "bir şifre"));
}

static void test_refused(void)
{
    static const char *const wrong[] = { "(", "[a", "a**", "(?<x", "\\" };
    for (apr_size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        const esign_pattern_t *pattern = NULL;
        esign_result_t result = esign_pattern_compile(&pattern, wrong[i], pool);
        CU_ASSERT_FATAL(esign_failed(result));
        CU_ASSERT(strstr(result.detail, wrong[i]) != NULL && pattern == NULL);
    }
}

static void test_bounded(void)
{
    char *many = apr_pcalloc(pool, 16385);
    memset(many, 'a', 16384);
    apr_time_t start = apr_time_now();
    CU_ASSERT(!found("(a+)+b", many, 16384));
    CU_ASSERT(!found("(a|aa)+$b", many, 16384));
    CU_ASSERT(apr_time_now() - start < apr_time_from_sec(5));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a pattern is found or not", test_found },
                            { "any bytes may surround a match", test_bytes },
                            { "a wrong expression is refused with the place of its error",
                              test_refused },
                            { "a match that takes too long ends", test_bounded },
                            CU_TEST_INFO_NULL };
    return suite_run("pattern", tests);
}
