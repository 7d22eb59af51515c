/* SPDX-License-Identifier: Apache-2.0 */
/* import.c: the file that esignctl reads subscribers from, into a real database. No security word
 * is long enough here, so that no Argon2 is run: hashes are imported. */
#include "fuzz.h"

#include "audit/chain.h"
#include "ctl/import.h"
#include "store/schema.h"

#include <apr_dbd.h>

/* Stands in the corpus as a word and as a PIN; no name of an element or attribute, which a refusal
 * does name, can hold it. */
#define SECRET "S3+cret"

static const esign_settings_t settings = { .path = "settings",
                                           .identity_number = "tckn",
                                           .organization = "mod_esign",
                                           .hash_memory = 19456,
                                           .hash_passes = 2 };
static esign_registrar_t registrar;

static void make_database(void)
{
    apr_pool_t *p;
    apr_pool_create(&p, NULL);
    HOLDS(apr_dbd_init(p) == APR_SUCCESS && !esign_failed(esign_word_hash_init()));
    const char *path = apr_pstrdup(p, fuzz_file("database", "", 0));
    esign_database_t *maker;
    HOLDS(!esign_failed(esign_database_open(&maker, "sqlite3", path, fuzz_keyring(), p)) &&
          !esign_failed(esign_schema_create(maker, p)) &&
          !esign_failed(esign_database_end(maker, esign_audit_head_add(maker, p), p)));
    registrar = (esign_registrar_t){ .settings = &settings, .words = { .min = 129, .max = 128 } };
    HOLDS(!esign_failed(
        esign_database_open(&registrar.database, "sqlite3", path, fuzz_keyring(), p)));
    HOLDS(!esign_failed(esign_national_id_scheme(&registrar.scheme, "tckn", p)));
}

static void run(const char *sql)
{
    int rows;
    HOLDS(apr_dbd_query(registrar.database->driver, registrar.database->handle, &rows, sql) == 0);
}

static apr_int64_t rows_of(const char *table, apr_pool_t *p)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    apr_int64_t count = -1;
    HOLDS(apr_dbd_select(registrar.database->driver, p, registrar.database->handle, &results,
                         apr_pstrcat(p, "SELECT count(*) FROM ", table, NULL), 0) == 0);
    while (apr_dbd_get_row(registrar.database->driver, p, results, &row, -1) != -1)
        count = apr_atoi64(apr_dbd_get_entry(registrar.database->driver, row, 0));
    return count;
}

typedef struct {
    int count;
    long lines;
} refusals_t;

static void keep(void *baton, long line, const char *reason)
{
    refusals_t *refusals = baton;
    refusals->count++;
    HOLDS(line >= 1 && line <= refusals->lines);
    HOLDS(*reason && fuzz_clean(reason, "") && !strstr(reason, SECRET));
}

static void import(const char *path, long lines, int keep_going, apr_pool_t *p)
{
    refusals_t refusals = { 0, lines };
    esign_import_count_t count = { 0 };
    esign_result_t result =
        esign_import_file(&registrar, path, keep_going, keep, &refusals, &count, p);
    apr_int64_t subscribers = rows_of("subscriber", p);
    HOLDS(count.refused == refusals.count && count.registered >= 0 &&
          subscribers == count.registered);
    HOLDS(subscribers == 0 || keep_going ||
          (!esign_failed(result) && count.refused == 0)); /* all or nothing */
    HOLDS(subscribers == rows_of("audit", p) && (subscribers > 0 || rows_of("card", p) == 0));
    if (esign_failed(result))
        HOLDS(fuzz_clean(result.detail,
                         "")); /* libxml2 names markup, addresses too, but no content */
    if (subscribers > 0) {
        run("DELETE FROM audit");
        run("DELETE FROM card");
        run("DELETE FROM subscriber");
    }
}

void fuzz_one(const char *data, apr_size_t size, apr_pool_t *p)
{
    if (!registrar.database)
        make_database();
    long lines = 1;
    for (apr_size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    const char *path = apr_pstrdup(p, fuzz_file("subscribers.xml", data ? data : "", size));
    import(path, lines, 0, p);
    import(path, lines, 1, p);
}
