/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: the commands `key new`, `add`, `list`, `rotate` and `retire`. */
#include "command.h"

#include "audit/reseal.h"
#include "audit/trail.h"
#include "core/iso_time.h"
#include "store/card.h"
#include "store/node.h"
#include "store/outbox.h"
#include "store/reseal.h"
#include "store/subscriber.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdio.h>
#include <string.h>

/* Audit rows of one transaction. */
#define AUDIT_BATCH 100

/* Counts the audit rows that need each key of the file. */
static esign_result_t count_audit(esign_database_t *database, esign_reseal_t *run, apr_pool_t *p)
{
    const int *ids;
    int count = esign_keyring_ids(database->keyring, &ids);
    esign_result_t result = ESIGN_OK;
    for (int i = 0; i < count && !esign_failed(result); i++) {
        result = esign_audit_count_key(database, ids[i], &run->needed[ids[i]], p);
        run->rows += run->needed[ids[i]];
    }
    return result;
}

/* An esign_reseal_fn for the audit trail: one batch of rows, and the trail's head at the end. */
static esign_result_t reseal_audit(esign_database_t *database, esign_reseal_t *run, apr_pool_t *p)
{
    int sealed = 0, refused = 0, head = 0;
    esign_result_t result =
        run->write ? esign_audit_reseal(database, &run->after, AUDIT_BATCH, &sealed, &refused, p)
                   : ESIGN_OK;
    run->ended = run->after == 0;
    if (run->write && run->ended && !esign_failed(result))
        result = esign_audit_reseal_head(database, &head, p);
    run->resealed += sealed + head;
    run->refused += refused;
    run->refusal = "esignctl audit verify tells";
    return esign_failed(result) || !run->ended ? result : count_audit(database, run, p);
}

/* The tables with sealed columns. */
static const struct {
    const char *name;
    esign_reseal_fn *reseal;
} tables[] = {
    { "subscriber", esign_subscriber_reseal },
    { "card", esign_card_reseal },
    { "outbox", esign_outbox_reseal },
    { "audit", reseal_audit },
};

#define TABLES (sizeof(tables) / sizeof(*tables))

/* A row that another process changes at the same moment is missed. Further passes over the table
 * find it; after this many the command reports the others. */
#define PASSES_MAX 5

/* The longest pause between two batches. */
#define PAUSE_MAX apr_time_from_msec(100)

int esign_command_key_new(const esign_command_t *command)
{
    const char *path = command->arguments->nelts ? esign_command_argument(command, 0)
                                                 : command->settings->key_file;
    if (!path)
        return esign_command_fail(ESIGN_EXIT_USAGE,
                                  "name the file: esignctl key new FILE, or EsignKeyFile in %s",
                                  command->settings->path);
    esign_result_t result = esign_key_file_create(path, command->pool);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}

/* Adds the audit row of a change to the key file. Returns an exit code. */
static int add_audit_row(esign_database_t *database, esign_audit_event_e event, apr_pool_t *p)
{
    esign_result_t result = esign_audit_add(database, event, ESIGN_SUBSCRIBER_NONE,
                                            ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT,
                                  "it is done, but the audit trail could not be told: %s",
                                  result.detail);
    return ESIGN_EXIT_OK;
}

/* The nodes that run now, esign_node_t. */
static esign_result_t list_nodes(esign_database_t *database, const apr_array_header_t **nodes,
                                 apr_pool_t *p)
{
    return esign_node_list(database, apr_time_now() - ESIGN_NODE_EXPIRY, nodes, p);
}

/* Marks the ids of keys that a running node has. A new key must not get the id of a key that nodes
 * have read, and that was retired before it became active. */
static esign_result_t find_used_ids(esign_database_t *database,
                                    unsigned char used[ESIGN_KEY_MAX_ID + 1], apr_pool_t *p)
{
    const apr_array_header_t *nodes;
    esign_result_t result = list_nodes(database, &nodes, p);
    memset(used, 0, ESIGN_KEY_MAX_ID + 1);
    for (int i = 0; !esign_failed(result) && i < nodes->nelts; i++)
        for (int id = 1; id <= ESIGN_KEY_MAX_ID; id++)
            used[id] |=
                (unsigned char)esign_node_has_key(&APR_ARRAY_IDX(nodes, i, esign_node_t), id);
    return result;
}

int esign_command_key_add(const esign_command_t *command)
{
    esign_database_t *database;
    int id;
    unsigned char used[ESIGN_KEY_MAX_ID + 1];
    esign_result_t result = esign_settings_database(command->settings, 1, &database, command->pool);
    if (!esign_failed(result))
        result = find_used_ids(database, used, command->pool);
    if (!esign_failed(result))
        result = esign_key_file_add(command->settings->key_file, used, &id, command->pool);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("key %d is added, and not active yet. Give the file to every node and reload httpd "
           "there; then: esignctl key rotate\n",
           id);
    return add_audit_row(database, ESIGN_AUDIT_KEY_ADDED, command->pool);
}

/* Counts or re-seals one table, batch by batch. It pauses after a batch as long as the batch took,
 * so that others can write. */
static esign_result_t pass_over(esign_database_t *database, size_t table, int write,
                                esign_reseal_t *run, apr_pool_t *p)
{
    apr_pool_t *batch;
    esign_result_t result = ESIGN_OK;
    *run = (esign_reseal_t){ .write = write, .pool = p };
    apr_pool_create(&batch, p);
    while (!esign_failed(result) && !run->ended) {
        apr_time_t began = apr_time_now();
        apr_int64_t before = run->resealed;
        apr_pool_clear(batch);
        result = tables[table].reseal(database, run, batch);
        apr_interval_time_t worked = apr_time_now() - began;
        if (run->resealed > before)
            apr_sleep(worked < PAUSE_MAX ? worked : PAUSE_MAX);
    }
    if (esign_failed(result))
        result = esign_result_make(p, result.status, result.problem, "%s", result.detail);
    apr_pool_destroy(batch);
    return result;
}

/* Finds a running node without key `id`, which could not open seals under it. NULL: all have it. */
static esign_result_t find_node_without(esign_database_t *database, int id, const char **name,
                                        apr_pool_t *p)
{
    const apr_array_header_t *nodes;
    esign_result_t result = list_nodes(database, &nodes, p);
    *name = NULL;
    for (int i = 0; !esign_failed(result) && i < nodes->nelts; i++)
        if (!esign_node_has_key(&APR_ARRAY_IDX(nodes, i, esign_node_t), id))
            *name = esign_command_printable(p, APR_ARRAY_IDX(nodes, i, esign_node_t).name);
    return result;
}

/* Why running nodes still need key `id`, NULL if they do not. A node needs the key that it seals
 * with, and needs an older one until the last link or session under it has expired. */
static esign_result_t find_node_need(esign_database_t *database, int id, const char **why,
                                     apr_pool_t *p)
{
    const apr_array_header_t *nodes;
    esign_result_t result = list_nodes(database, &nodes, p);
    *why = NULL;
    for (int i = 0; !esign_failed(result) && i < nodes->nelts; i++) {
        const esign_node_t *node = &APR_ARRAY_IDX(nodes, i, esign_node_t);
        /* Children of the configuration before the reload seal a little longer. */
        apr_time_t end = node->since + ESIGN_NODE_INTERVAL + node->life;
        if (esign_node_active_key(node) == id)
            *why = apr_psprintf(
                p, "httpd on %s still seals with it: give it the key file and reload httpd there",
                esign_command_printable(p, node->name));
        else if (esign_node_has_key(node, id) && end > apr_time_now())
            *why = apr_psprintf(p, "links and sessions of %s may need it until %s",
                                esign_command_printable(p, node->name), esign_iso_time(p, end));
    }
    return result;
}

/* Counts the rows of all tables that need each key. */
static esign_result_t count_rows(esign_database_t *database, esign_reseal_t runs[TABLES],
                                 apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (size_t i = 0; i < TABLES && !esign_failed(result); i++)
        result = pass_over(database, i, 0, &runs[i], p);
    return result;
}

static const char *state_of(const esign_keyring_t *keyring, int id)
{
    if (!esign_keyring_key(keyring, ESIGN_KEY_DATABASE, id))
        return "missing";
    return id == esign_keyring_active(keyring) ? "active"
           : id == esign_keyring_next(keyring) ? "next"
                                               : "older";
}

int esign_command_key_list(const esign_command_t *command)
{
    esign_database_t *database;
    const apr_array_header_t *nodes;
    apr_pool_t *p = command->pool;
    esign_reseal_t *runs = apr_pcalloc(p, sizeof(*runs) * TABLES);
    esign_result_t result = esign_settings_database(command->settings, 1, &database, p);
    if (!esign_failed(result))
        result = count_rows(database, runs, p);
    if (!esign_failed(result))
        result = list_nodes(database, &nodes, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("%-4s %-8s", "KEY", "STATE");
    for (size_t i = 0; i < TABLES; i++)
        printf(" %12s", tables[i].name);
    for (int id = 1; id < ESIGN_RESEAL_KEYS; id++) {
        apr_int64_t needed = 0;
        for (size_t i = 0; i < TABLES; i++)
            needed += runs[i].needed[id];
        if (!needed && !esign_keyring_key(database->keyring, ESIGN_KEY_DATABASE, id))
            continue;
        printf("\n%-4d %-8s", id, state_of(database->keyring, id));
        for (size_t i = 0; i < TABLES; i++)
            printf(" %12" APR_INT64_T_FMT, runs[i].needed[id]);
    }
    puts("");
    for (int i = 0; i < nodes->nelts; i++) {
        const esign_node_t *node = &APR_ARRAY_IDX(nodes, i, esign_node_t);
        printf("%s has keys %s since %s\n", esign_command_printable(p, node->name),
               esign_command_printable(p, node->keys), esign_iso_time(p, node->since));
    }
    return ESIGN_EXIT_OK;
}

/* Re-seals one table and prints the figures. Adds the re-sealed rows to `*done`, and the rows that
 * still need another key than the active one to `*left`. */
static esign_result_t rotate_table(esign_database_t *database, size_t table, apr_int64_t *done,
                                   apr_int64_t *left, apr_pool_t *p)
{
    esign_reseal_t *run = apr_palloc(p, sizeof(*run));
    esign_result_t result;
    apr_int64_t resealed = 0;
    int passes = 0;
    do {
        result = pass_over(database, table, 1, run, p);
        resealed += run->resealed;
    } while (!esign_failed(result) && run->missed && ++passes < PASSES_MAX);
    if (esign_failed(result))
        return result;
    printf("%s: %" APR_INT64_T_FMT " rows, %" APR_INT64_T_FMT " re-sealed\n", tables[table].name,
           run->rows, resealed);
    if (run->refused)
        esign_command_fail(ESIGN_EXIT_REFUSED,
                           "%" APR_INT64_T_FMT
                           " rows of %s stay as they are, the first of them: %s",
                           run->refused, tables[table].name, run->refusal);
    if (run->missed)
        esign_command_fail(
            ESIGN_EXIT_REFUSED,
            "%" APR_INT64_T_FMT
            " rows of %s were changed by somebody each time: run the same command again",
            run->missed, tables[table].name);
    *done += resealed;
    *left += run->missed + run->refused;
    return ESIGN_OK;
}

/* Makes the added key the active one, in a transaction that excludes registrations. An earlier
 * registration has ended under the older key, and a later one reads the new key
 * (esign_registrar_begin). */
static esign_result_t activate_key(esign_database_t *database, const char *path, int *activated,
                                   apr_pool_t *p)
{
    esign_result_t result = esign_subscriber_begin(database, p);
    if (!esign_failed(result))
        result = esign_key_file_activate(path, activated, p);
    return esign_database_end(database, result, p);
}

/* Opens the database and makes the added key the active one, in the file and in `*database`. A
 * running node without that key prevents it. Returns an exit code. */
static int prepare_rotation(const esign_command_t *command, esign_database_t **database)
{
    apr_pool_t *p = command->pool;
    const char *lacking = NULL;
    int id = 0, activated;
    esign_result_t result = esign_settings_database(command->settings, 1, database, p);
    if (!esign_failed(result)) {
        int next = esign_keyring_next((*database)->keyring);
        id = next ? next : esign_keyring_active((*database)->keyring);
        result = find_node_without(*database, id, &lacking, p);
    }
    if (lacking)
        return esign_command_fail(
            ESIGN_EXIT_REFUSED,
            "httpd on %s does not have key %d: give it the key file and reload httpd there",
            lacking, id);
    if (!esign_failed(result))
        result = activate_key(*database, command->settings->key_file, &activated, p);
    if (!esign_failed(result))
        result = esign_settings_keyring(command->settings, &(*database)->keyring, p);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("key %d is the active key%s\n", esign_keyring_active((*database)->keyring),
           activated ? " now" : "");
    fflush(stdout);
    return ESIGN_EXIT_OK;
}

int esign_command_key_rotate(const esign_command_t *command)
{
    esign_database_t *database;
    apr_int64_t resealed = 0, left = 0;
    esign_result_t result = ESIGN_OK;
    int code = prepare_rotation(command, &database);
    if (code != ESIGN_EXIT_OK)
        return code;
    for (size_t i = 0; i < TABLES && !esign_failed(result); i++)
        result = rotate_table(database, i, &resealed, &left, command->pool);
    if (esign_failed(result))
        return esign_command_fail(
            ESIGN_EXIT_ENVIRONMENT,
            "%s: %s; what was re-sealed stays so, and the same command goes on", result.problem,
            result.detail);
    if (left)
        return ESIGN_EXIT_REFUSED;
    puts("An httpd that has not read this file since still seals under an older key: give it to "
         "every node, reload httpd there, and run key rotate once more.");
    return resealed ? add_audit_row(database, ESIGN_AUDIT_KEY_ROTATED, command->pool)
                    : ESIGN_EXIT_OK;
}

/* "12 of subscriber, 3 of card"; NULL: no row needs the key. */
static const char *format_needs(const esign_reseal_t runs[TABLES], int id, apr_pool_t *p)
{
    const char *text = NULL;
    for (size_t i = 0; i < TABLES; i++)
        if (runs[i].needed[id])
            text = apr_psprintf(p, "%s%s%" APR_INT64_T_FMT " of %s", text ? text : "",
                                text ? ", " : "", runs[i].needed[id], tables[i].name);
    return text;
}

/* Why a key of the file that is not active cannot be removed; NULL: it can. */
static esign_result_t find_need(esign_database_t *database, int id, const char **why, apr_pool_t *p)
{
    esign_reseal_t *runs = apr_pcalloc(p, sizeof(*runs) * TABLES);
    esign_result_t result = count_rows(database, runs, p);
    const char *needs = format_needs(runs, id, p);
    *why = NULL;
    if (needs)
        *why = apr_psprintf(p,
                            "it is needed by rows (%s): esignctl key rotate re-seals them, and "
                            "names those that were changed: put them back or remove them",
                            needs);
    else if (!esign_failed(result) && id != esign_keyring_next(database->keyring))
        result = find_node_need(database, id, why, p);
    return result;
}

int esign_command_key_retire(const esign_command_t *command)
{
    esign_database_t *database;
    apr_pool_t *p = command->pool;
    const char *text = esign_command_argument(command, 0), *why = NULL;
    size_t length = strlen(text);
    int id = length <= 3 && strspn(text, "0123456789") == length ? (int)apr_atoi64(text) : 0;
    if (id < 1 || id > ESIGN_KEY_MAX_ID)
        return esign_command_fail(
            ESIGN_EXIT_USAGE,
            "write the key's id, a number from 1 to %d; esignctl key list shows them",
            ESIGN_KEY_MAX_ID);
    esign_result_t result = esign_settings_database(command->settings, 1, &database, p);
    /* esign_key_file_remove refuses the active key, and an id that the file does not have. */
    if (!esign_failed(result) && esign_keyring_key(database->keyring, ESIGN_KEY_DATABASE, id) &&
        id != esign_keyring_active(database->keyring))
        result = find_need(database, id, &why, p);
    if (why)
        return esign_command_fail(ESIGN_EXIT_REFUSED, "key %d cannot go yet: %s", id, why);
    if (!esign_failed(result))
        result = esign_key_file_remove(command->settings->key_file, id, p);
    if (result.status == APR_ENOENT && strcmp(result.problem, "key file") == 0)
        return esign_command_fail(ESIGN_EXIT_REFUSED, "%s", result.detail);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("key %d is retired. Give the file to every node and reload httpd there.\n", id);
    return add_audit_row(database, ESIGN_AUDIT_KEY_RETIRED, p);
}
