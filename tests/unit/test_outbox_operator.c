/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox_operator.c: the operator lists messages, queues them again and drops them. */
#include "outbox.h"

static int outbox_requeue(esign_database_t *database, apr_int64_t id, apr_time_t now)
{
    int done = -1;
    OK(esign_outbox_requeue(database, id, now, &done, pool));
    return done;
}

static int outbox_drop(esign_database_t *database, apr_int64_t id, apr_time_t now)
{
    int done = -1;
    OK(esign_outbox_drop(database, id, now, &done, pool));
    return done;
}

static void test_dead_letter(void)
{
    esign_database_t *database = tables_new();
    int expired[ESIGN_OUTBOX_KINDS], unreported;
    outbox_add(database, ESIGN_OUTBOX_RESET_REQUEST, "a", NOW);
    outbox_add(database, ESIGN_OUTBOX_CODE, "b", NOW + 1);
    apr_int64_t letter =
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_RESET_REQUEST, 9, NOW), 0)->id;
    apr_int64_t code =
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 1), 0)->id;
    CU_ASSERT_EQUAL(outbox_requeue(database, letter, NOW), 0); /* leased */
    CU_ASSERT_EQUAL(outbox_drop(database, letter, NOW), 0);
    OK(esign_outbox_give_up(database, "one", letter, "refused", pool));
    OK(esign_outbox_give_up(database, "one", code, "refused", pool));
    CU_ASSERT(outbox_get(database, letter)->has_values && !outbox_get(database, code)->has_values);
    CU_ASSERT_EQUAL(outbox_requeue(database, code, NOW), 0);
    CU_ASSERT_EQUAL(outbox_requeue(database, letter, NOW + 600 * SECOND), 0); /* expired */
    CU_ASSERT_EQUAL(outbox_requeue(database, letter, NOW + 9 * SECOND), 1);
    CU_ASSERT_STRING_EQUAL(outbox_marks(outbox_lease(database, "two", ESIGN_OUTBOX_RESET_REQUEST, 9,
                                                     NOW + 9 * SECOND)),
                           "a");
    OK(esign_outbox_give_up(database, "two", letter, "refused again", pool));
    OK(esign_outbox_expire(database, NOW + 599 * SECOND, expired, &unreported, pool));
    CU_ASSERT(outbox_get(database, letter)->has_values);
    OK(esign_outbox_expire(database, NOW + 600 * SECOND, expired, &unreported, pool));
    const esign_outbox_message_t *m = outbox_get(database, letter);
    CU_ASSERT(!m->has_values && strcmp(m->state, "dead") == 0 &&
              strcmp(m->error, "refused again") == 0 && m->attempts == 2);
    CU_ASSERT_EQUAL(outbox_drop(database, letter, NOW), 1);
    CU_ASSERT_EQUAL(outbox_drop(database, letter, NOW), 0);
    CU_ASSERT_PTR_NULL(outbox_get(database, letter));
}

static void test_purge(void)
{
    esign_database_t *database = tables_new();
    int count = -1, expired[ESIGN_OUTBOX_KINDS], unreported;
    for (int i = 0; i < 5; i++)
        outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW + i * SECOND);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "b", NOW);
    OK(esign_outbox_give_up(
        database, "one",
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 1, NOW), 0)->id, "refused",
        pool));
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "c", NOW);
    OK(esign_outbox_purge(database, NOW - 1, 9, &count, pool));
    CU_ASSERT_EQUAL(count, 0);
    OK(esign_outbox_purge(database, NOW, 9, &count, pool));
    CU_ASSERT_EQUAL(count, 1); /* b; messages that wait stay at any age */
    OK(esign_outbox_expire(database, NOW + 999 * SECOND, expired, &unreported, pool));
    OK(esign_outbox_purge(database, NOW + 3 * SECOND, 3, &count, pool));
    CU_ASSERT_EQUAL(count, 4); /* three codes, the oldest, and c */
    OK(esign_outbox_purge(database, NOW + 3 * SECOND, 3, &count, pool));
    CU_ASSERT(count == 1 && outbox_list(database)->nelts == 1 &&
              outbox_nth(outbox_list(database), 0)->created == NOW + 4 * SECOND);
}

static void test_operator_hurries(void)
{
    esign_database_t *database = tables_new();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    apr_int64_t id = outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    OK(esign_outbox_retry(database, "one", id, NOW + 500 * SECOND, "no answer", pool));
    CU_ASSERT_EQUAL(outbox_requeue(database, id, NOW + SECOND), 1);
    CU_ASSERT_EQUAL(
        outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0)
            ->attempts,
        2);
    /* A sent message is not queued again: a gateway has it. */
    outbox_add(database, ESIGN_OUTBOX_CODE, "b", NOW);
    id = outbox_nth(outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + SECOND), 0)->id;
    OK(esign_outbox_next_gateway(database, "one", id, 0, 1, NOW, NOW + 30 * SECOND, NULL, pool));
    CU_ASSERT_STRING_EQUAL(outbox_get(database, id)->state, "sent");
    CU_ASSERT_EQUAL(outbox_requeue(database, id, NOW + SECOND), 0);
}

static void test_open(void)
{
    esign_database_t *database = tables_new();
    const apr_table_t *values;
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = tables_number(database, "SELECT id FROM outbox");
    OK(esign_outbox_values(database, id, &values, pool));
    CU_ASSERT_FATAL(values != NULL);
    CU_ASSERT_STRING_EQUAL(apr_table_get(values, "mark"), "a");
    tables_run(database, "UPDATE outbox SET body = ''");
    OK(esign_outbox_values(database, id, &values, pool));
    CU_ASSERT_PTR_NULL(values);
    OK(esign_outbox_values(database, id + 1, &values, pool));
    CU_ASSERT_PTR_NULL(values);
}

static void test_list(void)
{
    esign_database_t *database = tables_new();
    apr_time_t now = apr_time_now();
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "b", now - 1 * SECOND);
    outbox_add(database, ESIGN_OUTBOX_RESET_REQUEST, "a", now - 2 * SECOND);
    outbox_lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, now);
    const apr_array_header_t *messages = outbox_list(database);
    CU_ASSERT_EQUAL(messages->nelts, 2);
    CU_ASSERT(outbox_nth(messages, 0)->kind == ESIGN_OUTBOX_RESET_REQUEST &&
              strcmp(outbox_nth(messages, 0)->state, "waiting") == 0);
    CU_ASSERT(outbox_nth(messages, 1)->kind == ESIGN_OUTBOX_NOTICE &&
              strcmp(outbox_nth(messages, 1)->state, "leased") == 0);
}

static void test_depths(void)
{
    esign_database_t *database = tables_new();
    esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS];
    const apr_array_header_t *messages;
    OK(esign_outbox_depths(database, depths, pool));
    for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
        CU_ASSERT(depths[kind].waiting == 0 && depths[kind].sent == 0 && depths[kind].dead == 0 &&
                  depths[kind].oldest == 0);
    for (int i = 0; i < 4; i++)
        outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW + i);
    outbox_add(database, ESIGN_OUTBOX_NOTICE, "b", NOW + 9);
    /* The oldest is accepted by a gateway that reports, the next given up, the third leased. */
    const apr_array_header_t *leased = outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW + 9);
    OK(esign_outbox_next_gateway(database, "one", outbox_nth(leased, 0)->id, 0, 1, NOW, NOW, NULL,
                                 pool));
    OK(esign_outbox_give_up(database, "one", outbox_nth(leased, 1)->id, "refused", pool));
    OK(esign_outbox_depths(database, depths, pool));
    const esign_outbox_depth_t *code = &depths[ESIGN_OUTBOX_CODE],
                               *notice = &depths[ESIGN_OUTBOX_NOTICE];
    CU_ASSERT(code->waiting == 2 && code->sent == 1 && code->dead == 1 && code->oldest == NOW + 2);
    CU_ASSERT(notice->waiting == 1 && notice->sent == 0 && notice->dead == 0 &&
              notice->oldest == NOW + 9);
    CU_ASSERT_EQUAL(depths[ESIGN_OUTBOX_RESET_REQUEST].waiting, 0);
    OK(esign_outbox_list(database, 2, &messages, pool));
    CU_ASSERT(messages->nelts == 2 && outbox_nth(messages, 1)->created == NOW + 1);
    /* A row of an unknown kind is not counted. */
    tables_run(database, "UPDATE outbox SET kind = 7 WHERE kind = 2");
    OK(esign_outbox_depths(database, depths, pool));
    CU_ASSERT_EQUAL(depths[ESIGN_OUTBOX_NOTICE].waiting, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a dead letter can be sent again until it expires, a code never", test_dead_letter },
        { "what was given up long ago goes, a handful at a time", test_purge },
        { "what waits for its next try can be sent at once", test_operator_hurries },
        { "what a message says, while it is kept", test_open },
        { "the operator's list", test_list },
        { "how many wait, and since when", test_depths },
        CU_TEST_INFO_NULL
    };
    return tables_suite("outbox_operator", tests);
}
