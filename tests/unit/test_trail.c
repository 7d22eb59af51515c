/* SPDX-License-Identifier: Apache-2.0 */
/* test_trail.c: audit rows are added, counted, and listed newest first. */
#include "audit/trail.h"
#include "store/subscriber.h"
#include "tables.h"

#define NOW (1000000 * APR_USEC_PER_SEC)

static const esign_audit_entry_t *nth(const apr_array_header_t *entries, int index)
{
    CU_ASSERT_FATAL(index < entries->nelts);
    return &APR_ARRAY_IDX(entries, index, esign_audit_entry_t);
}

static const apr_array_header_t *list(esign_database_t *database, apr_int64_t subscriber, int max)
{
    const apr_array_header_t *entries = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_audit_list(database, subscriber, max, &entries, pool)) &&
                    entries != NULL);
    return entries;
}

static void test_events(void)
{
    esign_database_t *database = tables_new();
    for (int event = 0; event < ESIGN_AUDIT_EVENTS; event++) {
        OK(esign_audit_add(database, (esign_audit_event_e)event, 7, "192.0.2.1", NOW + event,
                           pool));
        for (int other = 0; other < event; other++)
            CU_ASSERT_STRING_NOT_EQUAL(esign_event_name((esign_audit_event_e)event),
                                       esign_event_name((esign_audit_event_e)other));
    }
    const apr_array_header_t *entries = list(database, 7, 100);
    CU_ASSERT_EQUAL(entries->nelts, ESIGN_AUDIT_EVENTS);
    for (int event = 0; event < ESIGN_AUDIT_EVENTS; event++)
        CU_ASSERT_EQUAL(nth(entries, ESIGN_AUDIT_EVENTS - 1 - event)->event, event);
    /* Names are stored in databases, and used by pages: they never change. */
    CU_ASSERT_STRING_EQUAL(esign_event_name(ESIGN_AUDIT_REGISTERED), "registered");
    CU_ASSERT_STRING_EQUAL(esign_event_name(ESIGN_AUDIT_WORD_REFUSED), "word-refused");
    CU_ASSERT_STRING_EQUAL(esign_event_name(ESIGN_AUDIT_PIN_SHOWN), "pin-shown");
    CU_ASSERT_STRING_EQUAL(esign_event_name(ESIGN_AUDIT_EVENTS), "unknown");
    CU_ASSERT_STRING_EQUAL(esign_event_result("word-accepted"), "success");
    CU_ASSERT_STRING_EQUAL(esign_event_result("word-refused"), "failure");
    CU_ASSERT_STRING_EQUAL(esign_event_result("of a later version"), "unknown");
    CU_ASSERT(esign_event_is_personal(ESIGN_AUDIT_PIN_SHOWN) &&
              !esign_event_is_personal(ESIGN_AUDIT_RESET_UNKNOWN) &&
              !esign_event_is_personal(ESIGN_AUDIT_EVENTS));
}

static void test_list(void)
{
    esign_database_t *database = tables_new();
    char node[256] = "";
    gethostname(node, sizeof(node) - 1);
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 7, "2001:db8::1", NOW, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_WORD_REFUSED, ESIGN_SUBSCRIBER_NONE, "192.0.2.9",
                       NOW + 2, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_OPENED, 8, "local", NOW + 1, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_OUT, 7, "2001:db8::1", NOW + 3, pool));

    const apr_array_header_t *all = list(database, ESIGN_SUBSCRIBER_NONE, 100),
                             *own = list(database, 7, 100);
    CU_ASSERT_EQUAL(all->nelts, 4);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(nth(all, i)->time, NOW + 3 - i);
    CU_ASSERT(nth(all, 1)->subscriber == ESIGN_SUBSCRIBER_NONE &&
              strcmp(nth(all, 1)->address, "192.0.2.9") == 0);
    CU_ASSERT_EQUAL(own->nelts, 2);
    const esign_audit_entry_t *last = nth(own, 1);
    CU_ASSERT(nth(own, 0)->event == ESIGN_AUDIT_SIGNED_OUT && last->event == ESIGN_AUDIT_SIGNED_IN);
    CU_ASSERT(last->id > 0 && last->time == NOW && last->subscriber == 7 &&
              strcmp(last->address, "2001:db8::1") == 0 && strcmp(last->node, node) == 0);
    CU_ASSERT_EQUAL(list(database, 9, 100)->nelts, 0);

    CU_ASSERT(list(database, 7, 1)->nelts == 1 && nth(list(database, 7, 1), 0)->time == NOW + 3);
    CU_ASSERT(list(database, ESIGN_SUBSCRIBER_NONE, 3)->nelts == 3 &&
              nth(list(database, ESIGN_SUBSCRIBER_NONE, 3), 2)->time == NOW + 1);
}

static void test_unknown_event(void)
{
    esign_database_t *database = tables_new();
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 7, "local", NOW, pool));
    tables_run(database, "UPDATE audit SET event = 'of a later version'");
    CU_ASSERT_STRING_EQUAL(esign_event_name(nth(list(database, 7, 9), 0)->event), "unknown");
}

/* Otherwise a thousand rows of one person are as many pages of the table, which each view of the
 * PIN would read. */
static void test_count_plan(void)
{
    esign_database_t *database = tables_new();
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    const esign_statement_t *count = esign_database_statements;
    while (count->label && strcmp(count->label, "audit_count") != 0)
        count++;
    CU_ASSERT_PTR_NOT_NULL_FATAL(count->label);
    /* The same number of bytes for each kind of placeholder. */
    char *sql = apr_pstrcat(pool, "EXPLAIN QUERY PLAN ", count->sql, NULL);
    for (char *place = sql; (place = strchr(place, '%')) != NULL;)
        memcpy(place, strncmp(place, "%lld", 4) == 0 ? " 17 " : "''",
               strncmp(place, "%lld", 4) == 0 ? 4 : 2);
    CU_ASSERT_EQUAL_FATAL(
        apr_dbd_select(database->driver, pool, database->handle, &results, sql, 0), 0);
    int found = 0;
    while (apr_dbd_get_row(database->driver, pool, results, &row, -1) != -1)
        found |= strstr(apr_dbd_get_entry(database->driver, row, 3),
                        "COVERING INDEX audit_subscriber (subscriber=? AND time>?)") != NULL;
    CU_ASSERT(found);
}

int main(void)
{
    CU_TestInfo tests[] = { { "every event has a name and comes back", test_events },
                            { "entries come newest first, one's own or all", test_list },
                            { "an event of a later version is no other event", test_unknown_event },
                            { "what somebody did is counted in an index alone", test_count_plan },
                            CU_TEST_INFO_NULL };
    return tables_suite("audit", tests);
}
