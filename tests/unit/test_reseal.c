/* SPDX-License-Identifier: Apache-2.0 */
/* test_reseal.c: rows of every table move to another key, also when they are changed meanwhile, and
 * when it is stopped in between. */
#include "store/card.h"
#include "store/outbox.h"
#include "store/subscriber.h"
#include "tables.h"

#define BOTH SCRATCH_KEY_1 SCRATCH_KEY_2
#define PEOPLE 250 /* more than two batches */
#define PHC "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg"
#define NOW (1000000 * APR_USEC_PER_SEC)

static const struct {
    const char *name;
    esign_reseal_fn *reseal;
} tables[] = { { "subscriber", esign_subscriber_reseal },
               { "card", esign_card_reseal },
               { "outbox", esign_outbox_reseal } };

#define TABLES (sizeof(tables) / sizeof(*tables))

static const char *number(int person)
{
    return apr_psprintf(pool, "%011d", person);
}

/* Each person has a card and a message; every third has no word, every fifth message was given up.
 */
static esign_database_t *fill(void)
{
    esign_database_t *database = tables_new();
    OK(esign_subscriber_begin(database, pool));
    for (int i = 0; i < PEOPLE; i++) {
        esign_subscriber_t s = { .national_id = number(i),
                                 .name = "Ayşe",
                                 .email = "ayse@example.org",
                                 .phone = "+905551112233",
                                 .language = "tr" };
        esign_card_t card = { .serial = number(i),
                              .state = "active",
                              .not_before = "2026-01-01",
                              .not_after = "2029-01-01",
                              .pin = number(i),
                              .puk = "80261749" };
        apr_table_t *values = apr_table_make(pool, 1);
        apr_table_setn(values, "mark", number(i));
        OK(esign_subscriber_add(database, &s, i % 3 ? PHC : NULL, pool));
        OK(esign_card_add(database, s.id, &card, pool));
        OK(esign_outbox_add(database, ESIGN_OUTBOX_NOTICE, values, NOW, NOW + APR_USEC_PER_SEC,
                            pool));
    }
    OK(esign_database_end(database, ESIGN_OK, pool));
    tables_run(database, "UPDATE outbox SET dead = 1, body = '' WHERE id IN (SELECT id FROM outbox "
                         "ORDER BY id LIMIT 50)");
    return database;
}

static esign_reseal_t go(esign_database_t *database, size_t table, int write)
{
    esign_reseal_t run = { .write = write, .pool = pool };
    while (!run.ended)
        CU_ASSERT_FATAL(!esign_failed(tables[table].reseal(database, &run, pool)));
    return run;
}

static apr_int64_t holding(size_t table)
{
    return strcmp(tables[table].name, "outbox") == 0 ? PEOPLE - 50 : PEOPLE;
}

static void check_content(esign_database_t *database)
{
    for (int i = 0; i < PEOPLE; i++) {
        esign_subscriber_t *s = NULL;
        const apr_array_header_t *cards = NULL;
        const char *phc = NULL;
        OK(esign_subscriber_find(database, number(i), &s, pool));
        CU_ASSERT_FATAL(s != NULL && strcmp(s->national_id, number(i)) == 0 &&
                        strcmp(s->name, "Ayşe") == 0);
        OK(esign_subscriber_open_hash(database->keyring, s, &phc, pool));
        CU_ASSERT(i % 3 ? phc && strcmp(phc, PHC) == 0 : phc == NULL);
        OK(esign_card_list(database, s->id, 1, &cards, pool));
        CU_ASSERT_FATAL(cards != NULL && cards->nelts == 1);
        const esign_card_t *card = &APR_ARRAY_IDX(cards, 0, esign_card_t);
        CU_ASSERT(strcmp(card->pin, number(i)) == 0 && strcmp(card->puk, "80261749") == 0);
    }
    const apr_array_header_t *messages = NULL;
    int unreadable;
    OK(esign_outbox_lease(database, "me", ESIGN_OUTBOX_NOTICE, 1000, NOW, APR_USEC_PER_SEC,
                          &messages, &unreadable, pool));
    CU_ASSERT_FATAL(messages != NULL && messages->nelts == PEOPLE - 50);
    for (int i = 0; i < messages->nelts; i++)
        CU_ASSERT_PTR_NOT_NULL(
            apr_table_get(APR_ARRAY_IDX(messages, i, esign_outbox_message_t).values, "mark"));
}

static void test_every_table(void)
{
    fill();
    esign_database_t *rotated = tables_again(BOTH);
    for (size_t i = 0; i < TABLES; i++) {
        esign_reseal_t counted = go(rotated, i, 0), moved = go(rotated, i, 1),
                       again = go(rotated, i, 1);
        CU_ASSERT(counted.rows == PEOPLE && counted.needed[1] == holding(i) &&
                  counted.needed[2] == 0 && counted.resealed == 0);
        CU_ASSERT(moved.rows == PEOPLE && moved.resealed == holding(i) && moved.needed[1] == 0 &&
                  moved.needed[2] == holding(i));
        CU_ASSERT(again.resealed == 0 && again.missed == 0 && again.refused == 0 &&
                  again.needed[2] == holding(i) && again.needed[1] == 0);
    }
    check_content(tables_again(SCRATCH_KEY_2));
}

static void test_stopped_and_begun_anew(void)
{
    fill();
    for (size_t i = 0; i < TABLES; i++) {
        esign_reseal_t run = { .write = 1, .pool = pool };
        OK(tables[i].reseal(tables_again(BOTH), &run, pool));
        CU_ASSERT(!run.ended && run.rows == 100);
        esign_database_t *later = tables_again(BOTH);
        esign_reseal_t half = go(later, i, 0), rest = go(later, i, 1);
        CU_ASSERT(half.needed[1] > 0 && half.needed[2] == run.resealed &&
                  run.resealed + rest.resealed == holding(i));
    }
    check_content(tables_again(SCRATCH_KEY_2));
}

/* A row counts once for each key that one of its columns is under. */
static void test_counted_by_key(void)
{
    fill();
    esign_database_t *rotated = tables_again(BOTH);
    go(rotated, 0, 1);
    const char *row = tables_text(rotated, "SELECT id FROM subscriber ORDER BY id LIMIT 1");
    esign_database_t *behind =
        tables_again(SCRATCH_KEY_2 SCRATCH_KEY_1); /* a node that has not read the new file */
    int changed;
    OK(esign_subscriber_change_word(behind, apr_atoi64(row), 1, -1, PHC, &changed, pool));
    esign_reseal_t run = go(rotated, 0, 0);
    CU_ASSERT(run.needed[2] == PEOPLE && run.needed[1] == 1);
    run = go(rotated, 0, 1);
    CU_ASSERT(run.resealed == 1 && run.needed[1] == 0);
    tables_run(rotated,
               apr_psprintf(pool, "UPDATE subscriber SET lookup = 'nonsense' WHERE id = %s", row));
    run = go(rotated, 0, 0);
    CU_ASSERT(run.needed[0] == 1 && run.needed[2] == PEOPLE);
}

/* A renew function that changes the row in the table after it was read. */
static esign_result_t renew_late(const esign_keyring_t *keyring, apr_int64_t id,
                                 const char *const *old, const char **new, apr_pool_t *p)
{
    static int first = 1;
    (void)keyring, (void)old, (void)p;
    if (first)
        tables_run(
            tables_again(SCRATCH_KEY_1),
            apr_psprintf(pool, "UPDATE card SET puk = 'changed' WHERE id = %" APR_INT64_T_FMT, id));
    first = 0;
    new[0] = "pin";
    new[1] = "puk";
    return ESIGN_OK;
}

static void test_changed_meanwhile(void)
{
    static const esign_reseal_table_t table = { "card_sealed", "card_reseal", .values = 2,
                                                .together = 1, .renew = renew_late };
    esign_reseal_t run = { .write = 1, .pool = pool };
    fill();
    esign_database_t *rotated = tables_again(BOTH);
    OK(esign_reseal_rows(rotated, &table, &run, pool));
    CU_ASSERT(run.missed == 1 && run.resealed == 99 && run.needed[1] == 1);
    CU_ASSERT_EQUAL(
        tables_number(rotated, "SELECT count(*) FROM card WHERE puk = 'changed' AND pin <> 'pin'"),
        1);
    CU_ASSERT_EQUAL(tables_number(rotated, "SELECT count(*) FROM card WHERE puk = 'puk'"), 99);
}

static void test_does_not_open(void)
{
    fill();
    esign_database_t *rotated = tables_again(BOTH);
    tables_run(rotated, "UPDATE card SET pin = puk WHERE id = (SELECT id FROM card ORDER BY id "
                        "LIMIT 1 OFFSET 120)");
    esign_reseal_t run = go(rotated, 1, 1);
    CU_ASSERT(run.refused == 1 && run.resealed == PEOPLE - 1 && run.needed[1] == 1 &&
              run.needed[2] == PEOPLE - 1);
    CU_ASSERT(run.refusal != NULL && strncmp(run.refusal, "card/", 5) == 0 &&
              strstr(run.refusal, "/pin") != NULL);
    /* A key that the file does not have. */
    run = go(tables_again(SCRATCH_KEY_1), 1, 1);
    CU_ASSERT(run.refused == PEOPLE - 1 && run.resealed == 0 && run.needed[2] == PEOPLE - 1);
}

/* A hundred ids that are texts, each beginning with a small number, would lead back to the first
 * page without end. */
static void test_odd_ids(void)
{
    fill();
    esign_database_t *rotated = tables_again(BOTH);
    esign_reseal_t run = { .write = 1, .pool = pool };
    esign_result_t result = ESIGN_OK;
    tables_run(rotated, "INSERT INTO card SELECT '1x' || id, subscriber, 'x' || serial, state, "
                        "not_before, not_after, fingerprint, pin, puk FROM card");
    for (int steps = 0; steps < 20 && !run.ended && !esign_failed(result); steps++)
        result = esign_card_reseal(rotated, &run, pool);
    CU_ASSERT(esign_failed(result) && strstr(result.detail, "card_sealed") != NULL);
    tables_run(rotated, "DELETE FROM card WHERE serial LIKE 'x%'");
    run = go(rotated, 1, 1);
    CU_ASSERT(run.needed[1] == 0 && run.needed[2] == PEOPLE);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every table moves, and opens under the new key alone", test_every_table },
        { "a run that was stopped is begun anew", test_stopped_and_begun_anew },
        { "rows are counted by the keys they need", test_counted_by_key },
        { "a row that changes meanwhile stays as it was left", test_changed_meanwhile },
        { "a row that does not open stays, others go on", test_does_not_open },
        { "ids that are no numbers end a run", test_odd_ids },
        CU_TEST_INFO_NULL
    };
    return tables_suite("reseal", tests);
}
