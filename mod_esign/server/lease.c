/* SPDX-License-Identifier: Apache-2.0 */
/* lease.c: acquires connections of mod_dbd, and replaces a child whose SQLite file was
 * write-protected. */
#include "lease.h"

#include "retained.h"

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_dbd.h>

#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* A child never exits by itself within this time of its start, so that a lasting fault does not
 * become a fork loop. */
#define MIN_CHILD_LIFE apr_time_from_sec(5)

/* Another child that opens or closes the SQLite file locks it for a moment. */
#define OPEN_TRIES 4
#define OPEN_PAUSE apr_time_from_msec(40)

/* User data of a connection's pool: the dbd_cfg_t that mod_dbd opened it with. */
#define SETTINGS_KEY "mod_esign settings of mod_dbd"

typedef struct {
    esign_database_t database; /* first, so that callers see this part alone */
    ap_dbd_t *connection;
} leased_database_t;

/* When this child started. */
static apr_time_t child_start;

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

static ap_dbd_t *open_connection(const esign_runtime_t *runtime, apr_pool_t *p)
{
    ap_dbd_t *connection = dbd_open(p, runtime->server);
    for (int tries = 1; !connection && tries < OPEN_TRIES; tries++) {
        apr_sleep(OPEN_PAUSE);
        connection = dbd_open(p, runtime->server);
    }
    return connection;
}

esign_database_t *esign_lease_acquire(const esign_runtime_t *runtime, apr_pool_t *p)
{
    ap_dbd_t *connection = open_connection(runtime, p);
    if (!connection) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, runtime->server,
                     "mod_esign: the database cannot be reached (DBDParams)");
        return NULL;
    }
    int sqlite = strcmp(apr_dbd_name(connection->driver), "sqlite3") == 0;
    leased_database_t *leased = apr_pcalloc(p, sizeof(*leased));
    leased->connection = connection;
    leased->database.driver = connection->driver;
    leased->database.handle = connection->handle;
    leased->database.prepared = connection->prepared;
    leased->database.keyring = runtime->keyring;
    leased->database.meter = runtime->meter;
    leased->database.write_gate = sqlite ? esign_retained_write_gate() : NULL;
    leased->database.pool = connection->pool;
    return &leased->database;
}

/* mod_dbd's post_connect: records the settings with the connection. */
static apr_status_t keep_settings(apr_pool_t *p, dbd_cfg_t *settings, ap_dbd_t *connection)
{
    (void)p;
    return apr_pool_userdata_setn(settings, SETTINGS_KEY, NULL, connection->pool);
}

/* The SQLite file, or one of the two that SQLite makes beside it, that this process may not write;
 * NULL: it may write them all. */
static const char *find_protected(const char *path, apr_pool_t *p)
{
    const char *const files[] = { path, apr_pstrcat(p, path, "-wal", NULL),
                                  apr_pstrcat(p, path, "-shm", NULL) };
    for (int i = 0; i < 3; i++)
        if (access(files[i], W_OK) != 0 && (i == 0 || errno != ENOENT))
            return files[i];
    return NULL;
}

/* Ends this child when its SQLite file has become writable again. A file that SQLite opened
 * write-protected stays so until the process has closed its last connection. mod_dbd keeps
 * connections open, because it sees no fault. The exit is immediate: this child has leased no
 * messages, and its requests could not write. httpd has no other way to end one child, and starts
 * another. */
static void replace_child(const esign_runtime_t *runtime, const ap_dbd_t *connection)
{
    void *settings = NULL;
    apr_pool_userdata_get(&settings, SETTINGS_KEY, connection->pool);
    const char *path = settings ? ((const dbd_cfg_t *)settings)->params : NULL;
    if (!path || apr_time_now() - child_start < MIN_CHILD_LIFE)
        return;
    apr_pool_t *p;
    apr_pool_create(&p, connection->pool);
    const char *protected = find_protected(path, p);
    if (protected)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, runtime->server, "mod_esign: %s is write-protected",
                     protected);
    apr_pool_destroy(p);
    if (protected)
        return;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, runtime->server,
                 "mod_esign: %s was opened while it was write-protected: this child ends, and "
                 "httpd starts another",
                 path);
    _exit(APEXIT_OK);
}

void esign_lease_release(const esign_runtime_t *runtime, esign_database_t *database)
{
    leased_database_t *leased = (leased_database_t *)database;
    esign_database_refresh(database);
    if (database->read_only)
        replace_child(runtime, leased->connection);
    dbd_close(runtime->server, leased->connection);
}

/* server/check.c has made sure that mod_dbd is loaded where a portal is configured. */
static int post_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    (void)p, (void)log, (void)temporary, (void)first;
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return OK;
}

static void child_init(apr_pool_t *p, server_rec *first)
{
    (void)p, (void)first;
    child_start = apr_time_now();
}

void esign_lease_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before mod_dbd's own hook, which runs the statements of DBDInitSQL: a pragma that returns a
     * row counts there as a failure, and later hooks do not run. */
    APR_OPTIONAL_HOOK(dbd, post_connect, keep_settings, NULL, NULL, APR_HOOK_FIRST);
}
