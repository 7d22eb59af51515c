/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.c: makes what a server holds, before the fork what can be shared and after it what
 * cannot. */
#include "runtime.h"

#include "gateways.h"

#include "core/secret.h"
#include "core/word_hash.h"
#include "ipc/wakeup.h"

#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <mod_dbd.h>
#include <unixd.h>

#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* The node's: who may hash, and whose turn it is to write to SQLite; NULL until a configuration
 * makes them. */
static esign_gate_t *gate, *turn;

/* The node's. */
static int wake = -1;

/* The runtimes of all servers, by server_rec; made anew by each configuration. */
static apr_hash_t *runtimes;

/* When this child began. */
static apr_time_t born;

/* Whatever makes children end themselves, it does so no more often. */
#define LEAST_LIFE apr_time_from_sec(5)

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

typedef struct {
    esign_database_t database; /* first: what callers see */
    ap_dbd_t *connection;
} leased_database_t;

esign_runtime_t *esign_runtime_of(const server_rec *server)
{
    return runtimes ? apr_hash_get(runtimes, &server, sizeof(server)) : NULL;
}

int esign_runtime_wakeup(void)
{
    return wake;
}

int esign_runtime_any(void)
{
    return runtimes && apr_hash_count(runtimes) > 0;
}

apr_array_header_t *esign_runtime_portals(apr_pool_t *p)
{
    apr_array_header_t *portals = apr_array_make(p, 2, sizeof(const esign_runtime_t *));
    for (const server_rec *s = ap_server_conf; s; s = s->next) {
        const esign_runtime_t *runtime = esign_runtime_of(s);
        int told = 0;
        for (int i = 0; runtime && i < portals->nelts; i++)
            told |= APR_ARRAY_IDX(portals, i, const esign_runtime_t *)->meter == runtime->meter;
        if (runtime && !told)
            APR_ARRAY_PUSH(portals, const esign_runtime_t *) = runtime;
    }
    return portals;
}

const esign_runtime_t *esign_runtime_at(const char *url, apr_pool_t *p)
{
    for (apr_hash_index_t *i = apr_hash_first(p, runtimes); i; i = apr_hash_next(i)) {
        void *runtime;
        apr_hash_this(i, NULL, NULL, &runtime);
        if (strcmp(((const esign_runtime_t *)runtime)->portal_url, url) == 0)
            return runtime;
    }
    return NULL;
}

esign_result_t esign_runtime_render(const esign_runtime_t *runtime, const esign_render_t **render,
                                    esign_page_cache_t **kept, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    *render = runtime->render;
    esign_result_t result =
        c->theme_reload ? esign_render_load(render, c->htdocs, c->theme, p) : ESIGN_OK;
    *kept = *render == runtime->render ? runtime->kept : NULL;
    return result;
}

esign_database_t *esign_runtime_acquire(const esign_runtime_t *runtime, apr_pool_t *p)
{
    ap_dbd_t *connection = dbd_open(p, runtime->server);
    /* A child that has just started may find SQLite locked for a moment by another's first or last
     * step in it. */
    for (int tries = 0; !connection && tries < 3; tries++) {
        apr_sleep(apr_time_from_msec(40));
        connection = dbd_open(p, runtime->server);
    }
    if (!connection) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, runtime->server,
                     "mod_esign: the database cannot be reached (DBDParams)");
        return NULL;
    }
    leased_database_t *leased = apr_pcalloc(p, sizeof(*leased));
    leased->connection = connection;
    leased->database.driver = connection->driver;
    leased->database.handle = connection->handle;
    leased->database.prepared = connection->prepared;
    leased->database.keyring = runtime->keyring;
    leased->database.meter = runtime->meter;
    leased->database.turn = strcmp(apr_dbd_name(connection->driver), "sqlite3") == 0 ? turn : NULL;
    leased->database.pool = connection->pool;
    return &leased->database;
}

#define SETTINGS_KEY "mod_esign settings of mod_dbd"

/* What mod_dbd opened a connection by. */
static apr_status_t keep_settings(apr_pool_t *p, dbd_cfg_t *settings, ap_dbd_t *connection)
{
    (void)p;
    return apr_pool_userdata_setn(settings, SETTINGS_KEY, NULL, connection->pool);
}

/* SQLite's file, or one of those beside it, which it makes as that one is, that this process may
 * not write; NULL: there is none. */
static const char *write_protected(const char *path, apr_pool_t *p)
{
    const char *const parts[] = { path, apr_pstrcat(p, path, "-wal", NULL),
                                  apr_pstrcat(p, path, "-shm", NULL) };
    for (int i = 0; i < 3; i++)
        if (access(parts[i], W_OK) != 0 && (i == 0 || errno != ENOENT))
            return parts[i];
    return NULL;
}

/* What SQLite opened while its file was write-protected stays so for the whole process, as long as
 * one connection is open; mod_dbd keeps some, and sees nothing wrong with them. When the file may
 * be written again, the process makes room for another, though never soon after its own start. It
 * goes at once: it has leased nothing, and no request of it that writes could succeed; httpd has no
 * other way to end one child. */
static void leave_read_only(const esign_runtime_t *runtime, const ap_dbd_t *connection)
{
    void *settings = NULL;
    apr_pool_userdata_get(&settings, SETTINGS_KEY, connection->pool);
    const char *path = settings ? ((const dbd_cfg_t *)settings)->params : NULL;
    if (!path || apr_time_now() - born < LEAST_LIFE)
        return;
    apr_pool_t *p;
    apr_pool_create(&p, connection->pool);
    const char *protected = write_protected(path, p);
    if (protected)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, runtime->server, "mod_esign: %s is write-protected",
                     protected);
    apr_pool_destroy(p);
    if (protected)
        return;
    ap_log_error(
        APLOG_MARK, APLOG_NOTICE, 0, runtime->server,
        "mod_esign: %s was opened while it was write-protected: this child ends for another", path);
    _exit(APEXIT_OK);
}

void esign_runtime_release(const esign_runtime_t *runtime, esign_database_t *database)
{
    leased_database_t *leased = (leased_database_t *)database;
    esign_database_heal(database);
    if (database->read_only)
        leave_read_only(runtime, leased->connection);
    dbd_close(runtime->server, leased->connection);
}

/* A courier that did not know how long a mail takes would give away who is registered
 * (deliver/mailer.c): the figure outlives children and configurations. */
static esign_result_t find_lasted(atomic_llong **lasted, const char *mail_url, apr_pool_t *p)
{
    const char *key = apr_pstrcat(p, "mod_esign last mail to ", mail_url, NULL);
    atomic_llong **kept = ap_retained_data_get(key);
    if (!kept) {
        void *shared =
            mmap(NULL, sizeof(**kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
            return esign_result_make(p, errno, "mmap", "no memory is to be shared: %s",
                                     strerror(errno));
        kept = ap_retained_data_create(key, sizeof(*kept));
        *kept = shared;
    }
    *lasted = *kept;
    return ESIGN_OK;
}

static esign_result_t make_delivery(esign_runtime_t *runtime, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    apr_array_header_t *gateways;
    esign_result_t result = esign_gateways_make(&gateways, c, p);
    if (esign_failed(result))
        return result;
    runtime->gateways = gateways;
    runtime->smtp = (esign_smtp_t){ .url = c->mail_url,
                                    .user = c->mail_user,
                                    .tls_required = c->mail_tls,
                                    .ca_file = c->mail_ca_file,
                                    .from = c->mail_from,
                                    .from_name = c->organization,
                                    .reply_to = c->mail_reply_to,
                                    .connections = c->mail_connections,
                                    .timeout = c->delivery_timeout };
    if (esign_failed(result = find_lasted(&runtime->smtp.lasted, c->mail_url, p)))
        return result;
    if (c->mail_password_file &&
        esign_failed(result = esign_secret_read(&runtime->smtp.password, c->mail_password_file, p)))
        return result;
    runtime->portal_url = apr_pstrcat(p, c->public_url, c->prefix, NULL);
    runtime->messages = (esign_message_context_t){ .render = runtime->render,
                                                   .kept = runtime->kept,
                                                   .organization = c->organization,
                                                   .sms_name = c->sms_name,
                                                   .url = runtime->portal_url };
    return esign_message_check(&runtime->messages, c->code_digits, p);
}

#define GATE_KEY "mod_esign gate"
#define TURN_KEY "mod_esign turn"

/* More than there are threads. */
#define TURN_QUEUE 32000

/* Gates outlive configurations: children of the last one still hash and write while the next one
 * starts. They go when httpd does, or when the next configuration fails; and they go here, for a
 * cleanup of the process pool would come after this module's code was unloaded. */
static apr_status_t close_gate(void *kept)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_DESTROY_CONFIG ? APR_SUCCESS
                                                                       : esign_gate_destroy(kept);
}

static esign_gate_t *keep_gate(const char *key, apr_pool_t *p)
{
    esign_gate_t **kept = ap_retained_data_get(key);
    if (!kept || !*kept || !esign_gate_alive(*kept))
        return NULL;
    apr_pool_cleanup_register(p, *kept, close_gate, apr_pool_cleanup_null);
    return *kept;
}

/* Its size is that of the first start; its user is the one of this configuration. */
static esign_result_t find_gate(esign_gate_t **found, const char *key, int slots, int queue,
                                apr_pool_t *process, apr_pool_t *p)
{
    if (!*found) {
        esign_gate_t *made;
        esign_result_t result = esign_gate_create(&made, slots, queue, process);
        if (esign_failed(result))
            return result;
        esign_gate_t **kept = ap_retained_data_get(key);
        if (!kept)
            kept = ap_retained_data_create(key, sizeof(*kept));
        *kept = made;
        *found = keep_gate(key, p);
    }
    return *found && geteuid() == 0
               ? esign_gate_allow(*found, ap_unixd_config.user_id, ap_unixd_config.group_id)
               : ESIGN_OK;
}

static esign_result_t find_gates(esign_runtime_t *runtime, apr_pool_t *p)
{
    apr_pool_t *process = runtime->server->process->pool;
    esign_result_t result = find_gate(&gate, GATE_KEY, runtime->config->hash_slots,
                                      runtime->config->hash_queue, process, p);
    runtime->gate = gate;
    return esign_failed(result) ? result : find_gate(&turn, TURN_KEY, 1, TURN_QUEUE, process, p);
}

/* Counts outlive reloads, as children of both generations do; those of another version of this
 * module have another shape. */
static esign_result_t find_meter(esign_runtime_t *runtime, apr_pool_t *p)
{
    esign_meter_t **kept;
    const char *key = apr_psprintf(p, "mod_esign " ESIGN_VERSION " meter of %d bytes, %s",
                                   (int)sizeof(**kept), runtime->portal_url);
    kept = ap_retained_data_get(key);
    if (!kept) {
        esign_meter_t *made;
        esign_result_t result = esign_meter_create(&made, runtime->server->process->pool);
        if (esign_failed(result))
            return result;
        kept = ap_retained_data_create(key, sizeof(*kept));
        *kept = made;
    }
    runtime->meter = *kept;
    return ESIGN_OK;
}

#define WAKE_KEY "mod_esign wake"

/* The last generation's children still ring while the next one starts. */
static esign_result_t find_wake(apr_pool_t *p)
{
    int *kept = ap_retained_data_get(WAKE_KEY);
    if (!kept) {
        int made = esign_wakeup_create();
        if (made < 0)
            return esign_result_make(p, errno, "eventfd", "cannot be made: %s", strerror(errno));
        kept = ap_retained_data_create(WAKE_KEY, sizeof(*kept));
        *kept = made;
    }
    wake = *kept;
    return ESIGN_OK;
}

static esign_result_t make_runtime(esign_runtime_t *runtime, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    esign_keyring_t *keyring;
    esign_result_t result = esign_render_init(p);
    if (esign_failed(result) || esign_failed(result = esign_keyring_load(&keyring, c->key_file, p)))
        return result;
    runtime->keyring = keyring;
    if (esign_failed(result = esign_render_load(&runtime->render, c->htdocs, c->theme, p)) ||
        esign_failed(result = esign_national_id_scheme(&runtime->scheme, c->identity_number, p)))
        return result;
    runtime->kept = esign_page_cache_create(p);
    esign_blocklist_t *blocklist;
    if (esign_failed(result = esign_blocklist_load(&blocklist, c->word_blocklist, p)) ||
        esign_failed(result = make_delivery(runtime, p)))
        return result;
    runtime->words = (esign_word_policy_t){ .min = 8, .max = 128, .blocklist = blocklist };
    result = find_meter(runtime, p);
    return esign_failed(result) ? result : find_gates(runtime, p);
}

/* The configuration check has seen that mod_dbd is there. */
static void find_dbd(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
}

/* A virtual host that says nothing of its own shares its base server's runtime: its configuration
 * record is that server's. */
static esign_runtime_t *shared_runtime(server_rec *first, const server_rec *server)
{
    for (server_rec *s = first; s != server; s = s->next) {
        const esign_config_t *a = esign_config_of_server(s), *b = esign_config_of_server(server);
        esign_runtime_t *runtime = esign_runtime_of(s);
        if (runtime && memcmp(a, b, sizeof(*a)) == 0)
            return runtime;
    }
    return NULL;
}

/* Before the directives are looked at: httpd ends over a wrong one. */
static int pre_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary)
{
    (void)log, (void)temporary;
    gate = keep_gate(GATE_KEY, p);
    turn = keep_gate(TURN_KEY, p);
    return OK;
}

static int post_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    (void)log, (void)temporary;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    esign_result_t result = esign_word_hash_init();
    if (!esign_failed(result))
        result = find_wake(p);
    runtimes = apr_hash_make(p);
    find_dbd();
    for (server_rec *s = first; s && !esign_failed(result); s = s->next) {
        if (!esign_config_is_portal(esign_config_of_server(s)))
            continue;
        esign_runtime_t *runtime = apr_pcalloc(p, sizeof(*runtime));
        const esign_runtime_t *like = shared_runtime(first, s);
        if (like)
            *runtime = *like;
        runtime->server = s;
        runtime->config = esign_config_of_server(s);
        if (runtime->config->theme_reload)
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "mod_esign: EsignThemeReload is on: each page costs the work of a start, "
                         "and shows its author's mistakes");
        if (!like)
            result = make_runtime(runtime, p);
        apr_hash_set(runtimes, &runtime->server, sizeof(runtime->server), runtime);
    }
    if (esign_failed(result)) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, result.status, first,
                     "mod_esign, %s: %s", result.problem, result.detail);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void child_init(apr_pool_t *p, server_rec *first)
{
    int threads = 0;
    born = apr_time_now();
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    /* Words, codes and PINs pass through a portal's children: they leave no core file, whatever
     * CoreDumpDirectory says. */
    if (esign_runtime_any())
        prctl(PR_SET_DUMPABLE, 0);
    for (server_rec *s = first; s; s = s->next) {
        esign_runtime_t *runtime = esign_runtime_of(s);
        if (!runtime)
            continue;
        for (server_rec *other = first; other != s && !runtime->cache; other = other->next) {
            const esign_runtime_t *earlier = esign_runtime_of(other);
            if (earlier && strcmp(earlier->config->memcached, runtime->config->memcached) == 0 &&
                earlier->keyring == runtime->keyring)
                runtime->cache = earlier->cache;
        }
        if (runtime->cache)
            continue;
        apr_status_t locked = esign_keyring_lock(runtime->keyring);
        if (locked != APR_SUCCESS)
            ap_log_error(APLOG_MARK, APLOG_WARNING, locked, s,
                         "mod_esign: the keys may be swapped out to disk: raise the limit of "
                         "locked memory (ulimit -l, LimitMEMLOCK)");
        /* One for each worker thread and one for the courier. */
        int connections = runtime->config->memcached_connections
                              ? runtime->config->memcached_connections
                              : threads + 1;
        esign_result_t result = esign_cache_create(&runtime->cache, runtime->config->memcached,
                                                   connections, runtime->keyring, p);
        if (esign_failed(result))
            ap_log_error(APLOG_MARK, APLOG_CRIT, result.status, s, "mod_esign, EsignMemcached: %s",
                         result.detail);
    }
}

void esign_runtime_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before mod_dbd's own: a pragma that answers with a row counts there as a failure, and ends
     * the run. */
    APR_OPTIONAL_HOOK(dbd, post_connect, keep_settings, NULL, NULL, APR_HOOK_FIRST);
}
