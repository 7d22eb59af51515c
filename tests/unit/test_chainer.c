/* SPDX-License-Identifier: Apache-2.0 */
/* test_chainer.c: the copy of the audit trail, while another node chains. */
#include "audit/chain.h"
#include "audit/chainer.h"
#include "audit/trail.h"
#include "tables.h"

#include <unistd.h>

static void chain(esign_database_t *database, int count)
{
    esign_audit_cursor_t cursor = ESIGN_AUDIT_FIRST;
    esign_audit_batch_t batch;
    for (int i = 0; i < count; i++)
        OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 7, "192.0.2.1", apr_time_now(), pool));
    OK(esign_audit_chain(database, &cursor, 100, &batch, pool));
    CU_ASSERT_EQUAL(batch.chained, count);
}

static int never(void *baton)
{
    (void)baton;
    return 0;
}

/* Called while rows are copied, because of a gap: at that moment the other node chains. */
static void on_gap(void *other, int level, apr_status_t status, const char *text)
{
    (void)level, (void)status;
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "audit rows are missing"));
    chain(other, 1);
}

static void test_another_node_chains_meanwhile(void)
{
    int ends[2];
    char lines[65536];
    esign_database_t *database = tables_new(), *other = tables_again(SCRATCH_KEY_1);
    CU_ASSERT_FATAL(pipe(ends) == 0);
    const esign_chainer_options_t options = { .copy = esign_audit_copy_pipe(ends[1], pool),
                                              .stopping = never,
                                              .log = on_gap,
                                              .baton = other };
    esign_chainer_t *chainer = esign_chainer_create(&options, pool);
    for (int round = 0; round < 4; round++) {
        chain(other, 2);
        tables_run(other,
                   "DELETE FROM audit WHERE position = (SELECT position - 1 FROM audit_head)");
        esign_chainer_round(chainer, database, apr_time_now() + apr_time_from_sec(10), pool);
        CU_ASSERT(read(ends[0], lines, sizeof(lines)) > 0);
    }
    /* The reader had read three rounds when the last one recorded it. */
    CU_ASSERT_EQUAL(tables_number(database, "SELECT position FROM audit_head"), 12);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT copied FROM audit_head"), 8);
    CU_ASSERT(tables_number(database, "SELECT copier_until FROM audit_head") > apr_time_now());
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    CU_TestInfo tests[] = { { "what was read counts, though another node chains meanwhile",
                              test_another_node_chains_meanwhile },
                            CU_TEST_INFO_NULL };
    return tables_suite("chainer", tests);
}
