/* SPDX-License-Identifier: Apache-2.0 */
/* test_courier.c: rounds over the outbox lease and start rows, keep leases, respect ceilings, and
 * end well when the database fails or the process ends. */
#include "courier.h"

#include "cache/token.h"

static void test_notice(void)
{
    courier_begin(NULL, NULL);
    queue_notice();
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "m");
    CU_ASSERT_STRING_EQUAL(fake_nth(0)->to, EMAIL);
    CU_ASSERT(rows() == 1 && esign_courier_pending(courier) == 1);
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT(rows() == 0 && esign_courier_pending(courier) == 0);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_NOTICE].sent, 1);
    CU_ASSERT_STRING_EQUAL(log_text, "");
}

/* A request for an unknown number takes a mail's place, and both kinds leave one row in the trail.
 */
static void test_requests(void)
{
    esign_token_grant_t grant;
    courier_begin(NULL, NULL);
    apr_int64_t known = queue_request(NUMBER);
    queue_request("10000000078");
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "mn");
    CU_ASSERT_EQUAL(fake_nth(0)->id, known);
    const char *link = strstr(fake_nth(0)->text, "/esign/reset/");
    CU_ASSERT_FATAL(link != NULL);
    const char *token = apr_pstrndup(pool, link + 13, ESIGN_TOKEN_LENGTH);
    CU_ASSERT_EQUAL(esign_token_read(options.cache, token, &grant, pool), ESIGN_CACHE_DONE);
    CU_ASSERT(grant.subscriber == subscriber_id && grant.expires > wall);
    CU_ASSERT(audited("reset-mailed") == 0 && audited("reset-unknown") == 0);
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    fake_end(1, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT(audited("reset-mailed") == 1 && audited("reset-unknown") == 1 && rows() == 0);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_RESET_REQUEST].sent, 1);
}

/* Beyond the day's mails a request ends in the transaction that leases it. */
static void test_too_many_mails(void)
{
    courier_prepare();
    options.mails_per_day = 1;
    courier_make();
    queue_request(NUMBER);
    round_now();
    queue_request(NUMBER);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "mn");
    CU_ASSERT(rows() == 1 && audited("reset-spaced") == 1);
    CU_ASSERT_EQUAL(fake_nth(1)->lease->deadline, APR_INT64_MAX);
    advance(options.link_life / 2);
    queue_request(NUMBER);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "mnm");
}

/* Codes first, then notices, then requests; at most `sms_at_once` codes, and mails for the free
 * connections. */
static void test_order_and_places(void)
{
    courier_prepare();
    add_gateway("first", NULL);
    options.sms_at_once = 2;
    options.mails_per_minute = 2;
    options.message.url = "https://order.example.org/esign";
    courier_make();
    queue_request(NUMBER);
    queue_request(NUMBER);
    queue_notice();
    for (int i = 0; i < 3; i++)
        queue_code();
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "ssmm");
    CU_ASSERT(strstr(fake_nth(2)->text, "/reset/") == NULL &&
              strstr(fake_nth(3)->text, "/reset/") != NULL);
    fake_end(1, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "ssmms");
}

/* Mails are leased ahead of the connections while these run out of them. */
static void test_ahead(void)
{
    courier_begin(NULL, NULL);
    for (int i = 0; i < 40; i++)
        queue_notice();
    round_now();
    int first = fake.count;
    CU_ASSERT(first >= 2 && first <= 8);
    for (int i = 0; i < first; i++)
        fake_end(i, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT(fake.count > 2 * first && fake.count <= 40);
}

static void test_without_gateways(void)
{
    courier_begin(NULL, NULL);
    apr_int64_t id = queue_code();
    round_now();
    CU_ASSERT_EQUAL(fake.count, 0);
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "waiting");
}

/* Neither is sent: the code has no session, and the notice no subscriber any more. */
static void test_not_wanted(void)
{
    courier_begin("first", NULL);
    queue(ESIGN_OUTBOX_CODE, "session", esign_session_store_key("none", pool));
    advance(2 * SECOND);
    round_now();
    CU_ASSERT(fake.count == 0 && rows() == 0 && logged("a code that nobody can use any more") == 1);
    queue_notice();
    tables_run(database, "DELETE FROM subscriber");
    round_now();
    CU_ASSERT(fake.count == 0 && rows() == 0);
}

static apr_time_t deadline_of(int index)
{
    return fake_nth(index)->lease->deadline;
}

/* Leases are renewed once a second, and a message may be handed over for three seconds after that.
 */
static void test_renewal(void)
{
    courier_begin(NULL, NULL);
    queue_notice();
    apr_time_t began = steady;
    round_now();
    CU_ASSERT_EQUAL(deadline_of(0), began + 3 * SECOND);
    advance(SECOND / 2);
    round_now();
    CU_ASSERT_EQUAL(deadline_of(0), began + 3 * SECOND);
    advance(SECOND / 2);
    began = steady;
    round_now();
    CU_ASSERT_EQUAL(deadline_of(0), began + 3 * SECOND);
    CU_ASSERT(is_due_in(tables_number(database, "SELECT lease_until FROM outbox"), 3.8, 4));
    /* Another courier has it now: it is not renewed any more. */
    tables_run(database, "UPDATE outbox SET owner = 'other'");
    advance(SECOND);
    round_now();
    CU_ASSERT_EQUAL(deadline_of(0), began + 3 * SECOND);
    fake_end(0, ESIGN_TRANSFER_UNTRIED, ESIGN_LEASE_LOST);
    round_now();
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM outbox WHERE owner = 'other'"),
                    1);
}

/* A row returns while its transfer still hangs: no second transfer is started. */
static void test_leased_twice(void)
{
    courier_begin(NULL, NULL);
    queue_notice();
    round_now();
    tables_run(database, "UPDATE outbox SET owner = '', lease_until = 0, due = 0");
    advance(SECOND / 10);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "m");
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT_EQUAL(rows(), 0);
}

static void take_long(void)
{
    steady += 3 * SECOND / 2;
}

/* A round that takes more than a second gives rows back that it has not started; their attempts do
 * not count. */
static void test_late(void)
{
    courier_begin(NULL, NULL);
    queue_notice();
    apr_int64_t second = queue_notice();
    while_making = take_long;
    round_now();
    while_making = NULL;
    CU_ASSERT_EQUAL(fake_nth(0)->kind, 'm');
    CU_ASSERT_STRING_EQUAL(row_of(second)->error, "the courier had no time for it");
    CU_ASSERT_EQUAL(row_of(second)->attempts, 1);
    round_now();
    CU_ASSERT_EQUAL(fake_nth(1)->id, second);
}

/* Without a database transfers go on, and their outcomes are written when it is back. */
static void test_no_database(void)
{
    courier_begin(NULL, NULL);
    queue_notice();
    round_now();
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    OK(round_with(NULL));
    CU_ASSERT(esign_courier_pending(courier) == 0 && rows() == 1);
    esign_courier_wait(courier, -1, 10 * SECOND);
    CU_ASSERT_EQUAL(fake.waited, 10 * SECOND);
    round_now();
    CU_ASSERT_EQUAL(rows(), 0);
}

/* A failed transaction leaves its outcomes for the next one, and starts no delivery. */
static void test_failed_transaction(void)
{
    courier_begin(NULL, NULL);
    queue_request("10000000078");
    round_now();
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    queue_notice();
    tables_run(database, "ALTER TABLE audit RENAME TO gone");
    CU_ASSERT(esign_failed(round_with(database)));
    CU_ASSERT(fake.count == 1 && rows() == 2);
    tables_run(database, "ALTER TABLE gone RENAME TO audit");
    round_now();
    CU_ASSERT(audited("reset-unknown") == 1 && rows() == 1);
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "nm");
}

/* A failed transaction that had leased rows does not start them, and the next one renews all
 * leases. */
static void test_failed_lease(void)
{
    courier_prepare();
    options.mails_per_day = 0;
    smtp.connections = 8;
    courier_make();
    queue_request(NUMBER);
    round_now();
    apr_time_t deadline = fake_nth(0)->lease->deadline;
    queue_notice();
    queue_request(NUMBER);
    tables_run(database, "ALTER TABLE audit RENAME TO gone");
    CU_ASSERT(esign_failed(round_with(database)));
    CU_ASSERT_EQUAL(fake.count, 1);
    tables_run(database, "ALTER TABLE gone RENAME TO audit");
    tables_run(database, "DELETE FROM outbox WHERE kind = 0 AND attempts = 0");
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "mm");
    CU_ASSERT(fake_nth(0)->lease->deadline > deadline);
}

/* A lease whose commit was not answered is given back with the next renewal. */
static void test_lost_commit(void)
{
    courier_begin(NULL, NULL);
    apr_int64_t id = queue_notice();
    round_now();
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    esign_courier_t *sender = courier;
    round_now();
    CU_ASSERT_EQUAL(rows(), 0);
    id = queue_notice();
    tables_run(database,
               apr_psprintf(pool, "UPDATE outbox SET owner = '%s', lease_until = %" APR_INT64_T_FMT,
                            sender->owner, wall + 4 * SECOND));
    sender->renewed = 0;
    round_now();
    CU_ASSERT_EQUAL(fake.count, 2);
    CU_ASSERT_EQUAL(fake_nth(1)->id, id);
}

static void test_ceiling(void)
{
    courier_prepare();
    options.mails_per_minute = 1;
    options.message.url = "https://ceiling.example.org/esign";
    courier_make();
    /* A request without a mail does not count. */
    queue_request("10000000078");
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "n");
    fake_end(0, ESIGN_TRANSFER_SENT, NULL);
    queue_notice();
    queue_notice();
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "nm");
    CU_ASSERT_EQUAL(logged("4 1 mails in a minute, as many as EsignMailsPerMinute allows"), 1);
    fake_end(1, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "nm");
    CU_ASSERT_EQUAL(row_of(tables_number(database, "SELECT id FROM outbox"))->attempts, 0);
    advance(121 * SECOND);
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "nmm");
}

static void test_expiry(void)
{
    courier_begin(NULL, NULL);
    apr_int64_t id = queue_code();
    round_now();
    advance(3601 * SECOND);
    round_now();
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "dead");
    CU_ASSERT_STRING_EQUAL(row_of(id)->error, "expired");
    CU_ASSERT(audited("messages-expired") == 1 && logged("4 1 messages expired unsent") == 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_CODE].failed, 1);
    advance(options.keep);
    round_now();
    CU_ASSERT(rows() == 0 && logged("were kept as long as EsignOutboxKeep says") == 1);
}

/* Somebody has changed a sealed body. */
static void test_unreadable(void)
{
    courier_begin(NULL, NULL);
    apr_int64_t id = queue_notice();
    tables_run(database, "UPDATE outbox SET body = 'x'");
    round_now();
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "dead");
    CU_ASSERT(fake.count == 0 && audited("message-given-up") == 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_NOTICE].failed, 1);
}

/* At the end of the process, rows that are under way are due at once for other couriers. */
static void test_end(void)
{
    courier_begin("first", NULL);
    apr_int64_t mail = queue_notice(), code = queue_code();
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "sm");
    CU_ASSERT_EQUAL(esign_courier_drain(courier, SECOND, pool), 2);
    CU_ASSERT(fake.recalled == 1 && fake.waited == SECOND && fake.stopped == 0);
    esign_courier_abort(courier);
    CU_ASSERT(fake.stopped == 1 && fake.joined == 0);
    fake_end(1, ESIGN_TRANSFER_UNREACHABLE, "the process ended");
    esign_courier_finish(courier, database, pool);
    CU_ASSERT_EQUAL(fake.joined, 1);
    CU_ASSERT(is_due_in(row_of(mail)->due, -1, 0) && is_due_in(row_of(code)->due, -1, 0));
    CU_ASSERT_STRING_EQUAL(row_of(mail)->state, "waiting");
    CU_ASSERT_STRING_EQUAL(row_of(code)->error, "the process ended");
    /* The server was not at fault. */
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a notice becomes a mail", test_notice },
        { "a request becomes a mail, or takes a mail's place", test_requests },
        { "a request beyond the day's mails takes a mail's place", test_too_many_mails },
        { "codes go first, then notices, as many as there are places", test_order_and_places },
        { "mails are leased ahead of quick connections", test_ahead },
        { "without gateways codes stay", test_without_gateways },
        { "what nobody wants any more is not sent", test_not_wanted },
        { "leases are renewed, and lost to another courier", test_renewal },
        { "a row that comes back is not sent twice", test_leased_twice },
        { "what a long round has not begun goes back", test_late },
        { "without a database transfers go on", test_no_database },
        { "a failed transaction keeps its outcomes", test_failed_transaction },
        { "a failed transaction starts nothing", test_failed_lease },
        { "leases whose commit was not answered go back", test_lost_commit },
        { "what is beyond a ceiling is not leased", test_ceiling },
        { "expired rows end, and go in the end", test_expiry },
        { "a row that cannot be unsealed is given up", test_unreadable },
        { "at the end all is due for others", test_end },
        CU_TEST_INFO_NULL
    };
    return courier_suite("courier", tests);
}
