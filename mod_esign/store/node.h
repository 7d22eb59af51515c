/* SPDX-License-Identifier: Apache-2.0 */
/* node.h: which keys each running httpd has loaded, so that none is taken away or brought into use
 * behind its back. */
#ifndef ESIGN_STORE_NODE_H
#define ESIGN_STORE_NODE_H

#include "database.h"

/* How often a node tells, and how long after that it counts as running. */
#define ESIGN_NODE_INTERVAL apr_time_from_sec(60)
#define ESIGN_NODE_EXPIRY (10 * ESIGN_NODE_INTERVAL)

typedef struct {
    const char *name;         /* the host's, and its key file */
    const char *keys;         /* ids, the active one first: "2 1" */
    apr_interval_time_t life; /* how long at most something outside the database stays sealed:
                                 links, sessions, counters; the longest told with these keys */
    apr_time_t since;         /* it has had these keys and no longer a life */
    apr_time_t seen;
} esign_node_t;

/* Notes that the node runs, with the keys of the database's keyring. */
esign_result_t esign_node_report(esign_database_t *database, const char *key_file,
                                 apr_interval_time_t life, apr_time_t now, apr_pool_t *p);

/* Nodes that have told since a moment, by name. Array of esign_node_t. */
esign_result_t esign_node_list(esign_database_t *database, apr_time_t since,
                               const apr_array_header_t **nodes, apr_pool_t *p);

/* The id of its active key, and whether it has a key. */
int esign_node_active_key(const esign_node_t *node);
int esign_node_has_key(const esign_node_t *node, int key);

#endif
