/* SPDX-License-Identifier: Apache-2.0 */
/* card.c: rows of the table card. */
#include "store/card.h"

#include "core/digest.h"
#include "store/sealed.h"

enum { ID, SERIAL, STATE, NOT_BEFORE, NOT_AFTER, FINGERPRINT, PIN, PUK, COLUMNS };

esign_result_t esign_card_add(esign_database_t *database, apr_int64_t subscriber, const esign_card_t *card, apr_pool_t *p)
{
    apr_int64_t id = esign_digest_random_id();
    const char *pin, *puk;
    int rows;
    esign_result_t result = esign_sealed_make(database, "card", id, "pin", card->pin, &pin, p);
    if (!esign_failed(result))
        result = esign_sealed_make(database, "card", id, "puk", card->puk, &puk, p);
    if (!esign_failed(result))
        result = esign_database_write(database, "card_add", ESIGN_SQL(&id, &subscriber, card->serial, card->state, card->not_before, card->not_after,
                                                                      card->fingerprint, pin, puk, card->serial), &rows, p);
    if (!esign_failed(result) && rows == 0)
        return esign_result_make(p, APR_EEXIST, "database", "the card %s is registered already", card->serial);
    return result;
}

esign_result_t esign_card_list(esign_database_t *database, apr_int64_t subscriber, int secrets, const apr_array_header_t **cards, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(database, "card_list", ESIGN_SQL(&subscriber), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_card_t));
    for (int i = 0; i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        esign_card_t *card = apr_array_push(list);
        *card = (esign_card_t){ .serial = row[SERIAL], .state = row[STATE], .not_before = row[NOT_BEFORE], .not_after = row[NOT_AFTER],
                                .fingerprint = row[FINGERPRINT] };
        if (!secrets)
            continue;
        apr_int64_t id = esign_database_number(row, ID);
        result = esign_sealed_open(database, "card", id, "pin", row[PIN], &card->pin, p);
        if (!esign_failed(result))
            result = esign_sealed_open(database, "card", id, "puk", row[PUK], &card->puk, p);
        if (esign_failed(result))
            return result;
    }
    *cards = list;
    return ESIGN_OK;
}
