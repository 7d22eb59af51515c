/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.h: judges the data of a new subscriber and registers it. */
#ifndef ESIGN_CTL_REGISTRAR_H
#define ESIGN_CTL_REGISTRAR_H

#include "settings.h"
#include "store/card.h"
#include "store/subscriber.h"

/* What registering needs; made by esign_registrar_make. */
typedef struct {
    const esign_settings_t *settings;
    esign_database_t *database;
    const esign_national_id_scheme_t *scheme;
    esign_word_policy_t words;
} esign_registrar_t;

/* The data of a subscriber as the file or the command line has it; NULL: a missing part. */
typedef struct {
    const char *national_id, *language, *name, *email, *phone, *word, *word_hash;
    const apr_array_header_t *cards; /* esign_card_t */
} esign_application_t;

/* Reads the blocklist and opens the database. */
esign_result_t esign_registrar_make(esign_registrar_t *registrar, const esign_settings_t *settings,
                                    apr_pool_t *p);

/* Judges an application and hashes its word, which takes long and needs no transaction. `*ready`
 * can be added. APR_EINVAL: it is refused, for the reason in `detail`. */
esign_result_t esign_registrar_prepare(const esign_registrar_t *registrar,
                                       const esign_application_t *application,
                                       esign_application_t *ready, apr_pool_t *p);

/* Begins the transaction for esign_registrar_add. APR_EBUSY: since this process read the key file,
 * `key rotate` has activated another key. A row sealed under the old one would not be found by
 * others, and could not be opened after `key retire`. */
esign_result_t esign_registrar_begin(const esign_registrar_t *registrar, apr_pool_t *p);

/* Registers a ready application, in the transaction of esign_registrar_begin; `*id` is its row.
 * APR_EEXIST: the number or a card is already registered. Other failures are the database's. */
esign_result_t esign_registrar_add(const esign_registrar_t *registrar,
                                   const esign_application_t *ready, apr_int64_t *id,
                                   apr_pool_t *p);

#endif
