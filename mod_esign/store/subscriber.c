/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.c: rows of the table subscriber. */
#include "store/subscriber.h"

#include "core/digest.h"
#include "store/sealed.h"

#include <apr_strings.h>

#include <string.h>

#define DAY (APR_USEC_PER_SEC * 24 * 3600)

enum { ID, NATIONAL_ID, NAME, EMAIL, PHONE, LANGUAGE, WORD_HASH, FAILURES, WAIT_UNTIL, CLOSED, EPOCH, LINK_EPOCH, COLUMNS };

/* What a national id is found by: the key's id and the keyed hash. */
static const char *lookup_of(const esign_keyring_t *keyring, int key, const char *national_id, apr_pool_t *p)
{
    unsigned char mac[ESIGN_DIGEST_SIZE];
    esign_digest_hmac(esign_keyring_key(keyring, ESIGN_KEY_LOOKUP, key), national_id, strlen(national_id), mac);
    return apr_psprintf(p, "%d:%s", key, esign_digest_encode(p, mac, sizeof(mac)));
}

static esign_result_t from_row(esign_database_t *database, const char *const *row, esign_subscriber_t **subscriber, apr_pool_t *p)
{
    esign_subscriber_t *s = apr_pcalloc(p, sizeof(*s));
    s->id = esign_database_number(row, ID);
    const struct {
        int column;
        const char *name, **text;
    } sealed[] = {
        { NATIONAL_ID, "national_id", &s->national_id },
        { NAME, "name", &s->name },
        { EMAIL, "email", &s->email },
        { PHONE, "phone", &s->phone },
    };
    for (size_t i = 0; i < sizeof(sealed) / sizeof(*sealed); i++) {
        esign_result_t result = esign_sealed_open(database, "subscriber", s->id, sealed[i].name, row[sealed[i].column], sealed[i].text, p);
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

esign_result_t esign_subscriber_find(esign_database_t *database, const char *national_id, esign_subscriber_t **subscriber, apr_pool_t *p)
{
    const int *keys;
    int count = esign_keyring_ids(database->keyring, &keys);
    esign_result_t result = ESIGN_OK;
    *subscriber = NULL;
    for (int i = 0; i < count; i++) {
        const apr_array_header_t *rows;
        const char *lookup = lookup_of(database->keyring, keys[i], national_id, p);
        esign_result_t found = esign_database_read(database, "subscriber_find", ESIGN_SQL(lookup), COLUMNS, &rows, p);
        if (!esign_failed(found) && rows->nelts > 0)
            found = from_row(database, APR_ARRAY_IDX(rows, 0, const char *const *), subscriber, p);
        if (esign_failed(found))
            result = found;
    }
    return result;
}

esign_result_t esign_subscriber_get(esign_database_t *database, apr_int64_t id, esign_subscriber_t **subscriber, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(database, "subscriber_get", ESIGN_SQL(&id), COLUMNS, &rows, p);
    *subscriber = NULL;
    if (esign_failed(result) || rows->nelts == 0)
        return result;
    return from_row(database, APR_ARRAY_IDX(rows, 0, const char *const *), subscriber, p);
}

esign_result_t esign_subscriber_epoch(esign_database_t *database, apr_int64_t id, apr_int64_t *epoch, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(database, "subscriber_epoch", ESIGN_SQL(&id), 1, &rows, p);
    if (!esign_failed(result))
        *epoch = rows->nelts > 0 ? esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0) : -1;
    return result;
}

esign_result_t esign_subscriber_add(esign_database_t *database, esign_subscriber_t *s, apr_pool_t *p)
{
    esign_subscriber_t *known;
    const char *clear[] = { s->national_id, s->name, s->email, s->phone }, *sealed[4];
    static const char *const columns[] = { "national_id", "name", "email", "phone" };
    apr_int64_t now = apr_time_now();
    int rows;
    s->id = esign_digest_random_id();
    for (int i = 0; i < 4; i++) {
        esign_result_t result = esign_sealed_make(database, "subscriber", s->id, columns[i], clear[i], &sealed[i], p);
        if (esign_failed(result))
            return result;
    }
    const char *lookup = lookup_of(database->keyring, esign_keyring_active(database->keyring), s->national_id, p);
    esign_result_t result = esign_database_write(database, "subscriber_add", ESIGN_SQL(&s->id, lookup, sealed[0], sealed[1], sealed[2], sealed[3],
                                                                                       s->language, s->word_hash, &now, lookup), &rows, p);
    if (esign_failed(result))
        return result;
    /* The insert itself keeps out a second row under the active key; rows of older keys are found by looking. */
    const int *keys;
    if (rows == 1 && esign_keyring_ids(database->keyring, &keys) == 1)
        return ESIGN_OK;
    result = rows == 1 ? esign_subscriber_find(database, s->national_id, &known, p) : ESIGN_OK;
    if (esign_failed(result) || (rows == 1 && known->id == s->id))
        return result;
    return esign_result_make(p, APR_EEXIST, "database", "the identity number is registered already");
}

esign_result_t esign_subscriber_failed(esign_database_t *database, apr_int64_t id, const esign_failure_policy_t *policy, apr_time_t now, apr_pool_t *p)
{
    apr_int64_t no_wait = policy->free, close_at = policy->close_at, first = policy->first, longest = policy->longest, last = now + longest;
    return esign_database_write(database, "subscriber_failed",
                                ESIGN_SQL(&no_wait, &no_wait, &last, &first, &no_wait, &longest, &last, &now, &first, &no_wait, &close_at, &id), NULL, p);
}

esign_result_t esign_subscriber_just_closed(esign_database_t *database, apr_int64_t id, const esign_failure_policy_t *policy, int *closed, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(database, "subscriber_failures", ESIGN_SQL(&id), 1, &rows, p);
    *closed = !esign_failed(result) && rows->nelts > 0 && esign_database_number(APR_ARRAY_IDX(rows, 0, const char *const *), 0) == policy->close_at;
    return result;
}

esign_result_t esign_subscriber_signed_in(esign_database_t *database, apr_int64_t id, apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_signed_in", ESIGN_SQL(&id), NULL, p);
}

esign_result_t esign_subscriber_change_word(esign_database_t *database, apr_int64_t id, apr_int64_t link_epoch, const char *word_hash,
                                            int *changed, apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_word", ESIGN_SQL(word_hash, &id, &link_epoch, &link_epoch), changed, p);
}

esign_result_t esign_subscriber_end_sessions(esign_database_t *database, esign_subscriber_t *subscriber, int *ended, apr_pool_t *p)
{
    esign_result_t result = esign_database_write(database, "subscriber_end_sessions", ESIGN_SQL(&subscriber->id, &subscriber->epoch), ended, p);
    if (!esign_failed(result) && *ended) {
        subscriber->epoch++;
        subscriber->link_epoch++;
    }
    return result;
}

esign_result_t esign_subscriber_rehash(esign_database_t *database, apr_int64_t id, const char *old_hash, const char *word_hash, apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_rehash", ESIGN_SQL(word_hash, &id, old_hash), NULL, p);
}

static esign_result_t claim(esign_database_t *database, const char *label, apr_int64_t id, apr_time_t now, apr_interval_time_t pause, int per_day,
                            int *granted, apr_pool_t *p)
{
    apr_int64_t day = now / DAY, before = now - pause, most = per_day;
    return esign_database_write(database, label, ESIGN_SQL(&day, &day, &now, &id, &before, &day, &most), granted, p);
}

esign_result_t esign_subscriber_claim_sms(esign_database_t *database, apr_int64_t id, apr_time_t now, apr_interval_time_t pause, int per_day,
                                          int *granted, apr_time_t *next, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = claim(database, "subscriber_sms", id, now, pause, per_day, granted, p);
    if (esign_failed(result) || *granted)
        return result;
    result = esign_database_read(database, "subscriber_sms_state", ESIGN_SQL(&id), 3, &rows, p);
    if (esign_failed(result) || rows->nelts == 0)
        return result;
    const char *const *row = APR_ARRAY_IDX(rows, 0, const char *const *);
    int used_up = esign_database_number(row, 1) == now / DAY && esign_database_number(row, 2) >= per_day;
    apr_time_t paused = esign_database_number(row, 0) + pause, tomorrow = (now / DAY + 1) * DAY;
    *next = used_up && tomorrow > paused ? tomorrow : paused;
    return ESIGN_OK;
}

esign_result_t esign_subscriber_claim_mail(esign_database_t *database, apr_int64_t id, apr_time_t now, apr_interval_time_t pause, int per_day,
                                           int *granted, apr_pool_t *p)
{
    return claim(database, "subscriber_mail", id, now, pause, per_day, granted, p);
}

esign_result_t esign_subscriber_open(esign_database_t *database, apr_int64_t id, int *found, apr_pool_t *p)
{
    return esign_database_write(database, "subscriber_open", ESIGN_SQL(&id), found, p);
}
