/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: the commands that make, rotate and retire keys. */
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

#define AUDIT_BATCH 100

/* Rows of the audit trail by the keys of the file. */
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

/* The audit trail in the same way as the other tables; its head is the last. */
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

/* Everything that is sealed in the database. */
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

/* A row is missed when somebody changed it at that very moment: another way through the table finds
 * it. */
#define WAYS 5
#define LONGEST_REST apr_time_from_msec(100)

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

/* Tells the audit trail what was done to the key file; an exit code. */
static int note(esign_database_t *database, esign_audit_event_e event, apr_pool_t *p)
{
    esign_result_t result = esign_audit_add(database, event, ESIGN_SUBSCRIBER_NONE,
                                            ESIGN_AUDIT_LOCAL, apr_time_now(), p);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT,
                                  "it is done, but the audit trail could not be told: %s",
                                  result.detail);
    return ESIGN_EXIT_OK;
}

/* The nodes that run now. */
static esign_result_t list_nodes(esign_database_t *database, const apr_array_header_t **nodes,
                                 apr_pool_t *p)
{
    return esign_node_list(database, apr_time_now() - ESIGN_NODE_EXPIRY, nodes, p);
}

/* Ids of keys that a running node has: a key that was added, read and retired again before it was
 * active would have a namesake. */
static esign_result_t find_taken(esign_database_t *database,
                                 unsigned char taken[ESIGN_KEY_MAX_ID + 1], apr_pool_t *p)
{
    const apr_array_header_t *nodes;
    esign_result_t result = list_nodes(database, &nodes, p);
    memset(taken, 0, ESIGN_KEY_MAX_ID + 1);
    for (int i = 0; !esign_failed(result) && i < nodes->nelts; i++)
        for (int id = 1; id <= ESIGN_KEY_MAX_ID; id++)
            taken[id] |=
                (unsigned char)esign_node_has_key(&APR_ARRAY_IDX(nodes, i, esign_node_t), id);
    return result;
}

int esign_command_key_add(const esign_command_t *command)
{
    esign_database_t *database;
    int id;
    unsigned char taken[ESIGN_KEY_MAX_ID + 1];
    esign_result_t result = esign_settings_database(command->settings, 1, &database, command->pool);
    if (!esign_failed(result))
        result = find_taken(database, taken, command->pool);
    if (!esign_failed(result))
        result = esign_key_file_add(command->settings->key_file, taken, &id, command->pool);
    if (esign_failed(result))
        return esign_command_fail_result(result);
    printf("key %d is added, and not active yet. Give the file to every node and reload httpd "
           "there; then: esignctl key rotate\n",
           id);
    return note(database, ESIGN_AUDIT_KEY_ADDED, command->pool);
}

/* One way through a table. Between batches it rests as long as it worked: others want to write,
 * too. */
static esign_result_t go_through(esign_database_t *database, size_t table, int write,
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
            apr_sleep(worked < LONGEST_REST ? worked : LONGEST_REST);
    }
    if (esign_failed(result))
        result = esign_result_make(p, result.status, result.problem, "%s", result.detail);
    apr_pool_destroy(batch);
    return result;
}

/* A running node that could not open what is sealed under key `id`; NULL when all have it. */
static esign_result_t find_stranger(esign_database_t *database, int id, const char **name,
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

/* Why key `id` cannot be taken from the nodes that run, NULL when it can: one seals with it, or did
 * so until something of it may live still. */
static esign_result_t find_user(esign_database_t *database, int id, const char **why, apr_pool_t *p)
{
    const apr_array_header_t *nodes;
    esign_result_t result = list_nodes(database, &nodes, p);
    *why = NULL;
    for (int i = 0; !esign_failed(result) && i < nodes->nelts; i++) {
        const esign_node_t *node = &APR_ARRAY_IDX(nodes, i, esign_node_t);
        /* Children from before the reload take a moment to end. */
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

/* Counts the rows of all tables by key. */
static esign_result_t count_rows(esign_database_t *database, esign_reseal_t runs[TABLES],
                                 apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (size_t i = 0; i < TABLES && !esign_failed(result); i++)
        result = go_through(database, i, 0, &runs[i], p);
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

/* Re-seals one table and tells; `*done` grows by the rows that were, `*left` by those that still
 * need another key than the active one. */
static esign_result_t rotate_table(esign_database_t *database, size_t table, apr_int64_t *done,
                                   apr_int64_t *left, apr_pool_t *p)
{
    esign_reseal_t *run = apr_palloc(p, sizeof(*run));
    esign_result_t result;
    apr_int64_t resealed = 0;
    int ways = 0;
    do {
        result = go_through(database, table, 1, run, p);
        resealed += run->resealed;
    } while (!esign_failed(result) && run->missed && ++ways < WAYS);
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

/* While nobody registers: who began to with the older key has ended before, and who begins later
 * sees the new one (esign_registrar_begin). */
static esign_result_t activate(esign_database_t *database, const char *path, int *activated,
                               apr_pool_t *p)
{
    esign_result_t result = esign_subscriber_begin(database, p);
    if (!esign_failed(result))
        result = esign_key_file_activate(path, activated, p);
    return esign_database_end(database, result, p);
}

/* Opens the database and makes the added key the active one, in the file and for the database:
 * unless the database cannot be opened, or a node could not open what is sealed anew; an exit code.
 */
static int prepare(const esign_command_t *command, esign_database_t **database)
{
    apr_pool_t *p = command->pool;
    const char *stranger = NULL;
    int id = 0, activated;
    esign_result_t result = esign_settings_database(command->settings, 1, database, p);
    if (!esign_failed(result)) {
        int next = esign_keyring_next((*database)->keyring);
        id = next ? next : esign_keyring_active((*database)->keyring);
        result = find_stranger(*database, id, &stranger, p);
    }
    if (stranger)
        return esign_command_fail(
            ESIGN_EXIT_REFUSED,
            "httpd on %s does not have key %d: give it the key file and reload httpd there",
            stranger, id);
    if (!esign_failed(result))
        result = activate(*database, command->settings->key_file, &activated, p);
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
    int code = prepare(command, &database);
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
    return resealed ? note(database, ESIGN_AUDIT_KEY_ROTATED, command->pool) : ESIGN_EXIT_OK;
}

/* "12 of subscriber, 3 of card"; NULL: no row needs the key. */
static const char *needs_of(const esign_reseal_t runs[TABLES], int id, apr_pool_t *p)
{
    const char *text = NULL;
    for (size_t i = 0; i < TABLES; i++)
        if (runs[i].needed[id])
            text = apr_psprintf(p, "%s%s%" APR_INT64_T_FMT " of %s", text ? text : "",
                                text ? ", " : "", runs[i].needed[id], tables[i].name);
    return text;
}

/* What keeps a key that is in the file and not its active one; NULL: nothing does. */
static esign_result_t find_need(esign_database_t *database, int id, const char **why, apr_pool_t *p)
{
    esign_reseal_t *runs = apr_pcalloc(p, sizeof(*runs) * TABLES);
    esign_result_t result = count_rows(database, runs, p);
    const char *needs = needs_of(runs, id, p);
    *why = NULL;
    if (needs)
        *why = apr_psprintf(p,
                            "it is needed by rows (%s): esignctl key rotate re-seals them, and "
                            "names those that were changed: put them back or remove them",
                            needs);
    else if (!esign_failed(result) && id != esign_keyring_next(database->keyring))
        result = find_user(database, id, why, p);
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
    /* The file itself refuses the active key and one that it does not have. */
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
    return note(database, ESIGN_AUDIT_KEY_RETIRED, p);
}
