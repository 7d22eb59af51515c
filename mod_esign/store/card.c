/* SPDX-License-Identifier: Apache-2.0 */
/* card.c: rows of the table card. */
#include "card.h"

#include "core/digest.h"
#include "core/secret.h"
#include "sealed.h"

#include <apr_strings.h>

#include <string.h>

enum { ID, SERIAL, STATE, NOT_BEFORE, NOT_AFTER, FINGERPRINT, PIN, PUK, COLUMNS };

/* The subscriber's id is sealed before PIN and PUK. So a card whose column `subscriber` was changed
 * does not show its PIN to the other subscriber. */
static const char *owner_prefix(apr_int64_t subscriber, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT " ", subscriber);
}

static esign_result_t seal_secret(const esign_keyring_t *keyring, apr_int64_t subscriber,
                                  apr_int64_t id, const char *column, const char *clear,
                                  const char **sealed, apr_pool_t *p)
{
    const char *whose = owner_prefix(subscriber, p);
    apr_size_t before = strlen(whose), length = strlen(clear);
    char *text = esign_secret_alloc(p, before + length + 1);
    memcpy(text, whose, before);
    memcpy(text + before, clear, length);
    return esign_sealed_make(keyring, "card", id, column, text, sealed, p);
}

static esign_result_t open_secret(const esign_keyring_t *keyring, apr_int64_t subscriber,
                                  apr_int64_t id, const char *column, const char *sealed,
                                  const char **clear, apr_pool_t *p)
{
    const char *text, *whose = owner_prefix(subscriber, p);
    esign_result_t result = esign_sealed_open(keyring, "card", id, column, sealed, &text, p);
    if (esign_failed(result))
        return result;
    if (strncmp(text, whose, strlen(whose)) != 0)
        return esign_result_make(p, APR_EINVAL, "database",
                                 "card/%" APR_INT64_T_FMT
                                 "/%s is another subscriber's: the row was changed",
                                 id, column);
    *clear = text + strlen(whose);
    return ESIGN_OK;
}

esign_result_t esign_card_add(esign_database_t *database, apr_int64_t subscriber,
                              const esign_card_t *card, apr_pool_t *p)
{
    apr_int64_t id = esign_digest_random_id();
    const char *pin, *puk;
    int rows;
    esign_result_t result =
        seal_secret(database->keyring, subscriber, id, "pin", card->pin, &pin, p);
    if (!esign_failed(result))
        result = seal_secret(database->keyring, subscriber, id, "puk", card->puk, &puk, p);
    if (!esign_failed(result))
        result = esign_database_write(database, "card_add",
                                      ESIGN_SQL(&id, &subscriber, card->serial, card->state,
                                                card->not_before, card->not_after,
                                                card->fingerprint, pin, puk, card->serial),
                                      &rows, p);
    if (!esign_failed(result) && rows == 0)
        return esign_result_make(p, APR_EEXIST, "database", "the card %s is registered already",
                                 card->serial);
    return result;
}

esign_result_t esign_card_list(esign_database_t *database, apr_int64_t subscriber, int secrets,
                               const apr_array_header_t **cards, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "card_list", ESIGN_SQL(&subscriber), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_card_t));
    for (int i = 0; i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        esign_card_t *card = apr_array_push(list);
        *card = (esign_card_t){ .serial = row[SERIAL],
                                .state = row[STATE],
                                .not_before = row[NOT_BEFORE],
                                .not_after = row[NOT_AFTER],
                                .fingerprint = row[FINGERPRINT] };
        if (!secrets)
            continue;
        apr_int64_t id = esign_database_number(row, ID);
        result = open_secret(database->keyring, subscriber, id, "pin", row[PIN], &card->pin, p);
        if (!esign_failed(result))
            result = open_secret(database->keyring, subscriber, id, "puk", row[PUK], &card->puk, p);
        if (esign_failed(result))
            return result;
    }
    *cards = list;
    return ESIGN_OK;
}

static esign_result_t renew_card(const esign_keyring_t *keyring, apr_int64_t id,
                                 const char *const *old, const char **new, apr_pool_t *p)
{
    esign_result_t result = esign_sealed_renew(keyring, "card", id, "pin", old[0], &new[0], p);
    return esign_failed(result)
               ? result
               : esign_sealed_renew(keyring, "card", id, "puk", old[1], &new[1], p);
}

esign_result_t esign_card_reseal(esign_database_t *database, esign_reseal_t *run, apr_pool_t *p)
{
    static const esign_reseal_table_t table = { "card_sealed", "card_reseal", .values = 2,
                                                .together = 1, .renew = renew_card };
    return esign_reseal_rows(database, &table, run, p);
}
