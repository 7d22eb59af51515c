/* SPDX-License-Identifier: Apache-2.0 */
/* test_courier_end.c: the end of a transfer changes the row, the log and the state of the server.
 */
#include "courier.h"

/* Ends a new notice's transfer; its row. */
static const esign_outbox_message_t *end_notice(esign_transfer_outcome_e outcome, const char *words)
{
    apr_int64_t id = queue_notice();
    round_now();
    CU_ASSERT_FATAL(fake.count > 0 && fake_nth(fake.count - 1)->id == id);
    fake_end(fake.count - 1, outcome, words);
    round_now();
    return row_of(id);
}

static void test_mail_later(void)
{
    courier_begin(NULL, NULL);
    const esign_outbox_message_t *row = end_notice(ESIGN_TRANSFER_LATER, "450 4.2.0 greylisted");
    CU_ASSERT_FATAL(row != NULL);
    CU_ASSERT_STRING_EQUAL(row->error, "mail server mx.example.org: 450 4.2.0 greylisted");
    CU_ASSERT_STRING_EQUAL(row->state, "waiting");
    CU_ASSERT(row->attempts == 1 && is_due_in(row->due, 3.8, 6));
    CU_ASSERT_EQUAL(
        logged(apr_psprintf(
            pool, "4 a notice was not sent (message %" APR_INT64_T_FMT ", try 1): ", row->id)),
        1);
    CU_ASSERT_EQUAL(logged("greylisted; again at 20"), 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_NOTICE].retried, 1);
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 0);
}

/* 5 s, 10 s, 20 s, … 15 min. */
static void test_pauses(void)
{
    static const double pauses[] = { 5, 10, 20, 40, 80, 160, 320, 640, 900, 900 };
    courier_begin(NULL, NULL);
    apr_int64_t id = queue_notice();
    for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
        tables_run(database, "UPDATE outbox SET due = 0");
        round_now();
        CU_ASSERT_FATAL(fake.count == (int)i + 1);
        fake_end((int)i, ESIGN_TRANSFER_LATER, "busy");
        round_now();
        CU_ASSERT(is_due_in(row_of(id)->due, pauses[i] * 0.8 - 1, pauses[i] * 1.2));
    }
}

static void test_mail_never(void)
{
    courier_begin(NULL, NULL);
    const esign_outbox_message_t *row = end_notice(ESIGN_TRANSFER_NEVER, "550 5.1.1 no mailbox");
    CU_ASSERT_FATAL(row != NULL);
    CU_ASSERT_STRING_EQUAL(row->state, "dead");
    CU_ASSERT_STRING_EQUAL(row->error, "mail server mx.example.org: 550 5.1.1 no mailbox");
    CU_ASSERT(logged("3 a notice is given up") == 1 && audited("message-given-up") == 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_NOTICE].failed, 1);
}

/* A mail that was not begun is due again in a second, and its attempt does not count. */
static void test_mail_untried(void)
{
    courier_begin(NULL, NULL);
    const esign_outbox_message_t *row = end_notice(ESIGN_TRANSFER_UNTRIED, ESIGN_LEASE_LOST);
    CU_ASSERT_FATAL(row != NULL);
    CU_ASSERT_STRING_EQUAL(row->error, ESIGN_LEASE_LOST);
    CU_ASSERT(row->attempts == 0 && is_due_in(row->due, 0.5, 1));
    CU_ASSERT_STRING_EQUAL(log_text, "");
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 0);
}

/* Perhaps this mail makes the server fail, so its pause follows from its own attempts. */
static void test_mail_unanswered(void)
{
    courier_begin(NULL, NULL);
    const esign_outbox_message_t *row = end_notice(ESIGN_TRANSFER_UNANSWERED, "no answer");
    CU_ASSERT(is_due_in(row->due, 3.8, 6));
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 1);
}

/* Three failures in a row open the breaker: mails are recalled and none is leased. After the pause
 * one mail finds out whether the server answers. */
static void test_mail_breaker(void)
{
    courier_begin(NULL, NULL);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(fake.recalled, 0);
        const esign_outbox_message_t *row = end_notice(ESIGN_TRANSFER_UNREACHABLE, "refused");
        CU_ASSERT(is_due_in(row->due, 0.5, i == 2 ? 2.4 : 1.01));
    }
    CU_ASSERT_EQUAL(
        logged("3 mail server mx.example.org is left alone, and tried now and then: refused"), 1);
    CU_ASSERT(fake.recalled == 1 && options.meter->left_until[0] > steady);
    tables_run(database, "UPDATE outbox SET due = 0");
    round_now();
    CU_ASSERT_EQUAL(fake.count, 3);
    advance(courier->mail_server.breaker.until - steady);
    round_now();
    CU_ASSERT_EQUAL(fake.count, 4);
    fake_end(3, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT_EQUAL(logged("5 mail server mx.example.org answers again"), 1);
    CU_ASSERT(options.meter->left_until[0] == 0 && fake.count > 4);
}

/* A refusal of one message shows that the server answers. */
static void test_refusal_is_an_answer(void)
{
    courier_begin(NULL, NULL);
    end_notice(ESIGN_TRANSFER_UNREACHABLE, "refused");
    end_notice(ESIGN_TRANSFER_UNREACHABLE, "refused");
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 2);
    end_notice(ESIGN_TRANSFER_NEVER, "550 no");
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 0);
}

/* A transfer without a mail does not count for the server. */
static void test_no_mail_and_breaker(void)
{
    courier_begin(NULL, NULL);
    end_notice(ESIGN_TRANSFER_UNREACHABLE, "refused");
    queue_request("10000000078");
    round_now();
    fake_end(fake.count - 1, ESIGN_TRANSFER_SENT, NULL);
    round_now();
    CU_ASSERT_EQUAL(courier->mail_server.breaker.failures, 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_RESET_REQUEST].sent, 0);
}

/* A transfer that cannot start at all, or not at present. */
static void test_refused_start(void)
{
    courier_begin(NULL, NULL);
    fake.refusal = (esign_result_t){ APR_EINVAL, "mail", "the address cannot stand in a header" };
    apr_int64_t id = queue_notice();
    round_now();
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "dead");
    CU_ASSERT_STRING_EQUAL(row_of(id)->error, "the address cannot stand in a header");
    fake.refusal = (esign_result_t){ APR_EGENERAL, "libcurl", "no memory" };
    id = queue_notice();
    round_now();
    CU_ASSERT(is_due_in(row_of(id)->due, 3.8, 6) && fake.count == 0);
}

/* Queues a code, has it started, and ends its transfer; the row's id. */
static apr_int64_t end_code(esign_transfer_outcome_e outcome, const char *words)
{
    apr_int64_t id = queue_code();
    round_now();
    CU_ASSERT_FATAL(fake.count > 0 && fake_nth(fake.count - 1)->id == id);
    fake_end(fake.count - 1, outcome, words);
    round_now();
    return id;
}

static const char *gateway_of(int index)
{
    return fake_nth(index)->gateway->name;
}

static void test_code_sent(void)
{
    courier_begin("first", "second");
    apr_int64_t id = end_code(ESIGN_TRANSFER_SENT, NULL);
    CU_ASSERT_STRING_EQUAL(fake_nth(0)->to, PHONE);
    CU_ASSERT(strstr(fake_nth(0)->text, "739154") && !fake_nth(0)->report);
    CU_ASSERT(!row_of(id) && fake.count == 1);
    CU_ASSERT_EQUAL(options.meter->messages[ESIGN_OUTBOX_CODE].sent, 1);
}

/* The next gateway has its turn at once; when all have had theirs there is a pause. */
static void test_code_later(void)
{
    courier_begin("first", "second");
    apr_int64_t id = end_code(ESIGN_TRANSFER_LATER, "HTTP status 503");
    CU_ASSERT_FATAL(fake.count == 2);
    CU_ASSERT_STRING_EQUAL(gateway_of(1), "second");
    CU_ASSERT_EQUAL(logged("SMS gateway first (first.example.org): HTTP status 503; again at once"),
                    1);
    fake_end(1, ESIGN_TRANSFER_LATER, "HTTP status 429");
    round_now();
    CU_ASSERT(fake.count == 2 && is_due_in(row_of(id)->due, 3.8, 6));
}

static void test_code_never(void)
{
    courier_begin("first", "second");
    apr_int64_t id = end_code(ESIGN_TRANSFER_NEVER, "HTTP status 400");
    CU_ASSERT_FATAL(fake.count == 2);
    CU_ASSERT_STRING_EQUAL(gateway_of(1), "second");
    fake_end(1, ESIGN_TRANSFER_NEVER, "HTTP status 403");
    round_now();
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "dead");
    CU_ASSERT_STRING_EQUAL(row_of(id)->error,
                           "SMS gateway second (second.example.org): HTTP status 403");
    CU_ASSERT(fake.count == 2 && audited("message-given-up") == 1);
}

/* A gateway that gave no answer may have the code: it is never given it again. */
static void test_code_unanswered(void)
{
    courier_begin("first", "second");
    end_code(ESIGN_TRANSFER_UNANSWERED, "no answer");
    CU_ASSERT_FATAL(fake.count == 2);
    fake_end(1, ESIGN_TRANSFER_LATER, "HTTP status 503");
    round_now();
    tables_run(database, "UPDATE outbox SET due = 0");
    round_now();
    for (int i = 1; i < fake.count; i++)
        CU_ASSERT_STRING_EQUAL(gateway_of(i), "second");
}

/* A gateway that sends reports accepted the code: the other one has its turn if no report comes. */
static void test_code_reported(void)
{
    courier_prepare();
    add_gateway("first", "delivered");
    add_gateway("second", NULL);
    courier_make();
    apr_int64_t id = end_code(ESIGN_TRANSFER_SENT, NULL);
    CU_ASSERT(strstr(fake_nth(0)->report, "https://portal.example.org/esign/report/") ==
              fake_nth(0)->report);
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "sent");
    CU_ASSERT(row_of(id)->awaited == 0 && is_due_in(row_of(id)->due, 58, 60));
    CU_ASSERT_STRING_EQUAL(log_text, "");
}

/* The only gateway, with reports: the code waits for it until it expires. */
static void test_code_reported_alone(void)
{
    courier_prepare();
    add_gateway("first", "delivered");
    courier_make();
    apr_int64_t id = end_code(ESIGN_TRANSFER_UNANSWERED, "no answer");
    CU_ASSERT_STRING_EQUAL(row_of(id)->state, "sent");
    CU_ASSERT_EQUAL(row_of(id)->due, row_of(id)->expires);
    CU_ASSERT(logged("no answer\n") == 1 && logged("again") == 0);
}

static void test_code_untried(void)
{
    courier_begin("first", NULL);
    apr_int64_t id = queue_code();
    round_now();
    fake_end(0, ESIGN_TRANSFER_UNTRIED, ESIGN_LEASE_LOST);
    OK(round_with(NULL));
    round_now();
    CU_ASSERT_EQUAL(fake.count, 2);
    CU_ASSERT_EQUAL(row_of(id)->attempts, 1);
    CU_ASSERT_EQUAL(courier->gateways[0].breaker.failures, 0);
    CU_ASSERT_EQUAL(courier->gateways[0].under_way, 1);
}

/* The end of the code's own life is no failure of the gateway's. */
static void test_code_expired(void)
{
    courier_begin("first", NULL);
    apr_int64_t id = queue_code();
    round_now();
    advance(row_of(id)->expires - wall);
    fake_end(0, ESIGN_TRANSFER_UNANSWERED, "timeout");
    round_now();
    CU_ASSERT_EQUAL(courier->gateways[0].breaker.failures, 0);
    CU_ASSERT_EQUAL(courier->gateways[0].under_way, 0);
}

/* An open breaker has its gateway's turn passed, also where that is the only one. */
static void test_code_breaker(void)
{
    courier_begin("first", "second");
    courier->gateways[0].breaker =
        (esign_breaker_t){ .failures = 3, .until = steady + 100 * SECOND };
    queue_code();
    round_now();
    CU_ASSERT_STRING_EQUAL(fake_kinds(), "s");
    CU_ASSERT_STRING_EQUAL(gateway_of(0), "second");
    CU_ASSERT_EQUAL(logged("was not sent"), 0);
    courier_begin("first", NULL);
    courier->gateways[0].breaker = (esign_breaker_t){ .failures = 3, .until = steady + SECOND };
    apr_int64_t id = queue_code();
    round_now();
    CU_ASSERT(fake.count == 0 && is_due_in(row_of(id)->due, 0.5, 1));
    CU_ASSERT_STRING_EQUAL(row_of(id)->error,
                           "SMS gateway first (first.example.org) is left alone");
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a mail that is refused for now is tried again", test_mail_later },
        { "pauses double, to a quarter of an hour", test_pauses },
        { "a mail that is refused for good is given up", test_mail_never },
        { "a mail that was not begun was no attempt", test_mail_untried },
        { "a mail without an answer counts against the server", test_mail_unanswered },
        { "a mail server that fails is not used for a while", test_mail_breaker },
        { "a refusal shows that the server answers", test_refusal_is_an_answer },
        { "a transfer without a mail does not count for the server", test_no_mail_and_breaker },
        { "a transfer that cannot begin", test_refused_start },
        { "a code that was taken is gone", test_code_sent },
        { "a code that is refused for now goes to the next gateway", test_code_later },
        { "a code that all gateways refuse is given up", test_code_never },
        { "a gateway without an answer is not given the code again", test_code_unanswered },
        { "a gateway that reports is waited for", test_code_reported },
        { "the only gateway is waited for until the end", test_code_reported_alone },
        { "a code that was not begun goes back", test_code_untried },
        { "the end of a code's life does not count against the gateway", test_code_expired },
        { "a gateway that fails has its turn passed", test_code_breaker },
        CU_TEST_INFO_NULL
    };
    return courier_suite("courier_end", tests);
}
