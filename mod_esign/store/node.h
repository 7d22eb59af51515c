/* SPDX-License-Identifier: Apache-2.0 */
/* node.h: which keys each running httpd has loaded. `esignctl key rotate` and `key retire` read
 * that, so that no node meets seals of a key that it does not have. */
#ifndef ESIGN_STORE_NODE_H
#define ESIGN_STORE_NODE_H

#include "database.h"

/* How often a node reports. */
#define ESIGN_NODE_INTERVAL apr_time_from_sec(60)
/* How long after its last report a node counts as running. */
#define ESIGN_NODE_EXPIRY (10 * ESIGN_NODE_INTERVAL)

typedef struct {
    const char *name;         /* HOST:KEYFILE */
    const char *keys;         /* the ids of the key file, the active one first: "2 1" */
    apr_interval_time_t life; /* how long a link, session or counter stays sealed outside the
                                 database; the longest that was reported with these keys */
    apr_time_t since;         /* since when the keys are these, and `life` has not risen */
    apr_time_t seen;          /* the last report */
} esign_node_t;

/* Records that this node runs with the keys of the database's keyring. `life` as in esign_node_t:
 * the longest of this portal's settings. */
esign_result_t esign_node_report(esign_database_t *database, const char *key_file,
                                 apr_interval_time_t life, apr_time_t now, apr_pool_t *p);

/* The nodes whose last report is not older than `since`, by name. Array of esign_node_t. */
esign_result_t esign_node_list(esign_database_t *database, apr_time_t since,
                               const apr_array_header_t **nodes, apr_pool_t *p);

/* The id of the node's active key; 0: its row was changed. */
int esign_node_active_key(const esign_node_t *node);

/* Whether the node has loaded a key. */
int esign_node_has_key(const esign_node_t *node, int key);

#endif
