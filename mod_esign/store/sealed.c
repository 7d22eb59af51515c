/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.c: seals and opens values of columns, bound to TABLE/ID/COLUMN. */
#include "sealed.h"

#include "core/seal.h"
#include "core/secret.h"

#include <apr_strings.h>

#include <string.h>

static const char *place_of(const char *table, apr_int64_t id, const char *column, apr_pool_t *p)
{
    return apr_psprintf(p, "%s/%" APR_INT64_T_FMT "/%s", table, id, column);
}

static esign_result_t refuse_value(const char *place, apr_status_t status, apr_pool_t *p)
{
    return esign_result_make(
        p, status, "database",
        "%s cannot be unsealed: it was changed or moved, or its key is not in the key file", place);
}

esign_result_t esign_sealed_make(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *clear, const char **sealed,
                                 apr_pool_t *p)
{
    return esign_seal(keyring, ESIGN_KEY_DATABASE, place_of(table, id, column, p), clear,
                      strlen(clear), sealed, p);
}

esign_result_t esign_sealed_open(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                 const char *column, const char *sealed, const char **clear,
                                 apr_pool_t *p)
{
    char *opened;
    apr_size_t length;
    const char *here = place_of(table, id, column, p);
    esign_result_t result =
        esign_unseal(keyring, ESIGN_KEY_DATABASE, here, sealed ? sealed : "", &opened, &length, p);
    if (esign_failed(result))
        return refuse_value(here, result.status, p);
    *clear = opened;
    return ESIGN_OK;
}

/* A PHC string up to its last `$`, which is included; "" when it has none. */
static const char *phc_head(const char *phc, apr_pool_t *p)
{
    const char *last = strrchr(phc, '$');
    return apr_pstrmemdup(p, phc, last ? (apr_size_t)(last + 1 - phc) : 0);
}

esign_result_t esign_sealed_make_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *phc,
                                      const char **sealed, apr_pool_t *p)
{
    const char *head = phc_head(phc, p), *hash = phc + strlen(head), *rest;
    esign_result_t result = esign_seal(
        keyring, ESIGN_KEY_PEPPER, apr_pstrcat(p, place_of(table, id, column, p), "/", head, NULL),
        hash, strlen(hash), &rest, p);
    if (!esign_failed(result))
        *sealed = apr_pstrcat(p, head, rest, NULL);
    return result;
}

esign_result_t esign_sealed_open_hash(const esign_keyring_t *keyring, const char *table,
                                      apr_int64_t id, const char *column, const char *sealed,
                                      const char **phc, apr_pool_t *p)
{
    char *hash;
    apr_size_t length;
    const char *head = phc_head(sealed, p), *here = place_of(table, id, column, p);
    apr_size_t before = strlen(head);
    esign_result_t result =
        esign_unseal(keyring, ESIGN_KEY_PEPPER, apr_pstrcat(p, here, "/", head, NULL),
                     sealed + before, &hash, &length, p);
    if (esign_failed(result))
        return refuse_value(here, result.status, p);
    char *whole = esign_secret_alloc(p, before + length + 1);
    memcpy(whole, head, before);
    memcpy(whole + before, hash, length);
    *phc = whole;
    return ESIGN_OK;
}

esign_result_t esign_sealed_renew(const esign_keyring_t *keyring, const char *table, apr_int64_t id,
                                  const char *column, const char *old, const char **new,
                                  apr_pool_t *p)
{
    const char *clear;
    *new = old;
    if (!old || !*old)
        return ESIGN_OK;
    esign_result_t result = esign_sealed_open(keyring, table, id, column, old, &clear, p);
    return esign_failed(result) ? result
                                : esign_sealed_make(keyring, table, id, column, clear, new, p);
}

int esign_sealed_key(const char *sealed)
{
    const char *last = strrchr(sealed, '$');
    return esign_seal_key_id(last ? last + 1 : sealed);
}
