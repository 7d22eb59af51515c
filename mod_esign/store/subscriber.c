/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.c: reads and writes rows of the table subscriber. */
#include "subscriber.h"

#include "core/base64.h"
#include "core/digest.h"
#include "sealed.h"

#include <apr_strings.h>

#include <stddef.h>
#include <string.h>

#define TABLE "subscriber"
#define HASH_COLUMN "word_hash"
#define DAY (APR_USEC_PER_SEC * 24 * 3600)

/* The columns of SUBSCRIBER_COLUMNS in statements.c. */
enum {
    ID,
    NATIONAL_ID,
    NAME,
    EMAIL,
    PHONE,
    LANGUAGE,
    WORD_HASH,
    FAILURES,
    WAIT_UNTIL,
    CLOSED,
    EPOCH,
    LINK_EPOCH,
    COLUMNS
};

/* The value of the column lookup: KEYID:HASH, the keyed hash of the national id. */
static const char *lookup_of(const esign_keyring_t *keyring, int key, const char *national_id,
                             apr_pool_t *p)
{
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(esign_keyring_key(keyring, ESIGN_KEY_LOOKUP, key), national_id,
                      strlen(national_id), mac);
    return apr_psprintf(p, "%d:%s", key, esign_base64_url_encode(p, mac, sizeof(mac)));
}

static const struct {
    int column;
    const char *name;
    size_t member; /* of the clear text in esign_subscriber_t */
} sealed_columns[] = {
    { NATIONAL_ID, "national_id", offsetof(esign_subscriber_t, national_id) },
    { NAME, "name", offsetof(esign_subscriber_t, name) },
    { EMAIL, "email", offsetof(esign_subscriber_t, email) },
    { PHONE, "phone", offsetof(esign_subscriber_t, phone) },
};

#define SEALED (sizeof(sealed_columns) / sizeof(*sealed_columns))

static const char **member_of(esign_subscriber_t *s, size_t i)
{
    return (const char **)((char *)s + sealed_columns[i].member);
}

static esign_result_t read_row(const esign_keyring_t *keyring, const char *const *row,
                               esign_subscriber_t **subscriber, apr_pool_t *p)
{
    esign_subscriber_t *s = apr_pcalloc(p, sizeof(*s));
    s->id = esign_database_number(row, ID);
    for (size_t i = 0; i < SEALED; i++) {
        esign_result_t result =
            esign_sealed_open(keyring, TABLE, s->id, sealed_columns[i].name,
                              row[sealed_columns[i].column], member_of(s, i), p);
        if (esign_failed(result))
            return result;
    }
    s->language = row[LANGUAGE];
    s->word_hash = row[WORD_HASH];
    s->failures = (int)esign_database_number(row, FAILURES);
    s->wait_until = esign_database_number(row, WAIT_UNTIL);
    s->closed = esign_database_number(row, CLOSED) != 0;
    s->epoch = esign_database_number(row, EPOCH);
    s->link_epoch = esign_database_number(row, LINK_EPOCH);
    *subscriber = s;
    return ESIGN_OK;
}

/* Takes the time of unsealing `values` values: sealing takes the same. */
static void waste_time(const esign_keyring_t *keyring, size_t values, apr_pool_t *p)
{
    static const char usual[] = "somebody@example.org, or a hash of 43";
    const char *dropped;
    while (values-- > 0)
        esign_sealed_make(keyring, TABLE, ESIGN_SUBSCRIBER_NONE, "nobody", usual, &dropped, p);
}

/* Searches under all keys but the last twice. Otherwise a row that a rotation moves from the old
 * key to the new one could be missed: searched under the new key before the move, under the old key
 * after it. The second search is always made, so that both answers take the same time. */
esign_result_t esign_subscriber_find(esign_database_t *database, const char *national_id,
                                     esign_subscriber_t **subscriber, apr_pool_t *p)
{
    const int *keys;
    int count = esign_keyring_ids(database->keyring, &keys);
    const char *const *row = NULL;
    *subscriber = NULL;
    for (int i = 0; i < 2 * count - 1; i++) {
        const apr_array_header_t *rows;
        const char *lookup = lookup_of(database->keyring, keys[i % count], national_id, p);
        esign_result_t result =
            esign_database_read(database, "subscriber_find", ESIGN_SQL(lookup), COLUMNS, &rows, p);
        if (esign_failed(result))
            return result;
        if (rows->nelts > 0 && !row)
            row = APR_ARRAY_IDX(rows, 0, const char *const *);
    }
    if (row)
        return read_row(database->keyring, row, subscriber, p);
    waste_time(database->keyring, SEALED, p);
    return ESIGN_OK;
}

esign_result_t esign_subscriber_decoy(esign_database_t *database, const char *national_id,
                                      esign_subscriber_t **other, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    const char *lookup =
        lookup_of(database->keyring, esign_keyring_active(database->keyring), national_id, p);
    esign_result_t result =
        esign_database_read(database, "subscriber_near", ESIGN_SQL(lookup), 2, &rows, p);
    *other = NULL;
    if (esign_failed(result) || rows->nelts == 0)
        return result;
    const char *const *row = APR_ARRAY_IDX(rows, 0, const char *const *);
    *other = apr_pcalloc(p, sizeof(**other));
    (*other)->id = esign_database_number(row, 0);
    (*other)->word_hash = row[1];
    return result;
}

esign_result_t esign_subscriber_get(esign_database_t *database, apr_int64_t id,
                                    esign_subscriber_t **subscriber, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "subscriber_get", ESIGN_SQL(&id), COLUMNS, &rows, p);
    *subscriber = NULL;
    if (esign_failed(result) || rows->nelts == 0)
        return result;
    return read_row(database->keyring, APR_ARRAY_IDX(rows, 0, const char *const *), subscriber, p);
}

esign_result_t esign_subscriber_epoch(esign_database_t *database, apr_int64_t id,
                                      apr_int64_t *epoch, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "subscriber_epoch", ESIGN_SQL(&id), 1, &rows, p);
    if (!esign_failed(result))
        *epoch = rows->nelts > 0
                     ? esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0)
                     : -1;
    return result;
}

esign_result_t esign_subscriber_open_hash(const esign_keyring_t *keyring,
                                          const esign_subscriber_t *s, const char **phc,
                                          apr_pool_t *p)
{
    *phc = NULL;
    if (s && s->word_hash)
        return esign_sealed_open_hash(keyring, TABLE, s->id, HASH_COLUMN, s->word_hash, phc, p);
    waste_time(keyring, 1, p);
    return ESIGN_OK;
}

static esign_result_t seal_hash(const esign_keyring_t *keyring, apr_int64_t id, const char *phc,
                                const char **sealed, apr_pool_t *p)
{
    *sealed = NULL;
    return phc ? esign_sealed_make_hash(keyring, TABLE, id, HASH_COLUMN, phc, sealed, p) : ESIGN_OK;
}

/* "subscriber_lock" changes nothing, but locks its row until the end of the transaction. */
esign_result_t esign_subscriber_begin(esign_database_t *database, apr_pool_t *p)
{
    esign_result_t result = esign_database_begin(database, p);
    return esign_failed(result)
               ? result
               : esign_database_write(database, "subscriber_lock", ESIGN_SQL(NULL), NULL, p);
}

esign_result_t esign_subscriber_add(esign_database_t *database, esign_subscriber_t *s,
                                    const char *phc, apr_pool_t *p)
{
    const char *sealed[SEALED], *hash,
        *lookup = lookup_of(database->keyring, esign_keyring_active(database->keyring),
                            s->national_id, p);
    esign_subscriber_t *known = NULL;
    const int *keys;
    apr_int64_t now = apr_time_now();
    int rows = 0;
    s->id = esign_digest_random_id();
    esign_result_t result = seal_hash(database->keyring, s->id, phc, &hash, p);
    for (size_t i = 0; i < SEALED && !esign_failed(result); i++)
        result = esign_sealed_make(database->keyring, TABLE, s->id, sealed_columns[i].name,
                                   *member_of(s, i), &sealed[i], p);
    /* The INSERT refuses a second row under the active key. Rows under other keys are searched. */
    if (!esign_failed(result) && esign_keyring_ids(database->keyring, &keys) > 1)
        result = esign_subscriber_find(database, s->national_id, &known, p);
    if (!esign_failed(result) && !known)
        result = esign_database_write(database, "subscriber_add",
                                      ESIGN_SQL(&s->id, lookup, sealed[0], sealed[1], sealed[2],
                                                sealed[3], s->language, hash, &now, lookup),
                                      &rows, p);
    if (esign_failed(result) || rows == 1)
        return result;
    return esign_result_make(p, APR_EEXIST, "database",
                             "the identity number is registered already");
}

esign_result_t esign_subscriber_failed(esign_database_t *database, apr_int64_t id,
                                       const esign_failure_policy_t *policy, int judged,
                                       apr_time_t now, int *closed, apr_pool_t *p)
{
    apr_int64_t no_wait = policy->free, close_at = policy->close_at, first = policy->first,
                longest = policy->longest, last = now + longest;
    apr_int64_t waiting = judged ? APR_INT64_MAX : now;
    const apr_array_header_t *rows;
    int counted = 0;
    *closed = 0;
    esign_result_t result =
        esign_database_write(database, "subscriber_failed",
                             ESIGN_SQL(&no_wait, &no_wait, &last, &first, &no_wait, &longest, &last,
                                       &now, &first, &no_wait, &close_at, &id, &waiting),
                             &counted, p);
    if (!esign_failed(result))
        result = esign_database_read(database, "subscriber_failures", ESIGN_SQL(&id), 1, &rows, p);
    if (!esign_failed(result) && counted)
        *closed = esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0) == close_at;
    return result;
}

esign_result_t esign_subscriber_signed_in(esign_database_t *database, apr_int64_t id, apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_signed_in", ESIGN_SQL(&id), NULL, p);
}

esign_result_t esign_subscriber_change_word(esign_database_t *database, apr_int64_t id,
                                            apr_int64_t epoch, apr_int64_t link_epoch,
                                            const char *phc, int *changed, apr_pool_t *p)
{
    const char *hash;
    esign_result_t result = seal_hash(database->keyring, id, phc, &hash, p);
    return esign_failed(result)
               ? result
               : esign_database_write(database, "subscriber_word",
                                      ESIGN_SQL(hash, &id, &link_epoch, &epoch), changed, p);
}

esign_result_t esign_subscriber_end_sessions(esign_database_t *database,
                                             esign_subscriber_t *subscriber, int *ended,
                                             apr_pool_t *p)
{
    esign_result_t result =
        esign_database_write(database, "subscriber_end_sessions",
                             ESIGN_SQL(&subscriber->id, &subscriber->epoch), ended, p);
    if (!esign_failed(result) && *ended) {
        subscriber->epoch++;
        subscriber->link_epoch++;
    }
    return result;
}

esign_result_t esign_subscriber_rehash(esign_database_t *database, const esign_subscriber_t *s,
                                       const char *phc, apr_pool_t *p)
{
    const char *hash;
    esign_result_t result = seal_hash(database->keyring, s->id, phc, &hash, p);
    return esign_failed(result)
               ? result
               : esign_database_write(database, "subscriber_rehash",
                                      ESIGN_SQL(hash, &s->id, s->word_hash), NULL, p);
}

/* Runs "subscriber_sms" or "subscriber_mail". */
static esign_result_t claim_message(esign_database_t *database, const char *label, apr_int64_t id,
                                    apr_time_t now, apr_interval_time_t pause, int per_day,
                                    int *granted, apr_pool_t *p)
{
    apr_int64_t day = now / DAY, before = now - pause, most = per_day;
    return esign_database_write(database, label,
                                ESIGN_SQL(&day, &day, &now, &id, &before, &day, &most), granted, p);
}

esign_result_t esign_subscriber_claim_sms(esign_database_t *database, apr_int64_t id,
                                          apr_time_t now, apr_interval_time_t pause, int per_day,
                                          int *granted, apr_time_t *next, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        claim_message(database, "subscriber_sms", id, now, pause, per_day, granted, p);
    if (esign_failed(result) || *granted)
        return result;
    result = esign_database_read(database, "subscriber_sms_state", ESIGN_SQL(&id), 3, &rows, p);
    if (esign_failed(result) || rows->nelts == 0)
        return result;
    const char *const *row = APR_ARRAY_IDX(rows, 0, const char *const *);
    int used_up =
        esign_database_number(row, 1) == now / DAY && esign_database_number(row, 2) >= per_day;
    apr_time_t paused = esign_database_number(row, 0) + pause, tomorrow = (now / DAY + 1) * DAY;
    *next = used_up && tomorrow > paused ? tomorrow : paused;
    return ESIGN_OK;
}

esign_result_t esign_subscriber_claim_mail(esign_database_t *database, apr_int64_t id,
                                           apr_time_t now, apr_interval_time_t pause, int per_day,
                                           int *granted, apr_pool_t *p)
{
    return claim_message(database, "subscriber_mail", id, now, pause, per_day, granted, p);
}

esign_result_t esign_subscriber_close(esign_database_t *database, apr_int64_t id, int *found,
                                      apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_close", ESIGN_SQL(&id), found, p);
}

esign_result_t esign_subscriber_open(esign_database_t *database, apr_int64_t id, int *found,
                                     apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_open", ESIGN_SQL(&id), found, p);
}

/* The columns of "subscriber_sealed" after the id. */
enum { OLD_LOOKUP, OLD_NATIONAL_ID, OLD_HASH = OLD_NATIONAL_ID + SEALED, VALUES };

static esign_result_t renew_subscriber(const esign_keyring_t *keyring, apr_int64_t id,
                                       const char *const *old, const char **new, apr_pool_t *p)
{
    const char *national_id, *phc = NULL;
    esign_result_t result = esign_sealed_open(keyring, TABLE, id, sealed_columns[0].name,
                                              old[OLD_NATIONAL_ID], &national_id, p);
    if (!esign_failed(result))
        new[OLD_LOOKUP] = lookup_of(keyring, esign_keyring_active(keyring), national_id, p);
    for (size_t i = 0; i < SEALED && !esign_failed(result); i++)
        result = esign_sealed_renew(keyring, TABLE, id, sealed_columns[i].name,
                                    old[OLD_NATIONAL_ID + i], &new[OLD_NATIONAL_ID + i], p);
    if (!esign_failed(result) && old[OLD_HASH])
        result = esign_sealed_open_hash(keyring, TABLE, id, HASH_COLUMN, old[OLD_HASH], &phc, p);
    return esign_failed(result) ? result : seal_hash(keyring, id, phc, &new[OLD_HASH], p);
}

esign_result_t esign_subscriber_reseal(esign_database_t *database, esign_reseal_t *run,
                                       apr_pool_t *p)
{
    static const esign_reseal_table_t table = { "subscriber_sealed", "subscriber_reseal", VALUES,
                                                .together = 1, .renew = renew_subscriber };
    return esign_reseal_rows(database, &table, run, p);
}
