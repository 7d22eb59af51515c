/* SPDX-License-Identifier: Apache-2.0 */
/* test_sealed.c: a value opens in the column where it was sealed, and in no other. */
#include "store/sealed.h"
#include "tables.h"

static const char *seal(const esign_keyring_t *keyring, const char *clear)
{
    const char *sealed = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_sealed_make(keyring, "subscriber", 17, "email", clear,
                                                    &sealed, pool)) &&
                    sealed != NULL);
    return sealed;
}

/* The clear text; NULL: it does not open, and the failure is the right one. */
static const char *open_at(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                           const char *column, const char *sealed)
{
    const char *clear = NULL;
    esign_result_t result = esign_sealed_open(keyring, table, id, column, sealed, &clear, pool);
    if (!esign_failed(result))
        return clear;
    CU_ASSERT_EQUAL(result.status, APR_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(result.detail, apr_psprintf(pool, "%s/%" APR_INT64_T_FMT "/%s", table, id, column)));
    CU_ASSERT_PTR_NULL(clear);
    return NULL;
}

static void test_bound(void)
{
    const esign_keyring_t *keyring = scratch_keyring(SCRATCH_KEY_1);
    const char *sealed = seal(keyring, "ayşe@example.org");
    CU_ASSERT_PTR_NULL(strstr(sealed, "example"));
    CU_ASSERT_STRING_EQUAL(open_at(keyring, "subscriber", 17, "email", sealed), "ayşe@example.org");
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 18, "email", sealed));
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 1, "email", sealed));
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", -17, "email", sealed));
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 17, "phone", sealed));
    CU_ASSERT_PTR_NULL(open_at(keyring, "card", 17, "email", sealed));
    CU_ASSERT_STRING_EQUAL(open_at(keyring, "subscriber", 17, "email", seal(keyring, "")), "");
}

static void test_absent(void)
{
    const esign_keyring_t *keyring = scratch_keyring(SCRATCH_KEY_1);
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 17, "email", NULL));
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 17, "email", ""));
    CU_ASSERT_PTR_NULL(open_at(keyring, "subscriber", 17, "email", "ayse@example.org"));
}

static void test_keys(void)
{
    const esign_keyring_t *first = scratch_keyring(SCRATCH_KEY_1),
                          *both = scratch_keyring(SCRATCH_KEY_1 SCRATCH_KEY_2),
                          *second = scratch_keyring(SCRATCH_KEY_2);
    const char *old = seal(first, "old"), *new = seal(both, "new");
    CU_ASSERT_STRING_EQUAL(open_at(both, "subscriber", 17, "email", old), "old");
    CU_ASSERT_STRING_EQUAL(open_at(second, "subscriber", 17, "email", new), "new");
    CU_ASSERT_PTR_NULL(open_at(second, "subscriber", 17, "email", old));
}

/* In the database itself: a program that can write rows cannot swap their values. */
static void test_swapped_rows(void)
{
    esign_database_t *database = tables_new();
    tables_run(database, "CREATE TABLE safe (id INTEGER, pin TEXT)");
    for (apr_int64_t id = 1; id <= 2; id++) {
        const char *sealed = NULL;
        CU_ASSERT_FATAL(!esign_failed(esign_sealed_make(database->keyring, "safe", id, "pin",
                                                        id == 1 ? "1111" : "2222", &sealed, pool)));
        tables_run(database,
                   apr_psprintf(pool, "INSERT INTO safe VALUES (%d, '%s')", (int)id, sealed));
    }
    CU_ASSERT_STRING_EQUAL(open_at(database->keyring, "safe", 2, "pin",
                                   tables_text(database, "SELECT pin FROM safe WHERE id = 2")),
                           "2222");
    tables_run(database, "UPDATE safe SET pin = (SELECT pin FROM safe WHERE id = 1) WHERE id = 2");
    CU_ASSERT_STRING_EQUAL(open_at(database->keyring, "safe", 1, "pin",
                                   tables_text(database, "SELECT pin FROM safe WHERE id = 1")),
                           "1111");
    CU_ASSERT_PTR_NULL(open_at(database->keyring, "safe", 2, "pin",
                               tables_text(database, "SELECT pin FROM safe WHERE id = 2")));
}

static void test_hashes(void)
{
    static const char phc[] = "$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg$171S9efrxR7qbqLCB61Ksg";
    const esign_keyring_t *first = scratch_keyring(SCRATCH_KEY_1),
                          *second = scratch_keyring(SCRATCH_KEY_2);
    const char *sealed = NULL, *opened = NULL;
    OK(esign_sealed_make_hash(first, "subscriber", 17, "word_hash", phc, &sealed, pool));
    CU_ASSERT(strncmp(sealed, phc, 43) == 0 && strstr(sealed, "171S9") == NULL &&
              esign_sealed_key(sealed) == 1);
    OK(esign_sealed_open_hash(first, "subscriber", 17, "word_hash", sealed, &opened, pool));
    CU_ASSERT_STRING_EQUAL(opened, phc);
    opened = NULL;
    CU_ASSERT_EQUAL(
        esign_sealed_open_hash(second, "subscriber", 17, "word_hash", sealed, &opened, pool).status,
        APR_EINVAL);
    CU_ASSERT_EQUAL(
        esign_sealed_open_hash(first, "subscriber", 18, "word_hash", sealed, &opened, pool).status,
        APR_EINVAL);
    CU_ASSERT_EQUAL(esign_sealed_open(first, "subscriber", 17, "word_hash",
                                      strrchr(sealed, '$') + 1, &opened, pool)
                        .status,
                    APR_EINVAL); /* another purpose */
    CU_ASSERT_PTR_NULL(opened);
}

static void test_renew(void)
{
    const esign_keyring_t *first = scratch_keyring(SCRATCH_KEY_1),
                          *both = scratch_keyring(SCRATCH_KEY_1 SCRATCH_KEY_2),
                          *second = scratch_keyring(SCRATCH_KEY_2);
    const char *old = seal(first, "ayse@example.org"), *new = NULL;
    OK(esign_sealed_renew(both, "subscriber", 17, "email", old, &new, pool));
    CU_ASSERT(esign_sealed_key(old) == 1 && esign_sealed_key(new) == 2);
    CU_ASSERT_STRING_EQUAL(open_at(second, "subscriber", 17, "email", new), "ayse@example.org");
    CU_ASSERT(
        !esign_failed(esign_sealed_renew(both, "subscriber", 17, "email", NULL, &new, pool)) &&
        new == NULL);
    CU_ASSERT(!esign_failed(esign_sealed_renew(both, "subscriber", 17, "email", "", &new, pool)) &&
              *new == '\0');
    CU_ASSERT_EQUAL(esign_sealed_renew(both, "subscriber", 18, "email", old, &new, pool).status,
                    APR_EINVAL);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a value opens at its table, row and column alone", test_bound },
                            { "no value is no empty value", test_absent },
                            { "keys rotate", test_keys },
                            { "a word's hash shows its parameters and no more", test_hashes },
                            { "a value moves to the active key", test_renew },
                            { "rows do not exchange values", test_swapped_rows },
                            CU_TEST_INFO_NULL };
    return tables_suite("sealed", tests);
}
