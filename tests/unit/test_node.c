/* SPDX-License-Identifier: Apache-2.0 */
/* test_node.c: nodes report which keys they have, and since when. */
#include "store/node.h"
#include "tables.h"

#define MINUTE apr_time_from_sec(60)
#define NOW (1000000 * MINUTE)

static const esign_node_t *only(esign_database_t *database, apr_time_t since)
{
    const apr_array_header_t *nodes = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_node_list(database, since, &nodes, pool)) &&
                    nodes->nelts == 1);
    return &APR_ARRAY_IDX(nodes, 0, esign_node_t);
}

static void test_since(void)
{
    esign_database_t *database = tables_new(),
                     *added = tables_again(SCRATCH_KEY_1
                                           "next 2 AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"),
                     *rotated = tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2);
    OK(esign_node_report(database, "/etc/keys", MINUTE, NOW, pool));
    OK(esign_node_report(database, "/etc/keys", MINUTE, NOW + MINUTE, pool));
    const esign_node_t *node = only(database, NOW + MINUTE);
    CU_ASSERT(node->since == NOW && node->seen == NOW + MINUTE && node->life == MINUTE &&
              strcmp(node->keys, "1") == 0 && strstr(node->name, ":/etc/keys") != NULL);
    OK(esign_node_report(added, "/etc/keys", MINUTE, NOW + 2 * MINUTE, pool));
    node = only(database, 0);
    CU_ASSERT(node->since == NOW + 2 * MINUTE && strcmp(node->keys, "1 2") == 0 &&
              esign_node_active_key(node) == 1);
    OK(esign_node_report(rotated, "/etc/keys", MINUTE, NOW + 3 * MINUTE, pool));
    OK(esign_node_report(rotated, "/etc/keys", 2 * MINUTE, NOW + 4 * MINUTE, pool));
    node = only(database, 0);
    CU_ASSERT(node->since == NOW + 4 * MINUTE && node->life == 2 * MINUTE &&
              strcmp(node->keys, "2 1") == 0 && esign_node_active_key(node) == 2);

    const apr_array_header_t *nodes = NULL;
    OK(esign_node_report(database, "/etc/other", MINUTE, NOW, pool));
    CU_ASSERT(!esign_failed(esign_node_list(database, NOW, &nodes, pool)) && nodes->nelts == 2);
    CU_ASSERT(!esign_failed(esign_node_list(database, NOW + 5 * MINUTE, &nodes, pool)) &&
              nodes->nelts == 0);
}

/* Portals of one httpd with the same key file, but different lives, report in turn. */
static void test_portals_of_different_lives(void)
{
    esign_database_t *database = tables_new();
    for (int minute = 0; minute < 6; minute++)
        OK(esign_node_report(database, "/etc/keys", minute % 2 ? 9 * MINUTE : MINUTE,
                             NOW + minute * MINUTE, pool));
    const esign_node_t *node = only(database, 0);
    CU_ASSERT(node->since == NOW + MINUTE && node->life == 9 * MINUTE &&
              node->seen == NOW + 5 * MINUTE);
}

static void test_has(void)
{
    const esign_node_t node = { .keys = "12 3 255" };
    CU_ASSERT(esign_node_active_key(&node) == 12 && esign_node_has_key(&node, 12) &&
              esign_node_has_key(&node, 3) && esign_node_has_key(&node, 255));
    CU_ASSERT(!esign_node_has_key(&node, 1) && !esign_node_has_key(&node, 2) &&
              !esign_node_has_key(&node, 25) &&
              !esign_node_has_key(&(esign_node_t){ .keys = "x" }, 0));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a node has its keys since they changed", test_since },
                            { "of portals with the same keys the longest life counts",
                              test_portals_of_different_lives },
                            { "a key is one of a node's", test_has },
                            CU_TEST_INFO_NULL };
    return tables_suite("node", tests);
}
