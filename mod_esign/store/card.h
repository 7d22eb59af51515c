/* SPDX-License-Identifier: Apache-2.0 */
/* card.h: signature cards with their sealed PIN and PUK. */
#ifndef ESIGN_STORE_CARD_H
#define ESIGN_STORE_CARD_H

#include "reseal.h"

/* Texts are wiped with the pool of the call. */
typedef struct {
    const char *serial;     /* printable ASCII, unique */
    const char *state;      /* "active", "suspended", "revoked", "expired" */
    const char *not_before; /* "YYYY-MM-DD" */
    const char *not_after;
    const char *fingerprint; /* SHA-256 of the certificate, 64 hex digits lower case; NULL: none */
    const char *pin;
    const char *puk;
} esign_card_t;

/* Adds a card of a subscriber, PIN and PUK sealed. APR_EEXIST when the serial is registered. */
esign_result_t esign_card_add(esign_database_t *database, apr_int64_t subscriber,
                              const esign_card_t *card, apr_pool_t *p);

/* All cards of a subscriber, by serial. Array of esign_card_t. With `secrets` 0 PIN and PUK stay
 * sealed and are NULL. */
esign_result_t esign_card_list(esign_database_t *database, apr_int64_t subscriber, int secrets,
                               const apr_array_header_t **cards, apr_pool_t *p);

/* Moves PIN and PUK to the active key: a table of `key rotate`. */
esign_reseal_fn esign_card_reseal;

#endif
