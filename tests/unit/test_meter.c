/* SPDX-License-Identifier: Apache-2.0 */
/* test_meter.c: processes count together, and one of them at a time reads the database. */
#include "audit/trail.h"
#include "operator/levels.h"
#include "race.h"
#include "store/outbox.h"
#include "tables.h"

#include <sys/wait.h>
#include <unistd.h>

#define SECOND APR_USEC_PER_SEC

static esign_meter_t *make(void)
{
    esign_meter_t *meter = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_meter_create(&meter, pool)) && meter != NULL);
    return meter;
}

static void test_processes(void)
{
    enum { CHILDREN = 4, TIMES = 10000 };
    esign_meter_t *meter = make();
    int status;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        CU_ASSERT_FATAL(child >= 0);
        for (int k = 0; child == 0 && k < TIMES; k++)
            meter->messages[ESIGN_OUTBOX_CODE].sent++;
        if (child == 0)
            _exit(0);
    }
    for (int i = 0; i < CHILDREN; i++)
        CU_ASSERT(wait(&status) > 0 && WIFEXITED(status));
    CU_ASSERT_EQUAL(meter->messages[ESIGN_OUTBOX_CODE].sent, CHILDREN * TIMES);
}

static int claim(void *baton, apr_pool_t *p)
{
    (void)p;
    return esign_levels_claim(baton, 1000 * SECOND);
}

static void test_claim(void)
{
    esign_meter_t *meter = make();
    CU_ASSERT_EQUAL(race(16, claim, meter, 1), 1);
    /* A process that dies with the claim keeps it for a minute; a clock set back frees it. */
    CU_ASSERT(!esign_levels_claim(meter, 1059 * SECOND));
    CU_ASSERT(esign_levels_claim(meter, 1060 * SECOND));
    CU_ASSERT(esign_levels_claim(meter, 1 * SECOND));
}

static void test_look(void)
{
    esign_database_t *database = tables_new();
    esign_meter_t *meter = make();
    apr_time_t now = apr_time_now();
    CU_ASSERT(!meter->known);
    tables_run(database,
               apr_psprintf(pool,
                            "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, "
                            "owner, lease_until, dead, gateways, awaited, error) "
                            "VALUES (1, 2, 'x', %" APR_INT64_T_FMT
                            ", 1, 1, 0, '', 0, 0, 0, -1, NULL)",
                            now - SECOND));
    CU_ASSERT(esign_levels_claim(meter, now));
    OK(esign_levels_read(meter, database, pool));
    CU_ASSERT(meter->known && meter->messages[ESIGN_OUTBOX_NOTICE].waiting == 1 &&
              meter->messages[ESIGN_OUTBOX_NOTICE].oldest == now - SECOND);
    CU_ASSERT(meter->unchained == 0 && meter->unchained_oldest == 0);
    /* Not again within a second. */
    CU_ASSERT(meter->next_look >= now + SECOND && !esign_levels_claim(meter, now + SECOND - 1));
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 5, "192.0.2.1", now - 2 * SECOND, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 5, "192.0.2.1", now, pool));
    OK(esign_levels_read(meter, database, pool));
    CU_ASSERT(meter->unchained == 2 && meter->unchained_oldest == now - 2 * SECOND);
    /* A failed reading makes the levels unknown. */
    CU_ASSERT(esign_failed(esign_levels_read(meter, NULL, pool)) && !meter->known);
}

static void test_events(void)
{
    esign_database_t *database = tables_new();
    esign_meter_t *meter = database->meter = make();
    OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 5, "192.0.2.1", 1, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_WORD_REFUSED, 5, "192.0.2.1", 1, pool));
    OK(esign_audit_add(database, ESIGN_AUDIT_WORD_REFUSED, 5, "192.0.2.1", 1, pool));
    CU_ASSERT(meter->events[ESIGN_AUDIT_SIGNED_IN] == 1 &&
              meter->events[ESIGN_AUDIT_WORD_REFUSED] == 2 &&
              meter->events[ESIGN_AUDIT_SIGNED_OUT] == 0);
    tables_run(database, "DROP TABLE audit");
    CU_ASSERT(
        esign_failed(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 5, "192.0.2.1", 1, pool)) &&
        meter->events[ESIGN_AUDIT_SIGNED_IN] == 1);
}

int main(void)
{
    CU_TestInfo tests[] = { { "processes count together", test_processes },
                            { "one of many reads the database", test_claim },
                            { "levels are those of the database", test_look },
                            { "audit rows are counted", test_events },
                            CU_TEST_INFO_NULL };
    return tables_suite("meter", tests);
}
