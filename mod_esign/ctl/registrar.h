/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.h: judges a subscriber's data and registers it. */
#ifndef ESIGN_CTL_REGISTRAR_H
#define ESIGN_CTL_REGISTRAR_H

#include "settings.h"
#include "store/card.h"
#include "store/subscriber.h"

typedef struct {
    const esign_settings_t *settings;
    esign_database_t *database;
    const esign_national_id_scheme_t *scheme;
    esign_word_policy_t words;
} esign_registrar_t;

/* What was written of a subscriber, as it stands in the file or on the command line; NULL where
 * nothing does. */
typedef struct {
    const char *national_id, *language, *name, *email, *phone, *word, *word_hash;
    const apr_array_header_t *cards; /* esign_card_t */
} esign_application_t;

esign_result_t esign_registrar_make(esign_registrar_t *registrar, const esign_settings_t *settings,
                                    apr_pool_t *p);

/* What is wrong with an application, in one sentence that repeats no secret; NULL when it is good.
 * `normalized` gets the number's digits. */
const char *esign_registrar_refusal(const esign_registrar_t *registrar,
                                    const esign_application_t *application,
                                    char normalized[ESIGN_NATIONAL_ID_MAX + 1], apr_pool_t *p);

/* Judges it and hashes its word, which takes long and needs no transaction: `*ready` is what can be
 * added. APR_EINVAL: it is refused, `detail` says why. */
esign_result_t esign_registrar_prepare(const esign_registrar_t *registrar,
                                       const esign_application_t *application,
                                       esign_application_t *ready, apr_pool_t *p);

/* Begins the transaction that registers. APR_EBUSY: `key rotate` has made another key the active
 * one since the key file was read; what was registered now would be sealed under a key that may be
 * retired, and would not be found by others. */
esign_result_t esign_registrar_begin(const esign_registrar_t *registrar, apr_pool_t *p);

/* Registers what is ready in the caller's transaction, which esign_registrar_begin began.
 * APR_EEXIST: its number or a card of it is registered; other failures are the database's. */
esign_result_t esign_registrar_add(const esign_registrar_t *registrar,
                                   const esign_application_t *ready, apr_int64_t *id,
                                   apr_pool_t *p);

#endif
