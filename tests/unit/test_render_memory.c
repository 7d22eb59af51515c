/* SPDX-License-Identifier: Apache-2.0 */
/* test_render_memory.c: libxml2's memory functions, with other modules that use libxml2 before us
 * and after us. */
#include "render/render.h"
#include "suite.h"

#include <libxml/parser.h>

#include <stdlib.h>
#include <string.h>

static void free_elsewhere(void *block)
{
    free(block);
}

static xmlFreeFunc freed_by(void)
{
    xmlFreeFunc now;
    xmlMemGet(&now, NULL, NULL, NULL);
    return now;
}

static xmlDocPtr document(void)
{
    return xmlReadMemory("<a>b</a>", 8, NULL, NULL, 0);
}

/* A block from before is freed by our function, and a block of ours by libc's. */
static void test_taken_over(void)
{
    apr_pool_t *p;
    xmlDocPtr theirs = document();
    apr_pool_create(&p, pool);
    CU_ASSERT(!esign_failed(esign_render_init(p)) && freed_by() != free);
    xmlFreeDoc(theirs);
    theirs = document();
    CU_ASSERT(!esign_failed(esign_render_init(p)));
    apr_pool_destroy(p);
    CU_ASSERT_EQUAL(freed_by(), free);
    xmlFreeDoc(theirs);
}

static void test_kept_elsewhere(void)
{
    xmlMemSetup(free_elsewhere, malloc, realloc, strdup);
    esign_result_t result = esign_render_init(pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "another module") &&
              freed_by() == free_elsewhere);
    xmlMemSetup(free, malloc, realloc, strdup);
}

/* Functions that a later module sets stay. */
static void test_taken_from_us(void)
{
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    CU_ASSERT(!esign_failed(esign_render_init(p)));
    xmlMemSetup(free_elsewhere, malloc, realloc, strdup);
    apr_pool_destroy(p);
    CU_ASSERT_EQUAL(freed_by(), free_elsewhere);
    xmlMemSetup(free, malloc, realloc, strdup);
}

int main(void)
{
    CU_TestInfo tests[] = { { "set, and restored", test_taken_over },
                            { "refused while another module has set its own", test_kept_elsewhere },
                            { "replaced by another module", test_taken_from_us },
                            CU_TEST_INFO_NULL };
    return suite_run("render_memory", tests);
}
