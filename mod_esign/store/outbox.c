/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c: reads and writes rows of the table outbox. */
#include "outbox.h"

#include "core/digest.h"
#include "core/record.h"
#include "sealed.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[ESIGN_OUTBOX_KINDS] = { "reset-request", "code", "notice" };

const char *esign_outbox_kind_name(esign_outbox_kind_e kind)
{
    return kind < ESIGN_OUTBOX_KINDS ? kind_names[kind] : "unknown";
}

/* The values as one text. It also has the columns kind and expires, so that both are sealed: with
 * them changed in the table, the message is not sent as another kind, nor after its time. */
static const char *encode_body(const apr_table_t *values, esign_outbox_kind_e kind,
                               apr_time_t expires, apr_pool_t *p)
{
    apr_table_t *whole = apr_table_copy(p, values);
    apr_table_setn(whole, "kind", esign_outbox_kind_name(kind));
    apr_table_setn(whole, "expires", apr_psprintf(p, "%" APR_INT64_T_FMT, expires));
    return esign_record_encode(p, whole);
}

/* Whether kind and expires of a row agree with the sealed ones. */
static int matches_body(const esign_outbox_message_t *message)
{
    const char *kind = apr_table_get(message->values, "kind");
    return kind && strcmp(kind, esign_outbox_kind_name(message->kind)) == 0 &&
           message->expires <= esign_record_number(message->values, "expires", 0);
}

esign_result_t esign_outbox_add(esign_database_t *database, esign_outbox_kind_e kind,
                                const apr_table_t *values, apr_time_t now, apr_time_t expires,
                                apr_pool_t *p)
{
    apr_int64_t id = esign_digest_random_id(), number = kind;
    const char *body;
    esign_result_t result = esign_sealed_make(database->keyring, "outbox", id, "body",
                                              encode_body(values, kind, expires, p), &body, p);
    if (esign_failed(result))
        return result;
    return esign_database_write(database, "outbox_add",
                                ESIGN_SQL(&id, &number, body, &now, &now, &expires), NULL, p);
}

/* The values of a body; NULL when it cannot be unsealed. */
static const apr_table_t *open_body(esign_database_t *database, apr_int64_t id, const char *sealed,
                                    apr_pool_t *p)
{
    const char *body;
    return esign_failed(
               esign_sealed_open(database->keyring, "outbox", id, "body", sealed, &body, p))
               ? NULL
               : esign_record_decode(p, body, strlen(body));
}

esign_result_t esign_outbox_due(esign_database_t *database, apr_time_t now,
                                int due[ESIGN_OUTBOX_KINDS], apr_pool_t *p)
{
    const apr_array_header_t *rows;
    memset(due, 0, sizeof(*due) * ESIGN_OUTBOX_KINDS);
    esign_result_t result =
        esign_database_read(database, "outbox_due", ESIGN_SQL(&now, &now, &now), 1, &rows, p);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++)
        due[esign_database_number(APR_ARRAY_IDX(rows, i, const char *const *), 0)] = 1;
    return result;
}

/* A row of "outbox_lease" as a message. `*good` 0: its values do not open, and it is given up. */
static esign_result_t read_leased(esign_database_t *database, const char *owner,
                                  const char *const *row, esign_outbox_message_t *message,
                                  int *good, apr_pool_t *p)
{
    enum { ID, KIND, BODY, CREATED, DUE, EXPIRES, ATTEMPTS, GATEWAYS, AWAITED, ERROR };
    *message =
        (esign_outbox_message_t){ .id = esign_database_number(row, ID),
                                  .kind = (esign_outbox_kind_e)esign_database_number(row, KIND),
                                  .created = esign_database_number(row, CREATED),
                                  .due = esign_database_number(row, DUE),
                                  .expires = esign_database_number(row, EXPIRES),
                                  .attempts = (int)esign_database_number(row, ATTEMPTS),
                                  .gateways = esign_database_number(row, GATEWAYS),
                                  .awaited = (int)esign_database_number(row, AWAITED),
                                  .state = "leased",
                                  .has_values = 1,
                                  .error = row[ERROR] };
    message->values = open_body(database, message->id, row[BODY], p);
    *good = message->values != NULL && matches_body(message);
    if (*good)
        return ESIGN_OK;
    return esign_outbox_give_up(database, owner, message->id, "cannot be unsealed", p);
}

/* For qsort: an UPDATE … RETURNING returns its rows in any order. */
static int compare_due(const void *one, const void *other)
{
    apr_time_t a = ((const esign_outbox_message_t *)one)->due,
               b = ((const esign_outbox_message_t *)other)->due;
    return (a > b) - (a < b);
}

esign_result_t esign_outbox_lease(esign_database_t *database, const char *owner,
                                  esign_outbox_kind_e kind, int max, apr_time_t now,
                                  apr_interval_time_t lease, const apr_array_header_t **messages,
                                  int *unreadable, apr_pool_t *p)
{
    enum { LEASED_COLUMNS = 10 };
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(esign_outbox_message_t));
    const apr_array_header_t *rows;
    apr_int64_t until = now + lease, number = kind, most = max;
    *messages = list;
    *unreadable = 0;
    esign_result_t result = esign_database_read(
        database, "outbox_lease",
        ESIGN_SQL(owner, &until, &now, &now, &number, &now, &now, &now, owner, &most),
        LEASED_COLUMNS, &rows, p);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        int good;
        esign_outbox_message_t *message = apr_array_push(list);
        result = read_leased(database, owner, APR_ARRAY_IDX(rows, i, const char *const *), message,
                             &good, p);
        if (!good) {
            apr_array_pop(list);
            ++*unreadable;
        }
    }
    qsort(list->elts, (size_t)list->nelts, (size_t)list->elt_size, compare_due);
    return result;
}

esign_result_t esign_outbox_renew(esign_database_t *database, const char *owner, apr_time_t until,
                                  const apr_array_header_t **ids, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "outbox_renew", ESIGN_SQL(&until, owner), 1, &rows, p);
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(apr_int64_t));
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++)
        APR_ARRAY_PUSH(list, apr_int64_t) =
            esign_database_number(APR_ARRAY_IDX(rows, i, const char *const *), 0);
    *ids = list;
    return result;
}

esign_result_t esign_outbox_done(esign_database_t *database, const char *owner, apr_int64_t id,
                                 apr_pool_t *p)
{
    return esign_database_write(database, "outbox_done", ESIGN_SQL(&id, owner), NULL, p);
}

esign_result_t esign_outbox_retry(esign_database_t *database, const char *owner, apr_int64_t id,
                                  apr_time_t due, const char *error, apr_pool_t *p)
{
    return esign_database_write(database, "outbox_retry", ESIGN_SQL(&due, error, &id, owner), NULL,
                                p);
}

esign_result_t esign_outbox_release(esign_database_t *database, const char *owner, apr_int64_t id,
                                    apr_time_t due, const char *error, apr_pool_t *p)
{
    return esign_database_write(database, "outbox_release", ESIGN_SQL(&due, error, &id, owner),
                                NULL, p);
}

esign_result_t esign_outbox_next_gateway(esign_database_t *database, const char *owner,
                                         apr_int64_t id, int gateway, int accepted, apr_time_t now,
                                         apr_time_t due, const char *error, apr_pool_t *p)
{
    apr_int64_t bit = APR_INT64_C(1) << gateway, number = gateway, taken = accepted;
    return esign_database_write(
        database, "outbox_next_gateway",
        ESIGN_SQL(&bit, &now, &due, &bit, &bit, &taken, &number, error, &id, owner), NULL, p);
}

esign_result_t esign_outbox_delivered(esign_database_t *database, apr_int64_t id, int *counted,
                                      apr_pool_t *p)
{
    return esign_database_write(database, "outbox_delivered", ESIGN_SQL(&id), counted, p);
}

esign_result_t esign_outbox_undelivered(esign_database_t *database, apr_int64_t id, int gateway,
                                        apr_time_t now, const char *error, int *counted,
                                        apr_pool_t *p)
{
    apr_int64_t bit = APR_INT64_C(1) << gateway, number = gateway;
    return esign_database_write(database, "outbox_undelivered",
                                ESIGN_SQL(&number, &now, &bit, &number, error, &id), counted, p);
}

esign_result_t esign_outbox_give_up(esign_database_t *database, const char *owner, apr_int64_t id,
                                    const char *error, apr_pool_t *p)
{
    return esign_database_write(database, "outbox_give_up", ESIGN_SQL(error, &id, owner), NULL, p);
}

esign_result_t esign_outbox_expire(esign_database_t *database, apr_time_t now,
                                   int counts[ESIGN_OUTBOX_KINDS], int *unreported, apr_pool_t *p)
{
    esign_result_t result =
        esign_database_write(database, "outbox_unreported", ESIGN_SQL(&now, &now), unreported, p);
    for (apr_int64_t kind = 0; kind < ESIGN_OUTBOX_KINDS && !esign_failed(result); kind++)
        result = esign_database_write(database, "outbox_expire", ESIGN_SQL(&kind, &now, &now),
                                      &counts[kind], p);
    return esign_failed(result)
               ? result
               : esign_database_write(database, "outbox_empty", ESIGN_SQL(&now), NULL, p);
}

esign_result_t esign_outbox_purge(esign_database_t *database, apr_time_t before, int max,
                                  int *count, apr_pool_t *p)
{
    apr_int64_t most = max;
    esign_result_t result = ESIGN_OK;
    *count = 0;
    for (apr_int64_t kind = 0; kind < ESIGN_OUTBOX_KINDS && !esign_failed(result); kind++) {
        int gone = 0;
        result = esign_database_write(database, "outbox_purge", ESIGN_SQL(&kind, &before, &most),
                                      &gone, p);
        *count += gone;
    }
    return result;
}

esign_result_t esign_outbox_requeue(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                    int *done, apr_pool_t *p)
{
    return esign_database_write(database, "outbox_requeue", ESIGN_SQL(&now, &id, &now, &now), done,
                                p);
}

esign_result_t esign_outbox_drop(esign_database_t *database, apr_int64_t id, apr_time_t now,
                                 int *done, apr_pool_t *p)
{
    return esign_database_write(database, "outbox_drop", ESIGN_SQL(&id, &now), done, p);
}

esign_result_t esign_outbox_values(esign_database_t *database, apr_int64_t id,
                                   const apr_table_t **values, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "outbox_body", ESIGN_SQL(&id), 1, &rows, p);
    *values = esign_failed(result) || rows->nelts == 0
                  ? NULL
                  : open_body(database, id, APR_ARRAY_IDX(rows, 0, const char *const *)[0], p);
    return result;
}

/* The columns of "outbox_get" and "outbox_list". */
enum {
    ID,
    KIND,
    CREATED,
    DUE,
    EXPIRES,
    ATTEMPTS,
    DEAD,
    LEASE_UNTIL,
    AWAITED,
    ERROR,
    HAS_VALUES,
    COLUMNS
};

/* A row of "outbox_get" or "outbox_list" as a message. */
static esign_outbox_message_t read_listed(const char *const *row)
{
    int dead = esign_database_number(row, DEAD) != 0,
        leased = esign_database_number(row, LEASE_UNTIL) > apr_time_now();
    int awaited = (int)esign_database_number(row, AWAITED);
    return (esign_outbox_message_t){ .id = esign_database_number(row, ID),
                                     .kind = (esign_outbox_kind_e)esign_database_number(row, KIND),
                                     .created = esign_database_number(row, CREATED),
                                     .due = esign_database_number(row, DUE),
                                     .expires = esign_database_number(row, EXPIRES),
                                     .attempts = (int)esign_database_number(row, ATTEMPTS),
                                     .awaited = awaited,
                                     .state = dead           ? "dead"
                                              : leased       ? "leased"
                                              : awaited >= 0 ? "sent"
                                                             : "waiting",
                                     .has_values = esign_database_number(row, HAS_VALUES) != 0,
                                     .error = row[ERROR] };
}

esign_result_t esign_outbox_get(esign_database_t *database, apr_int64_t id,
                                const esign_outbox_message_t **message, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "outbox_get", ESIGN_SQL(&id), COLUMNS, &rows, p);
    *message = NULL;
    if (!esign_failed(result) && rows->nelts > 0) {
        esign_outbox_message_t found = read_listed(APR_ARRAY_IDX(rows, 0, const char *const *));
        *message = apr_pmemdup(p, &found, sizeof(found));
    }
    return result;
}

esign_result_t esign_outbox_list(esign_database_t *database, int max,
                                 const apr_array_header_t **messages, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    apr_int64_t most = max;
    esign_result_t result =
        esign_database_read(database, "outbox_list", ESIGN_SQL(&most), COLUMNS, &rows, p);
    if (esign_failed(result))
        return result;
    apr_array_header_t *list = apr_array_make(p, rows->nelts, sizeof(esign_outbox_message_t));
    for (int i = 0; i < rows->nelts; i++)
        APR_ARRAY_PUSH(list, esign_outbox_message_t) =
            read_listed(APR_ARRAY_IDX(rows, i, const char *const *));
    *messages = list;
    return ESIGN_OK;
}

esign_result_t esign_outbox_depths(esign_database_t *database,
                                   esign_outbox_depth_t depths[ESIGN_OUTBOX_KINDS], apr_pool_t *p)
{
    enum { OF_KIND, IS_DEAD, COUNT, SENT, OLDEST, DEPTH_COLUMNS };
    const apr_array_header_t *rows;
    esign_result_t result =
        esign_database_read(database, "outbox_depths", ESIGN_SQL(NULL), DEPTH_COLUMNS, &rows, p);
    memset(depths, 0, sizeof(*depths) * ESIGN_OUTBOX_KINDS);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        const char *const *row = APR_ARRAY_IDX(rows, i, const char *const *);
        apr_int64_t kind = esign_database_number(row, OF_KIND),
                    count = esign_database_number(row, COUNT);
        if (kind < 0 || kind >= ESIGN_OUTBOX_KINDS)
            continue;
        esign_outbox_depth_t *depth = &depths[kind];
        if (esign_database_number(row, IS_DEAD) != 0) {
            depth->dead += count;
            continue;
        }
        depth->sent += esign_database_number(row, SENT);
        depth->waiting += count - esign_database_number(row, SENT);
        depth->oldest = esign_database_number(row, OLDEST);
    }
    return result;
}

static esign_result_t renew_body(const esign_keyring_t *keyring, apr_int64_t id,
                                 const char *const *old, const char **new, apr_pool_t *p)
{
    return esign_sealed_renew(keyring, "outbox", id, "body", old[0], &new[0], p);
}

/* Each row is its own transaction. A courier's lease locks many rows in its own order, so that a
 * transaction over many rows could end in PostgreSQL's "deadlock detected". */
esign_result_t esign_outbox_reseal(esign_database_t *database, esign_reseal_t *run, apr_pool_t *p)
{
    static const esign_reseal_table_t table = { "outbox_sealed", "outbox_reseal", .values = 1,
                                                .together = 0, .renew = renew_body };
    return esign_reseal_rows(database, &table, run, p);
}
