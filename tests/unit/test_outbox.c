/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox.c: messages wait, are leased to one courier at a time, and leave or are given up. */
#include "race.h"
#include "store/outbox.h"
#include "tables.h"

#define SECOND APR_USEC_PER_SEC
#define NOW (1000000 * SECOND)
#define LEASE (60 * SECOND)

static void add(esign_database_t *database, esign_outbox_kind_e kind, const char *mark,
                apr_time_t created)
{
    apr_table_t *values = apr_table_make(pool, 2);
    apr_table_setn(values, "mark", mark);
    apr_table_setn(values, "code", "739 & 154");
    OK(esign_outbox_add(database, kind, values, created, created + 600 * SECOND, pool));
}

static const apr_array_header_t *lease(esign_database_t *database, const char *owner,
                                       esign_outbox_kind_e kind, int max, apr_time_t now)
{
    const apr_array_header_t *messages = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_lease(database, owner, kind, max, now, LEASE,
                                                     &messages, pool)) &&
                    messages != NULL);
    return messages;
}

static const esign_outbox_message_t *nth(const apr_array_header_t *messages, int index)
{
    CU_ASSERT_FATAL(index < messages->nelts);
    return &APR_ARRAY_IDX(messages, index, esign_outbox_message_t);
}

/* The marks of the messages, one letter each. */
static const char *marks(const apr_array_header_t *messages)
{
    const char *text = "";
    for (int i = 0; i < messages->nelts; i++)
        text = apr_pstrcat(pool, text, apr_table_get(nth(messages, i)->values, "mark"), NULL);
    return text;
}

static const apr_array_header_t *list(esign_database_t *database)
{
    const apr_array_header_t *messages = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_list(database, 1000, &messages, pool)));
    return messages;
}

static void test_add_and_lease(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    CU_ASSERT_PTR_NULL(strstr(tables_text(database, "SELECT body FROM outbox"), "154"));
    CU_ASSERT_EQUAL(lease(database, "one", ESIGN_OUTBOX_NOTICE, 10, NOW - 1)->nelts,
                    0); /* not due */
    const apr_array_header_t *messages = lease(database, "one", ESIGN_OUTBOX_NOTICE, 10, NOW);
    const esign_outbox_message_t *m = nth(messages, 0);
    CU_ASSERT_EQUAL(messages->nelts, 1);
    CU_ASSERT(m->kind == ESIGN_OUTBOX_NOTICE && m->created == NOW && m->due == NOW &&
              m->expires == NOW + 600 * SECOND && m->attempts == 1 && !m->error);
    CU_ASSERT_STRING_EQUAL(apr_table_get(m->values, "code"), "739 & 154");
    OK(esign_outbox_done(database, "one", m->id, pool));
    CU_ASSERT_EQUAL(list(database)->nelts, 0);
}

static void test_order(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_CODE, "d", NOW - 6);
    add(database, ESIGN_OUTBOX_CODE, "b", NOW - 8);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW - 7);
    add(database, ESIGN_OUTBOX_CODE, "a", NOW - 9);
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW)), "abc");
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW)), "d");
}

static void test_kinds(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    add(database, ESIGN_OUTBOX_RESET_REQUEST, "r", NOW);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW);
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW)), "c");
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_RESET_REQUEST, 9, NOW)), "r");
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW)), "n");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_RESET_REQUEST), "reset-request");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_CODE), "code");
    CU_ASSERT_STRING_EQUAL(esign_outbox_kind_name(ESIGN_OUTBOX_NOTICE), "notice");
}

/* As a number, a digit for each kind that has something due. */
static int due(esign_database_t *database, apr_time_t now)
{
    int kinds[ESIGN_OUTBOX_KINDS] = { 9, 9, 9 };
    OK(esign_outbox_due(database, now, kinds, pool));
    return 100 * kinds[ESIGN_OUTBOX_RESET_REQUEST] + 10 * kinds[ESIGN_OUTBOX_CODE] +
           kinds[ESIGN_OUTBOX_NOTICE];
}

static void test_due(void)
{
    esign_database_t *database = tables_new();
    CU_ASSERT_EQUAL(due(database, NOW), 0);
    add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    add(database, ESIGN_OUTBOX_NOTICE, "n", NOW);
    CU_ASSERT_EQUAL(due(database, NOW - 1), 0);
    CU_ASSERT_EQUAL(due(database, NOW), 1);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW + 1);
    CU_ASSERT_EQUAL(due(database, NOW), 1);
    CU_ASSERT_EQUAL(due(database, NOW + 1), 11);
    add(database, ESIGN_OUTBOX_RESET_REQUEST, "r", NOW);
    CU_ASSERT_EQUAL(due(database, NOW + 1), 111);
    OK(esign_outbox_done(database, "one",
                         nth(lease(database, "one", ESIGN_OUTBOX_CODE, 1, NOW + 1), 0)->id, pool));
    CU_ASSERT_EQUAL(due(database, NOW + 1), 101);
    tables_run(database, "UPDATE outbox SET dead = 1");
    CU_ASSERT_EQUAL(due(database, NOW + 1), 0);
}

/* Of twenty leases the fastest, which nothing else held up. */
static apr_interval_time_t time_of_lease(esign_database_t *database, const char *owner)
{
    apr_interval_time_t fastest = APR_INT64_MAX;
    for (int i = 0; i < 20; i++) {
        apr_time_t began = apr_time_now();
        CU_ASSERT_EQUAL(lease(database, owner, ESIGN_OUTBOX_CODE, 1, NOW)->nelts, 1);
        apr_interval_time_t took = apr_time_now() - began;
        fastest = took < fastest ? took : fastest;
    }
    return fastest;
}

/* Who fills the outbox holds nobody else's code up. */
static void test_many_wait(void)
{
    esign_database_t *database = tables_new();
    for (int i = 0; i < 40; i++)
        add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_interval_time_t alone = time_of_lease(database, "one");
    tables_run(database, "WITH RECURSIVE many(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM many "
                         "WHERE id < 20000) INSERT INTO outbox "
                         "SELECT id, 2 * (id % 2), '', id, id, 9000000000000000000, 0, '', 0, id % "
                         "4 / 3, 0, -1, NULL FROM many");
    apr_interval_time_t among = time_of_lease(database, "two");
    if (among > 10 * alone)
        CU_FAIL("a lease takes the longer the more wait");
}

static void test_lease_runs_out(void)
{
    esign_database_t *first = tables_new(), *second = tables_again(SCRATCH_KEY_1);
    add(first, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = nth(lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW), 0)->id;
    CU_ASSERT_EQUAL(lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW)->nelts, 0);
    CU_ASSERT_EQUAL(lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW)->nelts, 0);
    CU_ASSERT_EQUAL(lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW + LEASE - 1)->nelts, 0);
    const esign_outbox_message_t *m =
        nth(lease(second, "two", ESIGN_OUTBOX_CODE, 9, NOW + LEASE + SECOND), 0);
    CU_ASSERT(m->id == id && m->attempts == 2);

    /* The first courier comes too late: nothing of what it says counts. */
    OK(esign_outbox_done(first, "one", id, pool));
    OK(esign_outbox_retry(first, "one", id, NOW, "late", pool));
    OK(esign_outbox_bury(first, "one", id, "late", pool));
    CU_ASSERT_EQUAL(list(first)->nelts, 1);
    CU_ASSERT_EQUAL(lease(first, "one", ESIGN_OUTBOX_CODE, 9, NOW + LEASE + SECOND)->nelts, 0);
    CU_ASSERT_EQUAL(tables_number(first, "SELECT count(*) FROM outbox WHERE owner = 'two' AND dead "
                                         "= 0 AND error IS NULL AND body <> ''"),
                    1);
    OK(esign_outbox_done(second, "two", id, pool));
    CU_ASSERT_EQUAL(list(first)->nelts, 0);
}

/* How many the owner holds until `until`. */
static int renew(esign_database_t *database, const char *owner, apr_time_t until)
{
    const apr_array_header_t *ids = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_renew(database, owner, until, &ids, pool)) &&
                    ids != NULL);
    for (int i = 0; i < ids->nelts; i++)
        CU_ASSERT_EQUAL(
            tables_number(
                database,
                apr_psprintf(pool, "SELECT lease_until FROM outbox WHERE id = %" APR_INT64_T_FMT,
                             APR_ARRAY_IDX(ids, i, apr_int64_t))),
            until);
    return ids->nelts;
}

static void test_renewed(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    add(database, ESIGN_OUTBOX_NOTICE, "b", NOW + 1);
    lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + 1);
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 2 * LEASE), 0);
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 2 * LEASE), 2);
    CU_ASSERT_EQUAL(lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + 2 * LEASE - 1)->nelts, 0);
    /* Late, but nobody has come; its own courier, which has them in hand, does not take them twice.
     */
    CU_ASSERT_EQUAL(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + 3 * LEASE)->nelts, 0);
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 4 * LEASE), 2);
    /* Too late for one of them. */
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "two", ESIGN_OUTBOX_NOTICE, 1, NOW + 4 * LEASE)),
                           "a");
    CU_ASSERT_EQUAL(renew(database, "one", NOW + 6 * LEASE), 1);
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 6 * LEASE), 1);
    /* What was given back is nobody's. */
    OK(esign_outbox_retry(database, "two", nth(list(database), 0)->id, NOW, "no answer", pool));
    CU_ASSERT_EQUAL(renew(database, "two", NOW + 6 * LEASE), 0);
}

static void test_retry_and_bury(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = nth(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW), 0)->id;
    OK(esign_outbox_retry(database, "one", id, NOW + 5 * SECOND, "no answer", pool));
    CU_ASSERT_EQUAL(lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 5 * SECOND - 1)->nelts, 0);
    const esign_outbox_message_t *m =
        nth(lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 5 * SECOND), 0);
    CU_ASSERT(m->attempts == 2 && m->due == NOW + 5 * SECOND && strcmp(m->error, "no answer") == 0);
    OK(esign_outbox_bury(database, "two", id, "refused", pool));
    CU_ASSERT_EQUAL(lease(database, "two", ESIGN_OUTBOX_CODE, 9, NOW + 9999 * SECOND)->nelts, 0);
    m = nth(list(database), 0);
    CU_ASSERT(m->id == id && m->attempts == 2 && strcmp(m->state, "dead") == 0 &&
              strcmp(m->error, "refused") == 0 && m->values == NULL);
    CU_ASSERT_STRING_EQUAL(tables_text(database, "SELECT body FROM outbox"), "");
}

static void test_expire(void)
{
    esign_database_t *database = tables_new();
    int counts[ESIGN_OUTBOX_KINDS] = { -1, -1, -1 }, unreported = -1;
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    add(database, ESIGN_OUTBOX_CODE, "b", NOW + SECOND);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW + 2 * SECOND);
    apr_int64_t leased =
        nth(lease(database, "one", ESIGN_OUTBOX_CODE, 1, NOW + 599 * SECOND), 0)->id;
    OK(esign_outbox_expire(database, NOW + 601 * SECOND, counts, &unreported, pool));
    CU_ASSERT(counts[ESIGN_OUTBOX_CODE] == 1 &&
              counts[ESIGN_OUTBOX_NOTICE] == 0); /* b: a is on its way, c has a second left */
    CU_ASSERT_EQUAL(
        tables_number(
            database,
            "SELECT count(*) FROM outbox WHERE dead = 1 AND body = '' AND error = 'expired'"),
        1);
    OK(esign_outbox_expire(database, NOW + 601 * SECOND, counts, &unreported, pool));
    CU_ASSERT_EQUAL(counts[ESIGN_OUTBOX_CODE], 0);
    OK(esign_outbox_expire(database, NOW + 999 * SECOND, counts, &unreported, pool));
    CU_ASSERT_EQUAL(counts[ESIGN_OUTBOX_CODE], 2);
    CU_ASSERT_EQUAL(unreported, 0);
    OK(esign_outbox_done(database, "one", leased, pool)); /* expired: it stays for the operator */
    CU_ASSERT_EQUAL(list(database)->nelts, 3);
    add(database, ESIGN_OUTBOX_CODE, "d", NOW + 1000 * SECOND);
    CU_ASSERT_EQUAL(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 1600 * SECOND)->nelts,
                    0); /* expired, though nobody has said so yet */
}

static const esign_outbox_message_t *lease_one(esign_database_t *database, apr_time_t now)
{
    const apr_array_header_t *messages = lease(database, "one", ESIGN_OUTBOX_CODE, 9, now);
    CU_ASSERT_EQUAL(messages->nelts, 1);
    return nth(messages, 0);
}

static void test_gateways_in_turn(void)
{
    esign_database_t *database = tables_new();
    int counted, expired[ESIGN_OUTBOX_KINDS], unreported;
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    const esign_outbox_message_t *m = lease_one(database, NOW);
    CU_ASSERT(m->gateways == 0 && m->awaited == -1);
    /* The first refuses, the second takes it. */
    OK(esign_outbox_hand_on(database, "one", m->id, 0, 0, NOW, NOW, "refused", pool));
    m = lease_one(database, NOW);
    CU_ASSERT(m->gateways == 1 && m->awaited == -1 && strcmp(m->error, "refused") == 0);
    OK(esign_outbox_hand_on(database, "other", m->id, 1, 1, NOW, NOW, NULL,
                            pool)); /* not its own */
    OK(esign_outbox_hand_on(database, "one", m->id, 1, 1, NOW, NOW + 30 * SECOND, NULL, pool));
    CU_ASSERT(strcmp(nth(list(database), 0)->state, "sent") == 0 &&
              nth(list(database), 0)->awaited == 1);
    CU_ASSERT_EQUAL(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 29 * SECOND)->nelts, 0);
    /* Reports of others change nothing but who is done; the awaited one's makes it due. */
    OK(esign_outbox_undelivered(database, m->id, 3, NOW, "lost", &counted, pool));
    CU_ASSERT(counted == 1 &&
              lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 29 * SECOND)->nelts == 0);
    OK(esign_outbox_undelivered(database, m->id, 1, NOW + SECOND, "lost", &counted, pool));
    m = lease_one(database, NOW + SECOND);
    CU_ASSERT(m->gateways == 11 && m->awaited == -1 && m->attempts == 3 &&
              strcmp(m->error, "lost") == 0);
    /* The third one's report overtakes its answer. */
    OK(esign_outbox_undelivered(database, m->id, 2, NOW + 2 * SECOND, "lost", &counted, pool));
    OK(esign_outbox_hand_on(database, "one", m->id, 2, 1, NOW + 2 * SECOND, NOW + 30 * SECOND, NULL,
                            pool));
    m = lease_one(database, NOW + 2 * SECOND);
    CU_ASSERT(m->gateways == 15 && m->awaited == -1);
    /* Sent, and never reported: nothing for the operator to mend. */
    OK(esign_outbox_hand_on(database, "one", m->id, 4, 1, NOW, m->expires, NULL, pool));
    OK(esign_outbox_expire(database, m->expires, expired, &unreported, pool));
    CU_ASSERT(expired[ESIGN_OUTBOX_CODE] == 0 && unreported == 1 && list(database)->nelts == 0);
}

static void test_delivered(void)
{
    esign_database_t *database = tables_new();
    int counted;
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    add(database, ESIGN_OUTBOX_NOTICE, "b", NOW);
    const apr_array_header_t *messages = lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW);
    apr_int64_t notice = nth(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    /* While the answer is on its way; but never another kind of message, nor one that is dead. */
    OK(esign_outbox_delivered(database, notice, &counted, pool));
    CU_ASSERT_EQUAL(counted, 0);
    OK(esign_outbox_undelivered(database, notice, 0, NOW, "lost", &counted, pool));
    CU_ASSERT_EQUAL(counted, 0);
    OK(esign_outbox_delivered(database, nth(messages, 0)->id, &counted, pool));
    CU_ASSERT_EQUAL(counted, 1);
    OK(esign_outbox_hand_on(database, "one", nth(messages, 0)->id, 0, 1, NOW, NOW, NULL, pool));
    CU_ASSERT_EQUAL(list(database)->nelts, 1);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW);
    const esign_outbox_message_t *dead = lease_one(database, NOW);
    OK(esign_outbox_bury(database, "one", dead->id, "refused", pool));
    OK(esign_outbox_delivered(database, dead->id, &counted, pool));
    CU_ASSERT(counted == 0 && list(database)->nelts == 2);
}

static const esign_outbox_message_t *get(esign_database_t *database, apr_int64_t id)
{
    const esign_outbox_message_t *message = NULL;
    OK(esign_outbox_get(database, id, &message, pool));
    return message;
}

static int revive(esign_database_t *database, apr_int64_t id, apr_time_t now)
{
    int done = -1;
    OK(esign_outbox_revive(database, id, now, &done, pool));
    return done;
}

static int drop(esign_database_t *database, apr_int64_t id, apr_time_t now)
{
    int done = -1;
    OK(esign_outbox_drop(database, id, now, &done, pool));
    return done;
}

static void test_release(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    apr_int64_t id = nth(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    OK(esign_outbox_release(database, "two", id, NOW, "not yours", pool));
    CU_ASSERT_EQUAL(lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW)->nelts, 0);
    OK(esign_outbox_release(database, "one", id, NOW + SECOND, "given back", pool));
    CU_ASSERT_EQUAL(lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW)->nelts, 0);
    const esign_outbox_message_t *m =
        nth(lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0);
    CU_ASSERT(m->attempts == 1 && strcmp(m->error, "given back") == 0);
    OK(esign_outbox_retry(database, "two", id, NOW + SECOND, "no answer", pool));
    lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND);
    OK(esign_outbox_release(database, "one", id, NOW + SECOND, "given back", pool));
    m = nth(lease(database, "two", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0);
    CU_ASSERT(m->attempts == 2 && strcmp(m->error, "no answer") == 0);
}

static void test_dead_letter(void)
{
    esign_database_t *database = tables_new();
    int expired[ESIGN_OUTBOX_KINDS], unreported;
    add(database, ESIGN_OUTBOX_RESET_REQUEST, "a", NOW);
    add(database, ESIGN_OUTBOX_CODE, "b", NOW + 1);
    apr_int64_t letter = nth(lease(database, "one", ESIGN_OUTBOX_RESET_REQUEST, 9, NOW), 0)->id;
    apr_int64_t code = nth(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 1), 0)->id;
    CU_ASSERT_EQUAL(revive(database, letter, NOW), 0); /* leased */
    CU_ASSERT_EQUAL(drop(database, letter, NOW), 0);
    OK(esign_outbox_bury(database, "one", letter, "refused", pool));
    OK(esign_outbox_bury(database, "one", code, "refused", pool));
    CU_ASSERT(get(database, letter)->kept && !get(database, code)->kept);
    CU_ASSERT_EQUAL(revive(database, code, NOW), 0);
    CU_ASSERT_EQUAL(revive(database, letter, NOW + 600 * SECOND), 0); /* expired */
    CU_ASSERT_EQUAL(revive(database, letter, NOW + 9 * SECOND), 1);
    CU_ASSERT_STRING_EQUAL(
        marks(lease(database, "two", ESIGN_OUTBOX_RESET_REQUEST, 9, NOW + 9 * SECOND)), "a");
    OK(esign_outbox_bury(database, "two", letter, "refused again", pool));
    OK(esign_outbox_expire(database, NOW + 599 * SECOND, expired, &unreported, pool));
    CU_ASSERT(get(database, letter)->kept);
    OK(esign_outbox_expire(database, NOW + 600 * SECOND, expired, &unreported, pool));
    const esign_outbox_message_t *m = get(database, letter);
    CU_ASSERT(!m->kept && strcmp(m->state, "dead") == 0 && strcmp(m->error, "refused again") == 0 &&
              m->attempts == 2);
    CU_ASSERT_EQUAL(drop(database, letter, NOW), 1);
    CU_ASSERT_EQUAL(drop(database, letter, NOW), 0);
    CU_ASSERT_PTR_NULL(get(database, letter));
}

static void test_purge(void)
{
    esign_database_t *database = tables_new();
    int count = -1, expired[ESIGN_OUTBOX_KINDS], unreported;
    for (int i = 0; i < 5; i++)
        add(database, ESIGN_OUTBOX_CODE, "a", NOW + i * SECOND);
    add(database, ESIGN_OUTBOX_NOTICE, "b", NOW);
    OK(esign_outbox_bury(database, "one",
                         nth(lease(database, "one", ESIGN_OUTBOX_NOTICE, 1, NOW), 0)->id, "refused",
                         pool));
    add(database, ESIGN_OUTBOX_NOTICE, "c", NOW);
    OK(esign_outbox_purge(database, NOW - 1, 9, &count, pool));
    CU_ASSERT_EQUAL(count, 0);
    OK(esign_outbox_purge(database, NOW, 9, &count, pool));
    CU_ASSERT_EQUAL(count, 1); /* b; what waits stays, however old it is */
    OK(esign_outbox_expire(database, NOW + 999 * SECOND, expired, &unreported, pool));
    OK(esign_outbox_purge(database, NOW + 3 * SECOND, 3, &count, pool));
    CU_ASSERT_EQUAL(count, 4); /* three codes, the oldest, and c */
    OK(esign_outbox_purge(database, NOW + 3 * SECOND, 3, &count, pool));
    CU_ASSERT(count == 1 && list(database)->nelts == 1 &&
              nth(list(database), 0)->created == NOW + 4 * SECOND);
}

static void test_operator_hurries(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_NOTICE, "a", NOW);
    apr_int64_t id = nth(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW), 0)->id;
    OK(esign_outbox_retry(database, "one", id, NOW + 500 * SECOND, "no answer", pool));
    CU_ASSERT_EQUAL(revive(database, id, NOW + SECOND), 1);
    CU_ASSERT_EQUAL(nth(lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, NOW + SECOND), 0)->attempts,
                    2);
    /* What was sent is not: a gateway has it. */
    add(database, ESIGN_OUTBOX_CODE, "b", NOW);
    id = nth(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + SECOND), 0)->id;
    OK(esign_outbox_hand_on(database, "one", id, 0, 1, NOW, NOW + 30 * SECOND, NULL, pool));
    CU_ASSERT_STRING_EQUAL(get(database, id)->state, "sent");
    CU_ASSERT_EQUAL(revive(database, id, NOW + SECOND), 0);
}

static void test_open(void)
{
    esign_database_t *database = tables_new();
    const apr_table_t *values;
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    apr_int64_t id = tables_number(database, "SELECT id FROM outbox");
    OK(esign_outbox_open(database, id, &values, pool));
    CU_ASSERT_FATAL(values != NULL);
    CU_ASSERT_STRING_EQUAL(apr_table_get(values, "mark"), "a");
    tables_run(database, "UPDATE outbox SET body = ''");
    OK(esign_outbox_open(database, id, &values, pool));
    CU_ASSERT_PTR_NULL(values);
    OK(esign_outbox_open(database, id + 1, &values, pool));
    CU_ASSERT_PTR_NULL(values);
}

static void test_tampered(void)
{
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    add(database, ESIGN_OUTBOX_CODE, "b", NOW + 1);
    add(database, ESIGN_OUTBOX_CODE, "c", NOW + 2);
    /* b gets the body of a: one subscriber's code cannot be sent to another. */
    tables_run(
        database,
        apr_psprintf(
            pool,
            "UPDATE outbox SET body = (SELECT body FROM outbox WHERE created = %" APR_INT64_T_FMT
            ") "
            "WHERE created = %" APR_INT64_T_FMT,
            NOW, NOW + 1));
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW + 2)), "ac");
    CU_ASSERT_EQUAL(tables_number(database, "SELECT created FROM outbox WHERE dead = 1 AND body = "
                                            "'' AND error = 'cannot be unsealed'"),
                    NOW + 1);
    CU_ASSERT_EQUAL(tables_number(database, "SELECT count(*) FROM outbox WHERE dead = 1"), 1);
}

/* A row that was sent, kept by somebody and put back: it is not sent for longer than it would have
 * been, nor as something else. */
static void test_put_back(void)
{
    static const char *const changes[] = { "expires = expires + 1", "kind = 2", "kind = 0",
                                           "kind = 64" };
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        esign_database_t *database = tables_new();
        add(database, ESIGN_OUTBOX_CODE, "a", NOW);
        tables_run(database,
                   apr_pstrcat(pool, "UPDATE outbox SET dead = 0, due = 0, lease_until = 0, ",
                               changes[i], NULL));
        for (int kind = 0; kind < ESIGN_OUTBOX_KINDS; kind++)
            CU_ASSERT_EQUAL(lease(database, "one", (esign_outbox_kind_e)kind, 9, NOW)->nelts, 0);
    }
    esign_database_t *database = tables_new();
    add(database, ESIGN_OUTBOX_CODE, "a", NOW);
    tables_run(database, "UPDATE outbox SET expires = expires - 1");
    CU_ASSERT_STRING_EQUAL(marks(lease(database, "one", ESIGN_OUTBOX_CODE, 9, NOW)), "a");
}

static void test_list(void)
{
    esign_database_t *database = tables_new();
    apr_time_t now = apr_time_now();
    add(database, ESIGN_OUTBOX_NOTICE, "b", now - 1 * SECOND);
    add(database, ESIGN_OUTBOX_RESET_REQUEST, "a", now - 2 * SECOND);
    lease(database, "one", ESIGN_OUTBOX_NOTICE, 9, now);
    const apr_array_header_t *messages = list(database);
    CU_ASSERT_EQUAL(messages->nelts, 2);
    CU_ASSERT(nth(messages, 0)->kind == ESIGN_OUTBOX_RESET_REQUEST &&
              strcmp(nth(messages, 0)->state, "waiting") == 0);
    CU_ASSERT(nth(messages, 1)->kind == ESIGN_OUTBOX_NOTICE &&
              strcmp(nth(messages, 1)->state, "leased") == 0);
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
        add(database, ESIGN_OUTBOX_CODE, "a", NOW + i);
    add(database, ESIGN_OUTBOX_NOTICE, "b", NOW + 9);
    /* The oldest was taken by a gateway that reports, the next is given up, the third on its way.
     */
    const apr_array_header_t *leased = lease(database, "one", ESIGN_OUTBOX_CODE, 3, NOW + 9);
    OK(esign_outbox_hand_on(database, "one", nth(leased, 0)->id, 0, 1, NOW, NOW, NULL, pool));
    OK(esign_outbox_bury(database, "one", nth(leased, 1)->id, "refused", pool));
    OK(esign_outbox_depths(database, depths, pool));
    const esign_outbox_depth_t *code = &depths[ESIGN_OUTBOX_CODE],
                               *notice = &depths[ESIGN_OUTBOX_NOTICE];
    CU_ASSERT(code->waiting == 2 && code->sent == 1 && code->dead == 1 && code->oldest == NOW + 2);
    CU_ASSERT(notice->waiting == 1 && notice->sent == 0 && notice->dead == 0 &&
              notice->oldest == NOW + 9);
    CU_ASSERT_EQUAL(depths[ESIGN_OUTBOX_RESET_REQUEST].waiting, 0);
    OK(esign_outbox_list(database, 2, &messages, pool));
    CU_ASSERT(messages->nelts == 2 && nth(messages, 1)->created == NOW + 1);
    /* What somebody else wrote is none of these kinds. */
    tables_run(database, "UPDATE outbox SET kind = 7 WHERE kind = 2");
    OK(esign_outbox_depths(database, depths, pool));
    CU_ASSERT_EQUAL(depths[ESIGN_OUTBOX_NOTICE].waiting, 0);
}

/* One courier of several: how many messages it got until none was left. */
static int work(void *baton, apr_pool_t *p)
{
    esign_database_t *database = NULL;
    static _Atomic int couriers;
    const char *owner = apr_psprintf(p, "courier %d", couriers++);
    const char *const *at = baton;
    int taken = 0;
    const apr_array_header_t *messages;
    if (esign_failed(esign_database_open(&database, "sqlite3", at[0],
                                         (const esign_keyring_t *)(const void *)at[1], 1, p)))
        return -1;
    do {
        if (esign_failed(esign_outbox_lease(database, owner, ESIGN_OUTBOX_CODE, 3, NOW, LEASE,
                                            &messages, p)))
            return -1;
        for (int i = 0; i < messages->nelts; i++, taken++)
            if (esign_failed(esign_outbox_done(
                    database, owner, APR_ARRAY_IDX(messages, i, esign_outbox_message_t).id, p)))
                return -1;
    } while (messages->nelts > 0);
    return taken;
}

static _Atomic int taken_by_all;

static int work_and_sum(void *baton, apr_pool_t *p)
{
    int taken = work(baton, p);
    taken_by_all += taken;
    return taken >= 0;
}

static void test_couriers(void)
{
    enum { MESSAGES = 60, COURIERS = 4 };
    esign_database_t *database = tables_new();
    const char *at[] = { scratch_path(apr_psprintf(pool, "%d.db", tables_count)),
                         (const char *)database->keyring };
    OK(esign_database_begin(database, pool));
    for (int i = 0; i < MESSAGES; i++)
        add(database, ESIGN_OUTBOX_CODE, "x", NOW - i);
    OK(esign_database_end(database, ESIGN_OK, pool));
    taken_by_all = 0;
    CU_ASSERT_EQUAL(race(COURIERS, work_and_sum, at, 1), COURIERS);
    CU_ASSERT_EQUAL(taken_by_all, MESSAGES);
    CU_ASSERT_EQUAL(list(database)->nelts, 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "a message is sealed, leased and done", test_add_and_lease },
        { "codes go first, then the oldest", test_order },
        { "a courier takes the kinds that it can send", test_kinds },
        { "a look tells which kinds are due", test_due },
        { "a lease takes no longer when many wait", test_many_wait },
        { "a lease is one courier's until it runs out", test_lease_runs_out },
        { "a courier that lives keeps what it has", test_renewed },
        { "a message is tried again, or given up", test_retry_and_bury },
        { "what waits too long is dropped", test_expire },
        { "a code goes from gateway to gateway", test_gateways_in_turn },
        { "a report of a delivered code ends it", test_delivered },
        { "what was not begun is given back, and it was no attempt", test_release },
        { "a dead letter can be sent again until it expires, a code never", test_dead_letter },
        { "what was given up long ago goes, a handful at a time", test_purge },
        { "what waits for its next try can be sent at once", test_operator_hurries },
        { "what a message says, while it is kept", test_open },
        { "a tampered body is given up, the others go", test_tampered },
        { "a message that is put back keeps its kind and its end", test_put_back },
        { "the operator's list", test_list },
        { "how many wait, and since when", test_depths },
        { "of many couriers each message goes to one", test_couriers },
        CU_TEST_INFO_NULL
    };
    return tables_suite("outbox", tests);
}
