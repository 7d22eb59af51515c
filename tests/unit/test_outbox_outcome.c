/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox_outcome.c: a leased message is sent, tried again, handed to the next gateway, put
 * back or given up. */
#include "outbox.h"

static void test_retry_and_bury(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW), 0)->id;
    OK(esign_outbox_retry(database, "one", id, NOW + 5 * SECOND, "no answer", pool));
    CU_ASSERT_EQUAL(
        outbox_lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 5 * SECOND - 1)->nelts, 0);
    const esign_outbox_message_t *m =
        outbox_nth(outbox_lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 5 * SECOND), 0);
    CU_ASSERT(m->attempts == 2 && m->due == NOW + 5 * SECOND && strcmp(m->error, "no answer") == 0);
    OK(esign_outbox_give_up(database, "two", id, "refused", pool));
    CU_ASSERT_EQUAL(outbox_lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 9999 * SECOND)->nelts,
                    0);
    m = outbox_nth(outbox_list(database), 0);
    CU_ASSERT(m->id == id && m->attempts == 2 && strcmp(m->state, "dead") == 0 &&
              strcmp(m->error, "refused") == 0 && m->values == NULL);
    CU_ASSERT_STRING_EQUAL(tables_text(database, "SELECT body FROM outbox"), "");
}

static void test_expire(void)
{
    esign_database_t *database = tables_new();
    int counts[ESIGN_OUTBOX_KINDS] = { -1, -1, -1 }, unreported = -1;
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    outbox_add(database, ESIGN_OUTBOX_CODE, "b", NOW + SECOND);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW + 2 * SECOND);
    apr_int64_t leased =
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 1, NOW + 599 * SECOND), 0)->id;
    OK(esign_outbox_expire(database, NOW + 601 * SECOND, counts, &unreported, pool));
    CU_ASSERT(counts[ESIGN_OUTBOX_CODE] == 1 &&
              counts[ESIGN_OUTBOX_NOTICE] == 0); /* b: a is leased, c has a second left */
    CU_ASSERT_EQUAL(
        tables_number(
            database,
            "SELECT count(*) FROM outbox WHERE dead = 1 AND body = '' AND error = 'expired'"),
        1);
    OK(esign_outbox_expire(database, NOW + 601 * SECOND, counts, &unreported, pool));
    CU_ASSERT_EQUAL(counts[ESIGN_OUTBOX_CODE], 0);
    OK(esign_outbox_expire(database, NOW + 999 * SECOND, counts, &unreported, pool));
    CU_ASSERT_EQUAL(counts[ESIGN_OUTBOX_CODE], 2);
    CU_ASSERT_EQUAL(unreported, 0);
    OK(esign_outbox_done(database, "one", leased, pool)); /* expired: it stays for the operator */
    CU_ASSERT_EQUAL(outbox_list(database)->nelts, 3);
    outbox_add(database, ESIGN_OUTBOX_CODE, "d", NOW + 1000 * SECOND);
    CU_ASSERT_EQUAL(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 1600 * SECOND)->nelts,
                    0); /* expired, though not marked so yet */
}

static void test_gateways_in_turn(void)
{
    esign_database_t *database = tables_new();
    int counted, expired[ESIGN_OUTBOX_KINDS], unreported;
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    const esign_outbox_message_t *m = outbox_lease_one(database, NOW);
    CU_ASSERT(m->gateways == 0 && m->awaited == -1);
    /* The first gateway refuses, the second accepts. */
    OK(esign_outbox_next_gateway(database, "one", m->id, 0, 0, NOW, NOW, "refused", pool));
    m = outbox_lease_one(database, NOW);
    CU_ASSERT(m->gateways == 1 && m->awaited == -1 && strcmp(m->error, "refused") == 0);
    OK(esign_outbox_next_gateway(database, "other", m->id, 1, 1, NOW, NOW, NULL,
                                 pool)); /* not its owner */
    OK(esign_outbox_next_gateway(database, "one", m->id, 1, 1, NOW, NOW + 30 * SECOND, NULL, pool));
    CU_ASSERT(strcmp(outbox_nth(outbox_list(database), 0)->state, "sent") == 0 &&
              outbox_nth(outbox_list(database), 0)->awaited == 1);
    CU_ASSERT_EQUAL(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 29 * SECOND)->nelts,
                    0);
    /* A report of another gateway only excludes that one; the awaited report makes it due. */
    OK(esign_outbox_undelivered(database, m->id, 3, NOW, "lost", &counted, pool));
    CU_ASSERT(counted == 1 &&
              outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 29 * SECOND)->nelts == 0);
    OK(esign_outbox_undelivered(database, m->id, 1, NOW + SECOND, "lost", &counted, pool));
    m = outbox_lease_one(database, NOW + SECOND);
    CU_ASSERT(m->gateways == 11 && m->awaited == -1 && m->attempts == 3 &&
              strcmp(m->error, "lost") == 0);
    /* The third gateway's report arrives before its answer. */
    OK(esign_outbox_undelivered(database, m->id, 2, NOW + 2 * SECOND, "lost", &counted, pool));
    OK(esign_outbox_next_gateway(database, "one", m->id, 2, 1, NOW + 2 * SECOND, NOW + 30 * SECOND,
                                 NULL, pool));
    m = outbox_lease_one(database, NOW + 2 * SECOND);
    CU_ASSERT(m->gateways == 15 && m->awaited == -1);
    /* Sent, and never reported: it is deleted, the operator has nothing to do. */
    OK(esign_outbox_next_gateway(database, "one", m->id, 4, 1, NOW, m->expires, NULL, pool));
    OK(esign_outbox_expire(database, m->expires, expired, &unreported, pool));
    CU_ASSERT(expired[ESIGN_OUTBOX_CODE] == 0 && unreported == 1 &&
              outbox_list(database)->nelts == 0);
}

static void test_delivered(void)
{
    esign_database_t *database = tables_new();
    int counted;
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "b", NOW);
    const apr_array_header_t *messages = outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW);
    apr_int64_t notice =
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    /* A report also counts before the answer, but never for another kind or a dead message. */
    OK(esign_outbox_delivered(database, notice, &counted, pool));
    CU_ASSERT_EQUAL(counted, 0);
    OK(esign_outbox_undelivered(database, notice, 0, NOW, "lost", &counted, pool));
    CU_ASSERT_EQUAL(counted, 0);
    OK(esign_outbox_delivered(database, outbox_nth(messages, 0)->id, &counted, pool));
    CU_ASSERT_EQUAL(counted, 1);
    OK(esign_outbox_next_gateway(database, "one", outbox_nth(messages, 0)->id, 0, 1, NOW, NOW, NULL,
                                 pool));
    CU_ASSERT_EQUAL(outbox_list(database)->nelts, 1);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW);
    const esign_outbox_message_t *dead = outbox_lease_one(database, NOW);
    OK(esign_outbox_give_up(database, "one", dead->id, "refused", pool));
    OK(esign_outbox_delivered(database, dead->id, &counted, pool));
    CU_ASSERT(counted == 0 && outbox_list(database)->nelts == 2);
}

static void test_release(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    apr_int64_t id = outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    OK(esign_outbox_release(database, "two", id, NOW, "not yours", pool));
    CU_ASSERT_EQUAL(outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW)->nelts, 0);
    OK(esign_outbox_release(database, "one", id, NOW + SECOND, "given back", pool));
    CU_ASSERT_EQUAL(outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW)->nelts, 0);
    const esign_outbox_message_t *m =
        outbox_nth(outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0);
    CU_ASSERT(m->attempts == 1 && strcmp(m->error, "given back") == 0);
    OK(esign_outbox_retry(database, "two", id, NOW + SECOND, "no answer", pool));
    outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND);
    OK(esign_outbox_release(database, "one", id, NOW + SECOND, "given back", pool));
    m = outbox_nth(outbox_lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0);
    CU_ASSERT(m->attempts == 2 && strcmp(m->error, "no answer") == 0);
}

static void test_tampered(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    outbox_add(database, ESIGN_OUTBOX_CODE, "b", NOW + 1);
    outbox_add(database, ESIGN_OUTBOX_CODE, "c", NOW + 2);
    /* b gets the body of a: a code cannot be sent to another subscriber in this way. */
    tables_run(
        database,
        apr_psprintf(
            pool,
            "UPDATE outbox SET body = (SELECT body FROM outbox WHERE created = %" APR_INT64_T_FMT
            ") "
            "WHERE created = %" APR_INT64_T_FMT,
            NOW, NOW + 1));
    CU_ASSERT_STRING_EQUAL(
        outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 2)), "ac");
    CU_ASSERT_EQUAL(outbox_unreadable, 1);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT created FROM outbox WHERE dead = 1 AND body = "
                                            "'' AND error = 'cannot be unsealed'"),
                    NOW + 1);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM outbox WHERE dead = 1"), 1);
}

/* An attacker stores a sent row again: it is not sent after its time, nor as another kind. */
static void test_put_back(void)
{
    static const char *const changes[] = { "expires = expires + 1", "kind = 2", "kind = 0",
                                           "kind = 64" };
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        esign_database_t *database = tables_new();
        outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
        tables_run(database,
                   apr_pstrcat(pool, "UPDATE outbox SET dead = 0, due = 0, lease_until = 0, ",
                               changes[i], NULL));
        for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
            CU_ASSERT_EQUAL(outbox_lease(database, "one", (esign_outbox_kind_e)kind, 9, NOW)->nelts,
                            0);
    }
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    tables_run(database, "UPDATE outbox SET expires = expires - 1");
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW)),
                           "a");
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a message is tried again, or given up", test_retry_and_bury },
        { "what waits too long is dropped", test_expire },
        { "a code goes from gateway to gateway", test_gateways_in_turn },
        { "a report of a delivered code ends it", test_delivered },
        { "what was not begun is given back, and it was no attempt", test_release },
        { "a tampered body is given up, the others go", test_tampered },
        { "a message that is put back keeps its kind and its end", test_put_back },
        CU_TEST_INFO_NULL
    };
    return tables_suite("outbox_outcome", tests);
}
