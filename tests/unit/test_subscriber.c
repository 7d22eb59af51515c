/* SPDX-License-Identifier: Apache-2.0 */
/* test_subscriber.c: subscribers, and the counters that protect their accounts. */
#include "store/subscriber.h"
#include "tables.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECOND APR_USEC_PER_SEC
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define HEAD "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$"
#define NOON (20000 * DAY + 12 * HOUR)

static const esign_failure_policy_t policy = {
    .free = 4, .first = 30 * SECOND, .longest = HOUR, .close_at = 100
};

static esign_subscriber_t person(const char *national_id)
{
    return (esign_subscriber_t){ .national_id = national_id,
                                 .name = "Ayşe Yılmaz",
                                 .email = "ayse@example.org",
                                 .phone = "+905551112233",
                                 .language = "tr" };
}

static apr_int64_t add(esign_database_t *database, const char *national_id)
{
    esign_subscriber_t subscriber = person(national_id);
    CU_ASSERT_FATAL(!esign_failed(esign_subscriber_add(database, &subscriber, HEAD "old", pool)) &&
                    subscriber.id > 0);
    return subscriber.id;
}

static const esign_subscriber_t *get(esign_database_t *database, apr_int64_t id)
{
    esign_subscriber_t *subscriber = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_subscriber_get(database, id, &subscriber, pool)) &&
                    subscriber != NULL);
    return subscriber;
}

static apr_int64_t found(esign_database_t *database, const char *national_id)
{
    esign_subscriber_t *subscriber = (esign_subscriber_t *)1;
    CU_ASSERT_FATAL(!esign_failed(esign_subscriber_find(database, national_id, &subscriber, pool)));
    return subscriber ? subscriber->id : ESIGN_SUBSCRIBER_NONE;
}

/* The subscriber's hash without HEAD; "" when there is no word. */
static const char *hash_of(esign_database_t *database, apr_int64_t id)
{
    const char *phc = "";
    CU_ASSERT_FATAL(!esign_failed(
        esign_subscriber_open_hash(database->keyring, get(database, id), &phc, pool)));
    CU_ASSERT(phc == NULL || strncmp(phc, HEAD, strlen(HEAD)) == 0);
    return phc ? phc + strlen(HEAD) : "";
}

static void test_stand_in(void)
{
    esign_database_t *database = tables_new();
    esign_subscriber_t *other, *again;
    const char *ids[] = { "10000000146", "10000000078", "19999999990", "28888888880",
                          "37777777770", "46666666660", "55555555550", "64444444440" };
    OK(esign_subscriber_decoy(database, ids[0], &other, pool));
    CU_ASSERT_PTR_NULL(other);
    apr_int64_t id = add(database, "10000000147");
    int found_one = 0;
    for (apr_size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        OK(esign_subscriber_decoy(database, ids[i], &other, pool));
        OK(esign_subscriber_decoy(database, ids[i], &again, pool));
        CU_ASSERT(other == NULL ? again == NULL
                                : other->id == id && again->id == id &&
                                      strcmp(other->word_hash, get(database, id)->word_hash) == 0);
        found_one += other != NULL;
    }
    /* Lookups after the last row have no decoy. */
    CU_ASSERT(found_one > 0 && found_one < 8);
}

static void test_find_and_get(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078"), epoch = 0;
    esign_subscriber_t *nobody = (esign_subscriber_t *)1;
    CU_ASSERT(id != other);
    CU_ASSERT_EQUAL(found(database, "10000000146"), id);
    CU_ASSERT_EQUAL(found(database, "10000000078"), other);
    CU_ASSERT_EQUAL(found(database, "10000000147"), ESIGN_SUBSCRIBER_NONE);
    const esign_subscriber_t *s = get(database, id);
    CU_ASSERT(s->id == id && strcmp(s->national_id, "10000000146") == 0 &&
              strcmp(s->name, "Ayşe Yılmaz") == 0 && strcmp(s->email, "ayse@example.org") == 0);
    CU_ASSERT(strcmp(s->phone, "+905551112233") == 0 && strcmp(s->language, "tr") == 0 &&
              strcmp(hash_of(database, id), "old") == 0);
    CU_ASSERT(s->failures == 0 && s->wait_until == 0 && !s->closed && s->epoch == 1 &&
              s->link_epoch == 1);
    OK(esign_subscriber_get(database, id == 5 ? 6 : 5, &nobody, pool));
    CU_ASSERT_PTR_NULL(nobody);
    OK(esign_subscriber_epoch(database, id, &epoch, pool));
    CU_ASSERT_EQUAL(epoch, 1);
    OK(esign_subscriber_epoch(database, id == 5 ? 6 : 5, &epoch, pool));
    CU_ASSERT_EQUAL(epoch, -1);
}

static void test_no_word(void)
{
    esign_database_t *database = tables_new();
    esign_subscriber_t subscriber = person("10000000146");
    OK(esign_subscriber_add(database, &subscriber, NULL, pool));
    CU_ASSERT_PTR_NULL(get(database, subscriber.id)->word_hash);
    CU_ASSERT_STRING_EQUAL(hash_of(database, subscriber.id), "");
    const char *phc = "";
    OK(esign_subscriber_open_hash(database->keyring, NULL, &phc, pool));
    CU_ASSERT_PTR_NULL(phc);
}

static void test_nothing_in_clear(void)
{
    esign_database_t *database = tables_new();
    add(database, "10000000146");
    const char *row = tables_text(database, "SELECT lookup || ' ' || national_id || ' ' || name || "
                                            "' ' || email || ' ' || phone FROM subscriber");
    CU_ASSERT(strlen(row) > 100);
    static const char *const clear[] = { "10000000146", "Ayşe", "ayse", "example", "905551" };
    for (size_t i = 0; i < sizeof(clear) / sizeof(*clear); i++)
        CU_ASSERT_PTR_NULL(strstr(row, clear[i]));
}

static void test_moved_field(void)
{
    esign_database_t *database = tables_new();
    esign_subscriber_t *subscriber;
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    tables_run(database, apr_psprintf(pool,
                                      "UPDATE subscriber SET phone = (SELECT phone FROM subscriber "
                                      "WHERE id = %" APR_INT64_T_FMT ") "
                                      "WHERE id = %" APR_INT64_T_FMT,
                                      id, other));
    CU_ASSERT(esign_failed(esign_subscriber_get(database, other, &subscriber, pool)));
    CU_ASSERT(esign_failed(esign_subscriber_find(database, "10000000078", &subscriber, pool)));
    CU_ASSERT_PTR_NULL(subscriber);
    CU_ASSERT_EQUAL(get(database, id)->id, id);
}

static void test_add_twice(void)
{
    esign_database_t *database = tables_new(), *rotated = tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2);
    esign_subscriber_t again = person("10000000146"), later = again;
    apr_int64_t id = add(database, "10000000146");
    CU_ASSERT_EQUAL(esign_subscriber_add(database, &again, NULL, pool).status, APR_EEXIST);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM subscriber"), 1);

    /* A row under the old key, added in a transaction, as esignctl does it. */
    CU_ASSERT_EQUAL(found(rotated, "10000000146"), id);
    OK(esign_subscriber_begin(rotated, pool));
    CU_ASSERT_EQUAL(esign_subscriber_add(rotated, &later, NULL, pool).status, APR_EEXIST);
    CU_ASSERT(esign_failed(esign_database_end(
        rotated, esign_result_make(pool, APR_EGENERAL, "test", "rolled back"), pool)));
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM subscriber"), 1);

    apr_int64_t under_new_key = add(rotated, "10000000078");
    CU_ASSERT_EQUAL(found(rotated, "10000000078"), under_new_key);
    CU_ASSERT_EQUAL(esign_subscriber_add(rotated,
                                         &(esign_subscriber_t){ .national_id = "10000000078",
                                                                .name = "",
                                                                .email = "",
                                                                .phone = "",
                                                                .language = "tr" },
                                         NULL, pool)
                        .status,
                    APR_EEXIST);
}

static void test_failures(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    static const int waits[] = { 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600 };
    const int known = (int)(sizeof(waits) / sizeof(*waits));
    int closed;
    for (int failure = 1; failure <= 102; failure++) {
        apr_time_t now = NOON + failure * DAY;
        OK(esign_subscriber_failed(database, id, &policy, 1, now, &closed, pool));
        const esign_subscriber_t *s = get(database, id);
        int wait = failure <= known ? waits[failure - 1] : 3600;
        CU_ASSERT_EQUAL(s->failures, failure);
        CU_ASSERT_EQUAL(s->wait_until, wait ? now + wait * SECOND : 0);
        CU_ASSERT_EQUAL(s->closed, failure >= 100);
        CU_ASSERT_EQUAL(closed, failure == 100);
    }
    OK(esign_subscriber_failed(database, ESIGN_SUBSCRIBER_NONE, &policy, 1, NOON, &closed, pool));
    CU_ASSERT(!closed && get(database, other)->failures == 0 &&
              get(database, other)->wait_until == 0 && !get(database, other)->closed);
}

/* Guesses whose requests began before the wait are counted after it began. */
static void test_burst(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146");
    int closed;
    for (int i = 0; i < 120; i++) {
        OK(esign_subscriber_failed(database, id, &policy, 0, NOON, &closed, pool));
        CU_ASSERT_FALSE(closed);
    }
    CU_ASSERT(get(database, id)->failures == 5 &&
              get(database, id)->wait_until == NOON + 30 * SECOND);
    OK(esign_subscriber_failed(database, id, &policy, 0, NOON + 30 * SECOND, &closed, pool));
    OK(esign_subscriber_failed(database, id, &policy, 1, NOON + 31 * SECOND, &closed, pool));
    CU_ASSERT_EQUAL(get(database, id)->failures, 7);
}

static void test_signed_in(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    int closed;
    for (int i = 0; i < 6; i++)
        OK(esign_subscriber_failed(database, id, &policy, 1, NOON, &closed, pool));
    OK(esign_subscriber_signed_in(database, id, pool));
    const esign_subscriber_t *s = get(database, id);
    CU_ASSERT(s->failures == 0 && s->wait_until == 0 && s->epoch == 1 && s->link_epoch == 2);
    CU_ASSERT_EQUAL(get(database, other)->link_epoch, 1);
}

static void test_change_word(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    int closed, changed = -1;
    for (int i = 0; i < 6; i++)
        OK(esign_subscriber_failed(database, id, &policy, 1, NOON, &closed, pool));
    OK(esign_subscriber_change_word(database, id, -1, 2, HEAD "early", &changed, pool));
    CU_ASSERT_EQUAL(changed, 0);
    OK(esign_subscriber_change_word(database, id, -1, 1, HEAD "new", &changed, pool));
    CU_ASSERT_EQUAL(changed, 1);
    const esign_subscriber_t *s = get(database, id);
    CU_ASSERT(s->epoch == 2 && s->link_epoch == 2 && s->failures == 6 && s->wait_until == 0 &&
              strcmp(hash_of(database, id), "new") == 0);
    OK(esign_subscriber_change_word(database, id, -1, 1, HEAD "late", &changed, pool));
    CU_ASSERT_EQUAL(changed, 0);
    CU_ASSERT(get(database, id)->epoch == 2 && strcmp(hash_of(database, id), "new") == 0);
    OK(esign_subscriber_change_word(database, id, 1, -1, HEAD "of a session that ended", &changed,
                                    pool));
    CU_ASSERT_EQUAL(changed, 0);
    OK(esign_subscriber_change_word(database, id, 2, -1, HEAD "signed-in", &changed, pool));
    CU_ASSERT_EQUAL(changed, 1);
    s = get(database, id);
    CU_ASSERT(s->epoch == 3 && s->link_epoch == 3 &&
              strcmp(hash_of(database, id), "signed-in") == 0);
    CU_ASSERT(get(database, other)->epoch == 1 && strcmp(hash_of(database, other), "old") == 0);
}

static void test_rehash(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    const esign_subscriber_t *before = get(database, id);
    OK(esign_subscriber_rehash(database, before, HEAD "costly", pool));
    CU_ASSERT_STRING_EQUAL(hash_of(database, id), "costly");
    OK(esign_subscriber_rehash(database, before, HEAD "late", pool)); /* it saw another hash */
    CU_ASSERT_STRING_EQUAL(hash_of(database, id), "costly");
    CU_ASSERT(get(database, id)->epoch == 1 && get(database, id)->link_epoch == 1);
    CU_ASSERT_STRING_EQUAL(hash_of(database, other), "old");
}

static int opens(esign_database_t *database, apr_int64_t id)
{
    const char *phc = "";
    esign_result_t result =
        esign_subscriber_open_hash(database->keyring, get(database, id), &phc, pool);
    CU_ASSERT(!esign_failed(result) || (result.status == APR_EINVAL && phc == NULL));
    return !esign_failed(result);
}

static void test_hash_in_its_place(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    const char *row = apr_psprintf(pool, "WHERE id = %" APR_INT64_T_FMT, id);
    const char *stored =
        tables_text(database, apr_psprintf(pool, "SELECT word_hash FROM subscriber %s", row));
    CU_ASSERT(strncmp(stored, HEAD, strlen(HEAD)) == 0 && strstr(stored, "old") == NULL &&
              opens(database, id) && opens(database, other));
    const char *const forged[] = {
        "'" HEAD "old'", /* unsealed */
        apr_psprintf(pool, "(SELECT word_hash FROM subscriber WHERE id = %" APR_INT64_T_FMT ")",
                     other), /* of another row */
        apr_psprintf(pool, "replace('%s', 't=2', 't=1')", stored),
        apr_psprintf(pool, "replace('%s', 'm=19', 'm=9')", stored),
        apr_psprintf(pool, "replace('%s', 'MTIz', 'MTIx')", stored),
        "''",
        "'$'",
        apr_psprintf(pool, "'%s'", strrchr(stored, '$') + 1),
    };
    for (size_t i = 0; i < sizeof(forged) / sizeof(*forged); i++) {
        tables_run(database,
                   apr_psprintf(pool, "UPDATE subscriber SET word_hash = %s %s", forged[i], row));
        CU_ASSERT(!opens(database, id));
    }
    tables_run(database,
               apr_psprintf(pool, "UPDATE subscriber SET word_hash = '%s' %s", stored, row));
    CU_ASSERT(opens(database, id));
}

/* A rotation moves the row to another key while it is searched. */
typedef struct {
    esign_database_t *database;
    apr_pool_t *pool;
    apr_interval_time_t delay;
    atomic_int moved;
} move_t;

static void *move_row(void *data)
{
    move_t *move = data;
    esign_reseal_t run = { .write = 1, .pool = move->pool };
    apr_sleep(move->delay);
    move->moved = !esign_failed(esign_subscriber_reseal(move->database, &run, move->pool)) &&
                          run.resealed == 1
                      ? 1
                      : -1;
    return NULL;
}

static void test_find_while_it_moves(void)
{
    for (int round = 0; round < 40; round++) {
        esign_database_t *database = tables_new(),
                         *rotated = tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2);
        apr_int64_t id = add(database, "10000000146");
        pthread_t thread;
        move_t move = { .database = tables_again(SCRATCH_KEY_1 SCRATCH_KEY_2),
                        .delay = round * 50 };
        apr_pool_create(&move.pool, NULL);
        CU_ASSERT_FATAL(pthread_create(&thread, NULL, move_row, &move) == 0);
        while (!move.moved)
            CU_ASSERT_EQUAL(found(rotated, "10000000146"), id);
        pthread_join(thread, NULL);
        CU_ASSERT_EQUAL(move.moved, 1);
        CU_ASSERT_EQUAL(found(rotated, "10000000146"), id);
        apr_pool_destroy(move.pool);
    }
}

/* 0 when granted, else the earliest moment. */
static apr_time_t claim(esign_database_t *database, apr_int64_t id, apr_time_t now)
{
    int granted = -1;
    apr_time_t next = -1;
    OK(esign_subscriber_claim_sms(database, id, now, 60 * SECOND, 3, &granted, &next, pool));
    CU_ASSERT(granted == 0 || granted == 1);
    return granted ? 0 : next;
}

static void test_claim_sms(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    const apr_time_t midnight = NOON + 12 * HOUR;
    CU_ASSERT_EQUAL(claim(database, id, NOON), 0);
    CU_ASSERT_EQUAL(claim(database, id, NOON), NOON + 60 * SECOND);
    CU_ASSERT_EQUAL(claim(database, id, NOON + 60 * SECOND - 1), NOON + 60 * SECOND);
    CU_ASSERT_EQUAL(claim(database, other, NOON), 0);
    CU_ASSERT_EQUAL(claim(database, id, NOON + 60 * SECOND), 0);
    CU_ASSERT_EQUAL(claim(database, id, midnight - 10 * SECOND), 0);

    /* The third of the day: the next day begins before the pause has passed. */
    CU_ASSERT_EQUAL(claim(database, id, midnight - 5 * SECOND), midnight + 50 * SECOND);
    CU_ASSERT_EQUAL(claim(database, id, midnight), midnight + 50 * SECOND);
    CU_ASSERT_EQUAL(claim(database, id, midnight + 50 * SECOND), 0);
    CU_ASSERT_EQUAL(claim(database, id, midnight + HOUR), 0);
    CU_ASSERT_EQUAL(claim(database, id, midnight + 2 * HOUR), 0);
    CU_ASSERT_EQUAL(claim(database, id, midnight + 3 * HOUR), midnight + DAY);
    CU_ASSERT_EQUAL(claim(database, id, midnight + DAY - 1), midnight + DAY);
    CU_ASSERT_EQUAL(claim(database, id, midnight + DAY), 0);
}

/* Beyond the day's number one mail is still granted after the pause. So nobody can keep a
 * subscriber from a link by requesting many. */
static void test_claim_mail(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    apr_interval_time_t pause = 900 * SECOND;
    const struct {
        apr_int64_t id;
        apr_time_t now;
        int granted;
    } claims[] = {
        { id, NOON, 1 },
        { id, NOON + 1, 1 },
        { id, NOON + 2, 0 },
        { other, NOON + 2, 1 },
        { id, NOON + 1 + pause - 1, 0 },
        { id, NOON + 1 + pause, 1 },
        { id, NOON + 2 * pause, 0 },
        { id, NOON + 1 + 2 * pause, 1 },
        { id, NOON + DAY, 1 },
        { id, NOON + DAY + 1, 1 },
        { id, NOON + DAY + 2, 0 },
    };
    for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
        int granted = -1;
        OK(esign_subscriber_claim_mail(database, claims[i].id, claims[i].now, pause, 2, &granted,
                                       pool));
        CU_ASSERT_EQUAL(granted, claims[i].granted);
    }
}

static void test_end_sessions(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    esign_subscriber_t *first = apr_pmemdup(pool, get(database, id), sizeof(*first)),
                       *second = apr_pmemdup(pool, first, sizeof(*second));
    const esign_subscriber_t *bystander = get(database, other);
    apr_int64_t epoch = first->epoch, link_epoch = first->link_epoch;
    int ended = -1;
    OK(esign_subscriber_end_sessions(database, first, &ended, pool));
    CU_ASSERT(ended == 1 && first->epoch == epoch + 1 && first->link_epoch == link_epoch + 1);
    CU_ASSERT(get(database, id)->epoch == first->epoch &&
              get(database, id)->link_epoch == first->link_epoch);
    OK(esign_subscriber_end_sessions(database, second, &ended, pool));
    CU_ASSERT(ended == 0 && second->epoch == epoch && get(database, id)->epoch == first->epoch);
    CU_ASSERT(get(database, other)->epoch == bystander->epoch &&
              get(database, other)->link_epoch == bystander->link_epoch);
    OK(esign_subscriber_end_sessions(database, first, &ended, pool));
    CU_ASSERT(ended == 1 && get(database, id)->epoch == epoch + 2);
}

static void test_close(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    int found_rows = -1;
    OK(esign_subscriber_close(database, id, &found_rows, pool));
    CU_ASSERT_EQUAL(found_rows, 1);
    CU_ASSERT(get(database, id)->closed && get(database, id)->epoch == 2 &&
              get(database, id)->link_epoch == 2);
    CU_ASSERT(!get(database, other)->closed && get(database, other)->epoch == 1);
    OK(esign_subscriber_open(database, id, &found_rows, pool));
    CU_ASSERT(!get(database, id)->closed && get(database, id)->epoch == 2);
    OK(esign_subscriber_close(database, ESIGN_SUBSCRIBER_NONE, &found_rows, pool));
    CU_ASSERT_EQUAL(found_rows, 0);
}

static void test_open(void)
{
    esign_database_t *database = tables_new();
    apr_int64_t id = add(database, "10000000146"), other = add(database, "10000000078");
    int closed, found_rows = -1;
    for (int i = 0; i < 100; i++) {
        OK(esign_subscriber_failed(database, id, &policy, 1, NOON, &closed, pool));
        OK(esign_subscriber_failed(database, other, &policy, 1, NOON, &closed, pool));
    }
    OK(esign_subscriber_open(database, id, &found_rows, pool));
    CU_ASSERT_EQUAL(found_rows, 1);
    CU_ASSERT(!get(database, id)->closed && get(database, id)->failures == 0 &&
              get(database, id)->wait_until == 0);
    CU_ASSERT(get(database, other)->closed);
    OK(esign_subscriber_open(database, ESIGN_SUBSCRIBER_NONE, &found_rows, pool));
    CU_ASSERT_EQUAL(found_rows, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a number that nobody has gets another's hash", test_stand_in },
        { "subscribers are found by number and by id", test_find_and_get },
        { "a subscriber may have no word yet", test_no_word },
        { "a row tells nothing", test_nothing_in_clear },
        { "a field of another row does not open", test_moved_field },
        { "a number is registered once, under whichever key", test_add_twice },
        { "waits grow from the fifth failure, the hundredth closes", test_failures },
        { "a burst counts up to the wait that it begins", test_burst },
        { "a sign-in clears failures and ends links", test_signed_in },
        { "a word changes once for a link, and ends sessions and links", test_change_word },
        { "a rehash replaces only the hash it saw", test_rehash },
        { "a hash opens in its row, with its parameters, alone", test_hash_in_its_place },
        { "a subscriber is found while the row moves to another key", test_find_while_it_moves },
        { "text messages keep their pause and their number a day", test_claim_sms },
        { "reset mails are so many a day, and spaced beyond them", test_claim_mail },
        { "all sessions and links end, for one of two who ask at once", test_end_sessions },
        { "the help desk closes an account, and what is open of it", test_close },
        { "the help desk opens an account", test_open },
        CU_TEST_INFO_NULL
    };
    return tables_suite("subscriber", tests);
}
