/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway.c: which gateway is asked next to send a code, and what a delivery report says. */
#include "keys.h"

#include "deliver/gateway.h"

static void test_one(void)
{
    for (int attempts = 1; attempts < 5; attempts++) {
        CU_ASSERT_EQUAL(esign_gateway_turn(1, 0, attempts), 0);
        CU_ASSERT(esign_gateway_round_over(1, 0, attempts));
    }
    CU_ASSERT_EQUAL(esign_gateway_turn(1, 1, 2), ESIGN_GATEWAY_NONE);
    CU_ASSERT_EQUAL(esign_gateway_turn(0, 0, 1), ESIGN_GATEWAY_NONE);
}

static void test_in_turn(void)
{
    static const int turns[] = { 0, 1, 2, 0, 1, 2, 0 };
    for (int i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(esign_gateway_turn(3, 0, i + 1), turns[i]);
        CU_ASSERT_EQUAL(esign_gateway_round_over(3, 0, i + 1), turns[i] == 2);
    }
}

/* Every way through three gateways. Each turn leads nowhere or makes the gateway done. While one is
 * left it is asked, and a gateway that is done is never asked. In the first round each is asked
 * once, before there is a pause. */
static void walk(apr_int64_t done, int attempts, int asked, int first)
{
    if (attempts > 7)
        return;
    int turn = esign_gateway_turn(3, done, attempts);
    if (done == 7) {
        CU_ASSERT_EQUAL(turn, ESIGN_GATEWAY_NONE);
        return;
    }
    CU_ASSERT_FATAL(turn >= 0 && turn < 3 && !(done >> turn & 1));
    CU_ASSERT(!first || !(asked >> turn & 1));
    asked |= 1 << turn;
    first = first && asked != 7;
    CU_ASSERT(!first || !esign_gateway_round_over(3, done, attempts));
    walk(done, attempts + 1, asked, first);
    walk(done | 1 << turn, attempts + 1, asked, first);
}

static void test_every_way(void)
{
    walk(0, 1, 0, 1);
}

static void test_order_after_done(void)
{
    CU_ASSERT_EQUAL(esign_gateway_turn(3, 1, 2), 1); /* the first accepted it, and sent no report */
    CU_ASSERT_EQUAL(esign_gateway_turn(3, 3, 3), 2);
    CU_ASSERT_EQUAL(esign_gateway_turn(3, 2, 3), 2); /* the first is down, the second accepted it */
    CU_ASSERT_EQUAL(esign_gateway_turn(3, 6, 4), 0); /* then the third too: the first again */
    CU_ASSERT(!esign_gateway_round_over(2, 1, 1));
    CU_ASSERT_EQUAL(esign_gateway_turn(2, 4 | 8, 1),
                    0); /* bits of gateways that were removed from the configuration */
}

static void test_reference(void)
{
    const esign_keyring_t *keyring = keys_load("key 1 " KEY_A "\n"),
                          *other = keys_load("key 1 " KEY_B "\n");
    const char *reference, *again;
    apr_int64_t message = 0;
    int gateway = -1;
    CU_ASSERT_FATAL(!esign_failed(
        esign_gateway_reference(keyring, APR_INT64_C(0x1234567890abcdef), 5, &reference, pool)));
    CU_ASSERT(esign_gateway_referred(keyring, reference, &message, &gateway, pool));
    CU_ASSERT(message == APR_INT64_C(0x1234567890abcdef) && gateway == 5);
    CU_ASSERT_EQUAL(
        strspn(reference, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        strlen(reference));
    CU_ASSERT(strlen(reference) < 64);
    CU_ASSERT_FATAL(!esign_failed(esign_gateway_reference(keyring, message, 5, &again, pool)));
    CU_ASSERT_STRING_NOT_EQUAL(reference, again);
    CU_ASSERT(!esign_gateway_referred(other, reference, &message, &gateway, pool));
    for (apr_size_t i = 0; i < strlen(reference); i++) {
        char *forged = apr_pstrdup(pool, reference);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        CU_ASSERT(!esign_gateway_referred(keyring, forged, &message, &gateway, pool));
    }
    CU_ASSERT(!esign_gateway_referred(keyring, "", &message, &gateway, pool) &&
              !esign_gateway_referred(keyring, "***", &message, &gateway, pool));
}

static const esign_pattern_t *pattern(const char *text)
{
    const esign_pattern_t *made = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_pattern_compile(&made, text, pool)));
    return made;
}

static void test_judge(void)
{
    const esign_sms_gateway_t silent = { .name = "a" };
    const esign_sms_gateway_t kannel = { .name = "b",
                                         .delivered = pattern("^status=1$"),
                                         .undelivered = pattern("^status=(2|16)$") };
    static const struct {
        const char *text;
        esign_report_e report;
    } said[] = {
        { "status=1\n", ESIGN_REPORT_DELIVERED },       { "status=2\n", ESIGN_REPORT_UNDELIVERED },
        { "status=16\n", ESIGN_REPORT_UNDELIVERED },    { "status=4\n", ESIGN_REPORT_UNDECIDED },
        { "status=8\n", ESIGN_REPORT_UNDECIDED },       { "\nstatus=1", ESIGN_REPORT_DELIVERED },
        { "\n{\"status\":1}", ESIGN_REPORT_UNDECIDED }, { "\n", ESIGN_REPORT_UNDECIDED },
    };
    for (apr_size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        CU_ASSERT_EQUAL(esign_gateway_judge(&kannel, said[i].text, strlen(said[i].text)),
                        said[i].report);
        CU_ASSERT_EQUAL(esign_gateway_judge(&silent, said[i].text, strlen(said[i].text)),
                        ESIGN_REPORT_UNDECIDED);
    }
    CU_ASSERT(esign_gateway_reports(&kannel) && !esign_gateway_reports(&silent));
}

int main(void)
{
    CU_TestInfo tests[] = { { "a single gateway is asked again until it is done", test_one },
                            { "gateways have their turns in order", test_in_turn },
                            { "every way through three gateways", test_every_way },
                            { "who is done has no turn", test_order_after_done },
                            { "a report's reference opens for us alone", test_reference },
                            { "what a report says", test_judge },
                            CU_TEST_INFO_NULL };
    return suite_run("gateway", tests);
}
