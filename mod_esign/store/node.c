/* SPDX-License-Identifier: Apache-2.0 */
/* node.c: reads and writes rows of the table node. */
#include "node.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <unistd.h>

/* The ids of a keyring's keys as one text, the active one first. */
static const char *keys_of(const esign_keyring_t *keyring, apr_pool_t *p)
{
    const int *ids;
    int count = esign_keyring_ids(keyring, &ids);
    const char *text = apr_itoa(p, ids[0]);
    for (int i = 1; i < count; i++)
        text = apr_psprintf(p, "%s %d", text, ids[i]);
    return text;
}

esign_result_t esign_node_report(esign_database_t *database, const char *key_file,
                                 apr_interval_time_t life, apr_time_t now, apr_pool_t *p)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    const char *name = apr_pstrcat(p, host, ":", key_file, NULL);
    return esign_database_write(database, "node_report",
                                ESIGN_SQL(name, keys_of(database->keyring, p), &life, &now, &now),
                                NULL, p);
}

esign_result_t esign_node_list(esign_database_t *database, apr_time_t since,
                               const apr_array_header_t **nodes, apr_pool_t *p)
{
    enum { NAME, KEYS, LIFE, SINCE, SEEN, COLUMNS };
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "node_list", ESIGN_SQL(&since), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_node_t));
    for (int i = 0; i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        esign_node_t *node = apr_array_push(list);
        *node = (esign_node_t){ .name = row[NAME],
                                .keys = row[KEYS] ? row[KEYS] : "",
                                .life = esign_database_number(row, LIFE),
                                .since = esign_database_number(row, SINCE),
                                .seen = esign_database_number(row, SEEN) };
    }
    *nodes = list;
    return ESIGN_OK;
}

int esign_node_active_key(const esign_node_t *node)
{
    return atoi(node->keys);
}

int esign_node_has_key(const esign_node_t *node, int key)
{
    char *next = NULL;
    for (const char *at = node->keys; *at; at = next) {
        long id = strtol(at, &next, 10);
        if (next == at)
            return 0;
        if (id == key)
            return 1;
    }
    return 0;
}
