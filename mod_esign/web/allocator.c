/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.c: takes all free memory out of an APR allocator, overwrites it and puts it back.
 *
 * APR has no function that visits free memory. It keeps freed nodes in lists:
 *
 *     free[1]   8 KiB ──▶ 8 KiB ──▶ 8 KiB        each list has nodes of one size, 4 KiB apart;
 *     free[2]  12 KiB                            a node is added and taken at the front
 *      …
 *     free[19] 80 KiB ──▶ 80 KiB
 *     free[0]  400 KiB ──▶ 120 KiB ──▶ END       all larger nodes, of any size
 *
 * An allocation of one byte takes the first node of the first list from free[1] on that has any.
 * Once these are empty it takes nodes from the front of free[0]; after that APR maps new memory. So
 * repeated allocations of one byte get each free node once. END, a node too large for the lists by
 * size, was put into the empty free[0] before any other, so it comes last: everything has been
 * taken when it appears. Its text tells whether the connection has used it since.
 *
 *     take:       free[1] … free[19], free[0] up to END
 *     overwrite:  each node that was taken
 *     put back:   END first, then the others
 *
 * The first time, or after END was used, new memory shows the end: it is recognised by its content.
 * A used node whose bytes are all equal would pass for new memory. The nodes after it would then be
 * left until the next call. Pools and bucket allocators write pointers or lengths into each node.
 *
 * This relies on allocator_alloc and allocator_free in APR's apr_pools.c. Both were read, and are
 * the same in APR 1.7.2 (Debian 12) and 1.7.5 (Debian 13). tests/unit/test_allocator.c checks the
 * APR that is installed.
 *
 * Without it a core file holds the link and the cookie of a reset, and the session's id, after
 * their connections have ended: so tests/e2e/test_memory.py finds. The other way is to return all
 * nodes to the system (MaxMemFree 1). Each then costs two page faults and a call to the other
 * processors: 220 of 350 us for the menu, 260 of 850 for the PIN page. Without END, a new mapping
 * showed the end at each call, a tenth of the menu's time. */
#include "allocator.h"

#include <string.h>

/* Size of the end node, in units of the smallest node: too large for the lists by size. */
#define END_SIZE 12

static const char end_mark[] = "the last free node of this allocator";

/* Whether a node is new memory: zeros from the system, or, if APR was built to use malloc, the byte
 * that M_PERTURB fills with. */
static int is_new(const apr_memnode_t *node)
{
    return *node->first_avail != ESIGN_ALLOCATOR_WIPED &&
           memcmp(node->first_avail, node->first_avail + 1,
                  (size_t)(node->endp - node->first_avail) - 1) == 0;
}

/* Whether this is the end node, and nobody has used it since it was put back. */
static int is_end(const esign_allocator_t *memory, const apr_memnode_t *node)
{
    return node == memory->end && memcmp(node->first_avail, end_mark, sizeof(end_mark)) == 0;
}

/* Takes all free nodes, linked by `next`. `*end` is the node that the allocator handed out after
 * them: the end node, or new memory; NULL: out of memory. */
static apr_memnode_t *take_free_nodes(const esign_allocator_t *memory, apr_memnode_t **end)
{
    apr_memnode_t *nodes = NULL, *node;
    while ((node = apr_allocator_alloc(memory->allocator, 1)) != NULL && !is_end(memory, node) &&
           !is_new(node)) {
        node->next = nodes;
        nodes = node;
    }
    *end = node;
    return nodes;
}

static void free_nodes(apr_allocator_t *allocator, apr_memnode_t *nodes)
{
    if (nodes)
        apr_allocator_free(allocator, nodes);
}

/* Makes an end node. `new`, the memory that showed the end, goes back to the system; otherwise each
 * call would leave the allocator one node more. */
static void make_end(esign_allocator_t *memory, apr_memnode_t *new, apr_size_t max_free)
{
    apr_allocator_max_free_set(memory->allocator, 1);
    free_nodes(memory->allocator, new);
    apr_allocator_max_free_set(memory->allocator, max_free);
    memory->end = apr_allocator_alloc(memory->allocator,
                                      END_SIZE * apr_allocator_align(memory->allocator, 1));
    if (memory->end)
        memcpy(memory->end->first_avail, end_mark, sizeof(end_mark));
}

void esign_allocator_overwrite(esign_allocator_t *memory, apr_size_t max_free)
{
    apr_memnode_t *end, *nodes = take_free_nodes(memory, &end);
    for (apr_memnode_t *node = nodes; node; node = node->next)
        memset(node->first_avail, ESIGN_ALLOCATOR_WIPED, (size_t)(node->endp - node->first_avail));
    if (!end || !is_end(memory, end))
        make_end(memory, end, max_free);
    free_nodes(memory->allocator, memory->end);
    free_nodes(memory->allocator, nodes);
}

void esign_allocator_give_back(esign_allocator_t *memory)
{
    apr_memnode_t *end, *nodes;
    memory->end = NULL;
    nodes = take_free_nodes(memory, &end);
    apr_allocator_max_free_set(memory->allocator, 1);
    free_nodes(memory->allocator, end);
    free_nodes(memory->allocator, nodes);
}
