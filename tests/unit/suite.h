/* SPDX-License-Identifier: Apache-2.0 */
/* suite.h: what every unit test binary needs: APR, one pool for each test, CUnit run to the end,
 * its verdict as exit status. */
#ifndef ESIGN_TESTS_SUITE_H
#define ESIGN_TESTS_SUITE_H

#include <CUnit/Basic.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* The pool of the running test, made before it and destroyed after it. */
static apr_pool_t *pool;

static void suite_before(void)
{
    apr_pool_create(&pool, NULL);
}

static void suite_after(void)
{
    apr_pool_destroy(pool);
}

/* Runs the tests of a NULL-terminated table; the result is main's. */
static int suite_run(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = { { name, NULL, NULL, suite_before, suite_after, tests },
                              CU_SUITE_INFO_NULL };
    apr_initialize();
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned int failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    unsigned int ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failures == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
