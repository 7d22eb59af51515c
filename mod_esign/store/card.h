/* SPDX-License-Identifier: Apache-2.0 */
/* card.h: signature cards with their sealed PIN and PUK. */
#ifndef ESIGN_STORE_CARD_H
#define ESIGN_STORE_CARD_H

#include "reseal.h"

/* A row of the table card. Its texts live in the pool of the call; PIN and PUK are wiped with it.
 */
typedef struct {
    const char *serial;      /* printable ASCII, unique */
    const char *state;       /* "active", "suspended", "revoked", "expired" */
    const char *not_before;  /* "YYYY-MM-DD" */
    const char *not_after;   /* "YYYY-MM-DD" */
    const char *fingerprint; /* SHA-256 of the certificate, 64 lower-case hex digits; NULL: none */
    const char *pin;
    const char *puk;
} esign_card_t;

/* Adds a card of a subscriber; PIN and PUK are sealed. APR_EEXIST: the serial is registered. */
esign_result_t esign_card_add(esign_database_t *database, apr_int64_t subscriber,
                              const esign_card_t *card, apr_pool_t *p);

/* Lists a subscriber's cards by serial. `*cards`: array of esign_card_t. `secrets` 1: PIN and PUK
 * are opened; 0: they are NULL. APR_EINVAL: one cannot be opened, or was sealed for another
 * subscriber. */
esign_result_t esign_card_list(esign_database_t *database, apr_int64_t subscriber, int secrets,
                               const apr_array_header_t **cards, apr_pool_t *p);

/* Seals PIN and PUK of a batch of cards under the active key, for `esignctl key rotate`. */
esign_reseal_fn esign_card_reseal;

#endif
