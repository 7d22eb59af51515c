/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.h: overwrites the free memory that an APR allocator keeps for later. */
#ifndef ESIGN_WEB_ALLOCATOR_H
#define ESIGN_WEB_ALLOCATOR_H

#include <apr_allocator.h>

/* What the memory is overwritten with. */
#define ESIGN_ALLOCATOR_WIPED 0x5a

/* An allocator, and the node that marks the end of what it keeps. Zeroed but for `allocator` before
 * the first call. No other thread may use the allocator during a call. */
typedef struct {
    apr_allocator_t *allocator;
    apr_memnode_t *end; /* NULL: there is none yet */
} esign_allocator_t;

/* Overwrites all free memory, and leaves it with the allocator. `max_free`: what was last given to
 * apr_allocator_max_free_set, for httpd MaxMemFree in bytes; it is set anew. */
void esign_allocator_overwrite(esign_allocator_t *kept, apr_size_t max_free);

/* Gives all free memory to the system, and from now on each node that is freed. */
void esign_allocator_give_back(esign_allocator_t *kept);

#endif
