/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.c: takes all free memory out of an APR allocator, overwrites it and puts it back. */
#include "allocator.h"

#include <string.h>

/* The size of the end node in units of the smallest node: too large for the lists by size. */
#define END_SIZE 12

static const char end_mark[] = "the last free node of this allocator";

/* Whether nothing has been written into a node yet: it holds zeros, or what M_PERTURB makes of
 * them. A node that was in use, or was overwritten here, is neither. */
static int is_new(const apr_memnode_t *node)
{
    return *node->first_avail != ESIGN_ALLOCATOR_WIPED &&
           memcmp(node->first_avail, node->first_avail + 1,
                  (size_t)(node->endp - node->first_avail) - 1) == 0;
}

/* Whether this is the end node, and nobody has used it since it was put back. */
static int is_end(const esign_allocator_t *kept, const apr_memnode_t *node)
{
    return node == kept->end && memcmp(node->first_avail, end_mark, sizeof(end_mark)) == 0;
}

/* Takes all free nodes, linked by `next`. `*end`: the node that came after the last of them, which
 * is the end node or new memory; NULL: there is no memory. */
static apr_memnode_t *take_free_nodes(const esign_allocator_t *kept, apr_memnode_t **end)
{
    apr_memnode_t *nodes = NULL, *node;
    while ((node = apr_allocator_alloc(kept->allocator, 1)) != NULL && !is_end(kept, node) &&
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

/* Makes an end node. New memory that was taken in vain goes to the system; otherwise each call
 * would leave one node more. */
static void make_end(esign_allocator_t *kept, apr_memnode_t *new, apr_size_t max_free)
{
    apr_allocator_max_free_set(kept->allocator, 1);
    free_nodes(kept->allocator, new);
    apr_allocator_max_free_set(kept->allocator, max_free);
    kept->end =
        apr_allocator_alloc(kept->allocator, END_SIZE * apr_allocator_align(kept->allocator, 1));
    if (kept->end)
        memcpy(kept->end->first_avail, end_mark, sizeof(end_mark));
}

void esign_allocator_overwrite(esign_allocator_t *kept, apr_size_t max_free)
{
    apr_memnode_t *end, *nodes = take_free_nodes(kept, &end);
    for (apr_memnode_t *node = nodes; node; node = node->next)
        memset(node->first_avail, ESIGN_ALLOCATOR_WIPED, (size_t)(node->endp - node->first_avail));
    if (!end || !is_end(kept, end))
        make_end(kept, end, max_free);
    free_nodes(kept->allocator, kept->end);
    free_nodes(kept->allocator, nodes);
}

void esign_allocator_give_back(esign_allocator_t *kept)
{
    apr_memnode_t *end, *nodes;
    kept->end = NULL;
    nodes = take_free_nodes(kept, &end);
    apr_allocator_max_free_set(kept->allocator, 1);
    free_nodes(kept->allocator, end);
    free_nodes(kept->allocator, nodes);
}
