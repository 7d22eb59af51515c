/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox.c: messages wait, become due, and are leased to one courier at a time. */
#include "outbox.h"
#include "race.h"

static void test_add_and_lease(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    CU_ASSERT_PTR_NULL(strstr(tables_text(database, "SELECT body FROM outbox"), "154"));
    CU_ASSERT_EQUAL(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 10, NOW - 1)->nelts,
                    0); /* not due */
    const apr_array_header_t *messages =
        outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 10, NOW);
    const esign_outbox_message_t *m = outbox_nth(messages, 0);
    CU_ASSERT_EQUAL(messages->nelts, 1);
    CU_ASSERT(m->kind == ESIGN_OUTBOX_NOTICE && m->created == NOW && m->due == NOW &&
              m->expires == NOW + 600 * SECOND && m->attempts == 1 && !m->error);
    CU_ASSERT_STRING_EQUAL(apr_table_get(m->values, "code"), "739 & 154");
    OK(esign_outbox_done(database, "one", m->id, pool));
    CU_ASSERT_EQUAL(outbox_list(database)->nelts, 0);
}

static void test_order(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_CODE, "d", NOW - 6);
    outbox_add(database, ESIGN_OUTBOX_CODE, "b", NOW - 8);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW - 7);
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW - 9);
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW)),
                           "abc");
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW)),
                           "d");
}

static void test_kinds(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    outbox_add(database, ESIGN_OUTBOX_RESET_REQUEST, "r", NOW);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW);
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW)),
                           "c");
    CU_ASSERT_STRING_EQUAL(
        outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_RESET_REQUEST, 9, NOW)), "r");
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW)),
                           "n");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_RESET_REQUEST), "reset-request");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_CODE), "code");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_NOTICE), "notice");
}

/* The kinds that have due messages, as digits of one number. */
static int due(esign_database_t *database, apr_time_t now)
{
    int kinds[ESIGN_OUTBOX_KINDS] = { 9, 9, 9 };
    OK(esign_outbox_due(database, now, kinds, pool));
    return 100 * kinds[ESIGN_OUTBOX_RESET_REQUEST] + 10 * kinds[ESIGN_OUTBOX_CODE] +
           kinds[ESIGN_OUTBOX_NOTICE];
}

static void test_due(void)
{
    esign_database_t *database = tables_new();
    CU_ASSERT_EQUAL(due(database, NOW), 0);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    CU_ASSERT_EQUAL(due(database, NOW - 1), 0);
    CU_ASSERT_EQUAL(due(database, NOW), 1);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW + 1);
    CU_ASSERT_EQUAL(due(database, NOW), 1);
    CU_ASSERT_EQUAL(due(database, NOW + 1), 11);
    outbox_add(database, ESIGN_OUTBOX_RESET_REQUEST, "r", NOW);
    CU_ASSERT_EQUAL(due(database, NOW + 1), 111);
    OK(esign_outbox_done(
        database, "one",
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 1, NOW + 1), 0)->id, pool));
    CU_ASSERT_EQUAL(due(database, NOW + 1), 101);
    tables_run(database, "UPDATE outbox SET dead = 1");
    CU_ASSERT_EQUAL(due(database, NOW + 1), 0);
}

/* The time of the fastest of twenty leases. */
static apr_interval_time_t time_of_lease(esign_database_t *database, const char *owner)
{
    apr_interval_time_t fastest = APR_INT64_MAX;
    for (int i = 0; i < 20; i++) {
        apr_time_t began = apr_time_now();
        CU_ASSERT_EQUAL(outbox_lease(database, owner, ESIGN_OUTBOX_CODE, 1, NOW)->nelts, 1);
        apr_interval_time_t took = apr_time_now() - began;
        fastest = took < fastest ? took : fastest;
    }
    return fastest;
}

/* Twenty thousand messages that wait do not delay a code. */
static void test_many_wait(void)
{
    esign_database_t *database = tables_new();
    for (int i = 0; i < 40; i++)
        outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_interval_time_t alone = time_of_lease(database, "one");
    tables_run(database, "WITH RECURSIVE many(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM many "
                         "WHERE id < 20000) INSERT INTO outbox "
                         "SELECT id, 2 * (id % 2), '', id, id, 9000000000000000000, 0, '', 0, id % "
                         "4 / 3, 0, -1, NULL FROM many");
    apr_interval_time_t among = time_of_lease(database, "two");
    if (among > 10 * alone)
        CU_FAIL("a lease takes longer when more messages wait");
}

static void test_lease_runs_out(void)
{
    esign_database_t *first = tables_new(), *second = tables_again(SCRATCH_KEY_1);
    outbox_add(first, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = outbox_nth(outbox_lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW), 0)->id;
    CU_ASSERT_EQUAL(outbox_lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW)->nelts, 0);
    CU_ASSERT_EQUAL(outbox_lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW)->nelts, 0);
    CU_ASSERT_EQUAL(outbox_lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW + LEASE - 1)->nelts, 0);
    const esign_outbox_message_t *m =
        outbox_nth(outbox_lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW + LEASE + SECOND), 0);
    CU_ASSERT(m->id == id && m->attempts == 2);

    /* The first courier has lost the lease: its calls change nothing. */
    OK(esign_outbox_done(first, "one", id, pool));
    OK(esign_outbox_retry(first, "one", id, NOW, "late", pool));
    OK(esign_outbox_give_up(first, "one", id, "late", pool));
    CU_ASSERT_EQUAL(outbox_list(first)->nelts, 1);
    CU_ASSERT_EQUAL(outbox_lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW + LEASE + SECOND)->nelts,
                    0);
    CU_ASSERT_EQUAL(tables_number(first, "SELECT count(*) FROM outbox WHERE owner = 'two' AND dead "
                                         "= 0 AND error IS NULL AND body <> ''"),
                    1);
    OK(esign_outbox_done(second, "two", id, pool));
    CU_ASSERT_EQUAL(outbox_list(first)->nelts, 0);
}

/* Renews, and returns how many messages the owner leases. */
static int renew(esign_database_t *database, const char *owner, apr_time_t until)
{
    const apr_array_header_t *ids = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_renew(database, owner, until, &ids, pool)) &&
                    ids != NULL);
    for (int i = 0; i < ids->nelts; i++)
        CU_ASSERT_EQUAL(
            tables_number(
                database,
                apr_psprintf(pool, "SELECT lease_until FROM outbox WHERE id = %" APR_INT64_T_FMT,
                             APR_ARRAY_IDX(ids, i, apr_int64_t))),
            until);
    return ids->nelts;
}

static void test_renewed(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "b", NOW + 1);
    outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + 1);
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 2 * LEASE), 0);
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 2 * LEASE), 2);
    CU_ASSERT_EQUAL(
        outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + 2 * LEASE - 1)->nelts, 0);
    /* The leases ran out, but no other courier came. Their own courier does not lease them twice.
     */
    CU_ASSERT_EQUAL(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + 3 * LEASE)->nelts,
                    0);
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 4 * LEASE), 2);
    /* One of them was leased by another courier. */
    CU_ASSERT_STRING_EQUAL(
        outbox_marks(outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 1, NOW + 4 * LEASE)), "a");
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 6 * LEASE), 1);
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 6 * LEASE), 1);
    /* A message that was given back has no owner. */
    OK(esign_outbox_retry(database, "two", outbox_nth(outbox_list(database), 0)->id, NOW,
                          "no answer", pool));
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 6 * LEASE), 0);
}

/* One courier of several; returns how many messages it leased until none was left. */
static int work(void *baton, apr_pool_t *p)
{
    esign_database_t *database = NULL;
    static _Atomic int couriers;
    const char *owner = apr_psprintf(p, "courier %d", couriers++);
    const char *const *at = baton;
    int taken = 0, unreadable;
    const apr_array_header_t *messages;
    if (esign_failed(esign_database_open(&database, "sqlite3", at[0],
                                         (const esign_keyring_t *)(const void *)at[1], p)))
        return -1;
    do {
        if (esign_failed(esign_outbox_lease(database, owner, ESIGN_OUTBOX_CODE, 3, NOW, LEASE,
                                            &messages, &unreadable, p)))
            return -1;
        for (int i = 0; i < messages->nelts; i++, taken++)
            if (esign_failed(esign_outbox_done(
                    database, owner, APR_ARRAY_IDX(messages, i, esign_outbox_message_t).id, p)))
                return -1;
    } while (messages->nelts > 0);
    return taken;
}

static _Atomic int taken_by_all;

static int work_and_sum(void *baton, apr_pool_t *p)
{
    int taken = work(baton, p);
    taken_by_all += taken;
    return taken >= 0;
}

static void test_couriers(void)
{
    enum { MESSAGES = 60, COURIERS = 4 };
    esign_database_t *database = tables_new();
    const char *at[] = { scratch_path(apr_psprintf(pool, "%d.db", tables_count)),
                         (const char *)database->keyring };
    OK(esign_database_begin(database, pool));
    for (int i = 0; i < MESSAGES; i++)
        outbox_add(database, ESIGN_OUTBOX_CODE, "x", NOW - i);
    OK(esign_database_end(database, ESIGN_OK, pool));
    taken_by_all = 0;
    CU_ASSERT_EQUAL(race(COURIERS, work_and_sum, at, 1), COURIERS);
    CU_ASSERT_EQUAL(taken_by_all, MESSAGES);
    CU_ASSERT_EQUAL(outbox_list(database)->nelts, 0);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a message is sealed, leased and done", test_add_and_lease },
                            { "codes go first, then the oldest", test_order },
                            { "a courier takes the kinds that it can send", test_kinds },
                            { "a look tells which kinds are due", test_due },
                            { "a lease takes no longer when many wait", test_many_wait },
                            { "a lease is one courier's until it runs out", test_lease_runs_out },
                            { "a courier that lives keeps what it has", test_renewed },
                            { "of many couriers each message goes to one", test_couriers },
                            CU_TEST_INFO_NULL };
    return tables_suite("outbox", tests);
}
