/* SPDX-License-Identifier: Apache-2.0 */
/* allocator.h: overwrites the free memory that an APR allocator keeps for later allocations. */
#ifndef ESIGN_WEB_ALLOCATOR_H
#define ESIGN_WEB_ALLOCATOR_H

#include <apr_allocator.h>

/* The byte that free memory is overwritten with. */
#define ESIGN_ALLOCATOR_WIPED 0x5a

/* An allocator, and the node that it hands out last. The caller sets `allocator` and zeroes the
 * rest. No other thread may use the allocator during a call. */
typedef struct {
    apr_allocator_t *allocator;
    apr_memnode_t *end; /* NULL: there is none yet */
} esign_allocator_t;

/* Overwrites all free memory, which stays with the allocator. `max_free`: the allocator's limit in
 * bytes, as apr_allocator_max_free_set takes it; in httpd it is MaxMemFree. It is set again. */
void esign_allocator_overwrite(esign_allocator_t *memory, apr_size_t max_free);

/* Returns all free memory to the system, and sets the limit so that each node freed later goes
 * there too. */
void esign_allocator_give_back(esign_allocator_t *memory);

#endif
