/* SPDX-License-Identifier: Apache-2.0 */
/* test_outcomes.c: how long outcomes are batched, and what each of them writes. */
#include "deliver/outcomes.h"
#include "outbox.h"

#define OWNER "one"

static esign_outcomes_t *outcomes;
static esign_database_t *database;

static void begin(void)
{
    outcomes = esign_outcomes_create(pool);
    database = tables_new();
}

/* A delivery of a kind, of a row that does not exist. */
static esign_delivery_t *delivery_of(esign_outbox_kind_e kind)
{
    apr_pool_t *own;
    apr_pool_create(&own, pool);
    esign_delivery_t *delivery = apr_pcalloc(own, sizeof(*delivery));
    *delivery = (esign_delivery_t){ .pool = own,
                                    .id = 7,
                                    .kind = kind,
                                    .whose = 12,
                                    .address = "192.0.2.1",
                                    .event = ESIGN_AUDIT_EVENTS,
                                    .awaited = -1,
                                    .error = "what it met",
                                    .due = NOW + 5 * SECOND };
    return delivery;
}

/* Queues a row, leases it and adds a delivery of it with an outcome; the row's id. */
static apr_int64_t add(esign_outbox_kind_e kind, esign_outcome_e outcome)
{
    esign_delivery_t *delivery = delivery_of(kind);
    outbox_add(database, kind, "a", NOW);
    delivery->id = outbox_nth(outbox_lease(database, OWNER, kind, 1, NOW), 0)->id;
    delivery->outcome = outcome;
    esign_outcomes_add(outcomes, delivery, NOW);
    return delivery->id;
}

static void write_all(void)
{
    OK(esign_outcomes_write(outcomes, database, OWNER, NOW, pool));
    esign_outcomes_clear(outcomes);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), 0);
}

static int audited(void)
{
    return (int)tables_number(database, "SELECT count(*) FROM audit");
}

static void test_due(void)
{
    begin();
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), 0);
    esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_NOTICE), NOW);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW + 50000);
    esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_RESET_REQUEST), NOW + 10000);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW + 50000);
    esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_CODE), NOW + 20000);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW);
    esign_outcomes_clear(outcomes);
    esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_NOTICE), NOW + 30000);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW + 80000);
}

static void test_full(void)
{
    begin();
    for (int i = 0; i < 99; i++)
        esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_NOTICE), NOW + i);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW + 50000);
    esign_outcomes_add(outcomes, delivery_of(ESIGN_OUTBOX_NOTICE), NOW + 99);
    CU_ASSERT_EQUAL(esign_outcomes_due(outcomes), NOW);
}

static void test_sent(void)
{
    begin();
    apr_int64_t id = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_SENT);
    write_all();
    CU_ASSERT(!outbox_get(database, id) && audited() == 0);
}

static void test_sent_with_event(void)
{
    begin();
    esign_delivery_t *delivery = delivery_of(ESIGN_OUTBOX_RESET_REQUEST);
    delivery->event = ESIGN_AUDIT_RESET_MAILED;
    esign_outcomes_add(outcomes, delivery, NOW);
    write_all();
    CU_ASSERT_STRING_EQUAL(
        tables_text(database, "SELECT event || ' ' || subscriber || ' ' || address FROM audit"),
        "reset-mailed 12 192.0.2.1");
    CU_ASSERT_EQUAL(tables_number(database, "SELECT time FROM audit"), NOW);
}

static void test_retry(void)
{
    begin();
    apr_int64_t id = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_RETRY);
    write_all();
    const esign_outbox_message_t *row = outbox_get(database, id);
    CU_ASSERT(row->due == NOW + 5 * SECOND && row->attempts == 1);
    CU_ASSERT_STRING_EQUAL(row->error, "what it met");
    CU_ASSERT_STRING_EQUAL(row->state, "waiting");
}

static void test_release(void)
{
    begin();
    apr_int64_t id = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_RELEASE);
    write_all();
    const esign_outbox_message_t *row = outbox_get(database, id);
    CU_ASSERT(row->due == NOW + 5 * SECOND && row->attempts == 0 && audited() == 0);
}

static void test_next_gateway(void)
{
    begin();
    esign_delivery_t *delivery = delivery_of(ESIGN_OUTBOX_CODE);
    outbox_add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    delivery->id = outbox_lease_one(database, NOW)->id;
    delivery->gateway = 2;
    delivery->accepted = 1;
    delivery->outcome = ESIGN_OUTCOME_NEXT_GATEWAY;
    esign_outcomes_add(outcomes, delivery, NOW);
    write_all();
    CU_ASSERT_EQUAL(tables_number(database, "SELECT gateways FROM outbox"), 4);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT awaited FROM outbox"), 2);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT due FROM outbox"), NOW + 5 * SECOND);
}

static void test_given_up(void)
{
    begin();
    apr_int64_t id = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_GIVEN_UP);
    write_all();
    CU_ASSERT_STRING_EQUAL(outbox_get(database, id)->state, "dead");
    CU_ASSERT_STRING_EQUAL(outbox_get(database, id)->error, "what it met");
    CU_ASSERT_STRING_EQUAL(tables_text(database, "SELECT event FROM audit"), "message-given-up");
}

/* Outcomes are written again until they are cleared: the transaction may have failed. */
static void test_written_again(void)
{
    begin();
    apr_int64_t id = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_RETRY);
    apr_int64_t other = add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_SENT);
    OK(esign_database_begin(database, pool));
    OK(esign_outcomes_write(outcomes, database, OWNER, NOW, pool));
    const esign_result_t lost = { APR_EGENERAL, "database", "lost" };
    CU_ASSERT(esign_failed(esign_database_end(database, lost, pool)));
    CU_ASSERT(outbox_get(database, other) && !outbox_get(database, id)->error);
    CU_ASSERT(esign_outcomes_due(outcomes) != 0);
    write_all();
    CU_ASSERT(!outbox_get(database, other) && outbox_get(database, id)->error);
}

/* A failure ends the writing and is the result. */
static void test_failure(void)
{
    begin();
    add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_GIVEN_UP);
    add(ESIGN_OUTBOX_NOTICE, ESIGN_OUTCOME_RETRY);
    tables_run(database, "DROP TABLE audit");
    CU_ASSERT(esign_failed(esign_outcomes_write(outcomes, database, OWNER, NOW, pool)));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a batch waits 50 ms, with a code not at all", test_due },
                            { "a batch of a hundred does not wait", test_full },
                            { "what was sent is deleted", test_sent },
                            { "what became of a request is audited", test_sent_with_event },
                            { "a failed attempt is due again", test_retry },
                            { "what was given back was no attempt", test_release },
                            { "a code goes to the next gateway", test_next_gateway },
                            { "what is given up stays, and is audited", test_given_up },
                            { "a batch is written again until it is cleared", test_written_again },
                            { "a failure is passed on", test_failure },
                            CU_TEST_INFO_NULL };
    return tables_suite("outcomes", tests);
}
