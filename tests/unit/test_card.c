/* SPDX-License-Identifier: Apache-2.0 */
/* test_card.c: cards are added and listed; PIN and PUK stay sealed unless they are asked for. */
#include "store/card.h"
#include "store/subscriber.h"
#include "tables.h"

static const esign_card_t first = { .serial = "TR-0002",
                                    .state = "active",
                                    .not_before = "2026-01-01",
                                    .not_after = "2029-01-01",
                                    .fingerprint = "00aa",
                                    .pin = "739154",
                                    .puk = "80261749" };
static const esign_card_t second = { .serial = "TR-0001",
                                     .state = "revoked",
                                     .not_before = "2023-01-01",
                                     .not_after = "2026-01-01",
                                     .fingerprint = NULL,
                                     .pin = "482913",
                                     .puk = "11950283" };

static apr_int64_t subscriber_of(esign_database_t *database, const char *national_id)
{
    esign_subscriber_t subscriber = { .national_id = national_id,
                                      .name = "A",
                                      .email = "a@example.org",
                                      .phone = "+905551112233",
                                      .language = "tr" };
    CU_ASSERT_FATAL(!esign_failed(esign_subscriber_add(database, &subscriber, NULL, pool)));
    return subscriber.id;
}

static void check_card(const esign_card_t *card, const esign_card_t *wanted, int secrets)
{
    CU_ASSERT_STRING_EQUAL(card->serial, wanted->serial);
    CU_ASSERT_STRING_EQUAL(card->state, wanted->state);
    CU_ASSERT_STRING_EQUAL(card->not_before, wanted->not_before);
    CU_ASSERT_STRING_EQUAL(card->not_after, wanted->not_after);
    CU_ASSERT(wanted->fingerprint
                  ? card->fingerprint && strcmp(card->fingerprint, wanted->fingerprint) == 0
                  : !card->fingerprint);
    CU_ASSERT(secrets ? card->pin && strcmp(card->pin, wanted->pin) == 0 : !card->pin);
    CU_ASSERT(secrets ? card->puk && strcmp(card->puk, wanted->puk) == 0 : !card->puk);
}

static void test_list(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = subscriber_of(database, "10000000146"),
                other = subscriber_of(database, "10000000078");
    const apr_array_header_t *cards;
    OK(esign_card_add(database, id, &first, pool));
    OK(esign_card_add(database, id, &second, pool));
    for (int secrets = 0; secrets < 2; secrets++) {
        CU_ASSERT_FATAL(!esign_failed(esign_card_list(database, id, secrets, &cards, pool)) &&
                        cards->nelts == 2);
        check_card(&APR_ARRAY_IDX(cards, 0, esign_card_t), &second, secrets);
        check_card(&APR_ARRAY_IDX(cards, 1, esign_card_t), &first, secrets);
    }
    CU_ASSERT(!esign_failed(esign_card_list(database, other, 1, &cards, pool)) &&
              cards->nelts == 0);
}

static void test_refused(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = subscriber_of(database, "10000000146"),
                other = subscriber_of(database, "10000000078");
    OK(esign_card_add(database, id, &first, pool));
    CU_ASSERT_EQUAL(esign_card_add(database, id, &first, pool).status, APR_EEXIST);
    CU_ASSERT_EQUAL(esign_card_add(database, other, &first, pool).status, APR_EEXIST);
    CU_ASSERT(esign_failed(
        esign_card_add(database, id == 5 ? 6 : 5, &second, pool))); /* no such subscriber */
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM card"), 1);
}

static void test_sealed(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = subscriber_of(database, "10000000146");
    const apr_array_header_t *cards = NULL;
    OK(esign_card_add(database, id, &first, pool));
    OK(esign_card_add(database, id, &second, pool));
    const char *rows = tables_text(database, "SELECT group_concat(pin || ' ' || puk) FROM card");
    CU_ASSERT(strlen(rows) > 100 && !strstr(rows, first.pin) && !strstr(rows, first.puk) &&
              !strstr(rows, second.pin) && !strstr(rows, second.puk));

    /* A PIN does not open as the PUK, nor as another card's. Without secrets nothing is opened. */
    tables_run(database, "UPDATE card SET puk = pin WHERE serial = 'TR-0002'");
    CU_ASSERT(esign_failed(esign_card_list(database, id, 1, &cards, pool)));
    CU_ASSERT(!esign_failed(esign_card_list(database, id, 0, &cards, pool)) && cards->nelts == 2);
    tables_run(database, "DELETE FROM card");
    OK(esign_card_add(database, id, &first, pool));
    OK(esign_card_add(database, id, &second, pool));
    OK(esign_card_list(database, id, 1, &cards, pool));
    tables_run(database, "UPDATE card SET pin = (SELECT pin FROM card WHERE serial = 'TR-0001')");
    CU_ASSERT(esign_failed(esign_card_list(database, id, 1, &cards, pool)));
}

/* A subscriber with write access to the database makes themselves the owner of a card. */
static void test_stolen(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = subscriber_of(database, "10000000146"),
                thief = subscriber_of(database, "10000000078");
    const apr_array_header_t *cards = NULL;
    OK(esign_card_add(database, id, &first, pool));
    tables_run(database,
               apr_psprintf(pool, "UPDATE card SET subscriber = %" APR_INT64_T_FMT, thief));
    esign_result_t result = esign_card_list(database, thief, 1, &cards, pool);
    CU_ASSERT(result.status == APR_EINVAL &&
              strstr(result.detail, "another subscriber's") != NULL && cards == NULL);
    tables_run(database, apr_psprintf(pool, "UPDATE card SET subscriber = %" APR_INT64_T_FMT, id));
    OK(esign_card_list(database, id, 1, &cards, pool));
}

int main(void)
{
    CU_TestInfo tests[] = { { "cards come by serial, their secrets when asked for", test_list },
                            { "a serial is registered once, and for somebody", test_refused },
                            { "secrets are sealed into their place", test_sealed },
                            { "a card that is called somebody else's shows nothing", test_stolen },
                            CU_TEST_INFO_NULL };
    return tables_suite("card", tests);
}
