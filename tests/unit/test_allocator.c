/* SPDX-License-Identifier: Apache-2.0 */
/* test_allocator.c: what an APR allocator keeps is overwritten, and stays with the allocator. */
#include "suite.h"
#include "web/allocator.h"

#define NODES 8
#define SECRET 's'

/* Sizes that APR keeps by size, and one that it does not. */
static const apr_size_t sizes[NODES] = { 1, 1, 1, 9000, 9000, 30000, 60000, 300000 };

static void take(apr_allocator_t *allocator, apr_memnode_t *nodes[NODES])
{
    for (int i = 0; i < NODES; i++) {
        nodes[i] = apr_allocator_alloc(allocator, sizes[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(nodes[i]);
    }
}

static apr_size_t room(const apr_memnode_t *node)
{
    return (apr_size_t)(node->endp - node->first_avail);
}

/* Writes as a pool does, which never fills a node with one byte. */
static void fill(apr_memnode_t *node)
{
    memset(node->first_avail, SECRET, room(node));
    *node->first_avail = 'a';
}

static void use(apr_allocator_t *allocator, apr_memnode_t *nodes[NODES])
{
    take(allocator, nodes);
    for (int i = 0; i < NODES; i++)
        fill(nodes[i]);
    for (int i = 0; i < NODES; i++) {
        nodes[i]->next = NULL;
        apr_allocator_free(allocator, nodes[i]);
    }
}

/* Bytes of the nodes that are not `expected`. */
static apr_size_t others(apr_memnode_t *const nodes[NODES], int expected)
{
    apr_size_t count = 0;
    for (int i = 0; i < NODES; i++)
        for (apr_size_t j = 0; j < room(nodes[i]); j++)
            count += nodes[i]->first_avail[j] != (char)expected;
    return count;
}

static int is_among(apr_memnode_t *const nodes[NODES], const apr_memnode_t *node)
{
    for (int i = 0; i < NODES; i++)
        if (nodes[i] == node)
            return 1;
    return 0;
}

static void test_overwrite(void)
{
    apr_allocator_t *allocator;
    apr_memnode_t *used[NODES], *again[NODES];
    apr_allocator_create(&allocator);
    esign_allocator_t kept = { .allocator = allocator };
    /* The first call makes the end node, later ones find it. */
    for (int call = 0; call < 3; call++) {
        use(allocator, used);
        const apr_memnode_t *end = kept.end;
        esign_allocator_overwrite(&kept, 0);
        CU_ASSERT(kept.end && (call == 0 || kept.end == end));
        take(allocator, again);
        CU_ASSERT_EQUAL(others(again, ESIGN_ALLOCATOR_WIPED), 0);
        for (int i = 0; i < NODES; i++) {
            CU_ASSERT(is_among(used, again[i]));
            again[i]->next = NULL;
            apr_allocator_free(allocator, again[i]);
        }
    }
    apr_allocator_destroy(allocator);
}

/* Somebody took the end node and wrote into it. */
static void test_used_end(void)
{
    apr_allocator_t *allocator;
    apr_memnode_t *nodes[NODES], *all = NULL, *node;
    apr_allocator_create(&allocator);
    esign_allocator_t kept = { .allocator = allocator };
    use(allocator, nodes);
    esign_allocator_overwrite(&kept, 0);
    const apr_memnode_t *end = kept.end;
    do {
        node = apr_allocator_alloc(allocator, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(node);
        fill(node);
        node->next = all;
        all = node;
    } while (node != end);
    apr_allocator_free(allocator, all);
    esign_allocator_overwrite(&kept, 0);
    take(allocator, nodes);
    CU_ASSERT_EQUAL(others(nodes, ESIGN_ALLOCATOR_WIPED), 0);
    apr_allocator_destroy(allocator);
}

static void test_give_back(void)
{
    apr_allocator_t *allocator;
    apr_memnode_t *nodes[NODES];
    apr_allocator_create(&allocator);
    esign_allocator_t kept = { .allocator = allocator };
    use(allocator, nodes);
    esign_allocator_overwrite(&kept, 0);
    use(allocator, nodes);
    esign_allocator_give_back(&kept);
    take(allocator, nodes);
    CU_ASSERT_EQUAL(others(nodes, 0), 0);
    apr_allocator_destroy(allocator);
}

int main(void)
{
    CU_TestInfo tests[] = { { "free memory is overwritten, and kept", test_overwrite },
                            { "an end node that was used is replaced", test_used_end },
                            { "free memory goes to the system", test_give_back },
                            CU_TEST_INFO_NULL };
    return suite_run("allocator", tests);
}
