/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.c: runs the couriers of all servers in one child of the node, in a thread of
 * mod_watchdog's. */
#include "watchdog.h"

#include "audit/chainer.h"
#include "core/clock.h"
#include "deliver/courier.h"
#include "deliver/libcurl.h"
#include "ipc/leader.h"
#include "ipc/wakeup.h"
#include "lease.h"
#include "retained.h"
#include "store/node.h"

#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_watchdog.h>

#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* Rests between two looks into the outbox: codes and requests of this node are heard at once;
 * notices, messages of other nodes, and those that are due again, wait this long at most. */
#define REST apr_time_from_msec(200)
/* The same while more than one courier has transfers under way: they share a thread. */
#define TURN apr_time_from_msec(10)

/* A database that cannot be reached, or written to, and whatever else is missing, is asked for
 * again after this. */
#define AGAIN apr_time_from_sec(1)

/* How long the audit trail may hold up mails, and how long they all the trail. */
#define WRITING apr_time_from_msec(200)
#define UNWRITTEN apr_time_from_sec(3)

/* How long a process that ends lets messages under way come to their end. httpd gives a child three
 * seconds: breaking them off takes one, writing all down the rest. */
#define FAREWELL apr_time_from_sec(1)

/* One for each outbox; the courier is made in the child that has the seat. */
typedef struct {
    server_rec *server;
    esign_courier_t *courier;
    apr_time_t again; /* the database could not be reached, or not be written to, or there is no
                         courier: not tried before; by esign_clock */
    esign_chainer_t *chainer;
    piped_log *program; /* that the copy of the audit trail goes to, started by the parent; NULL:
                           there is none */
    apr_time_t told;    /* when esign_node_report was last called */
    apr_time_t wrote;   /* when the chainer did, by esign_clock */
} watch_t;

/* All of this configuration's. */
static apr_array_header_t *watches;

/* Of this configuration's children one has it, and the couriers. mod_watchdog has such a thing,
 * too, its singleton, but lets ten seconds pass when its holder is gone. */
static int seat = -1;

/* This child's. The watchdog's thread outlives the child's pool, and the configuration's: it is
 * joined as the process exits. */
static struct {
    apr_pool_t *pool;          /* NULL: the farewell is said, and nothing of the couriers is left */
    apr_thread_mutex_t *mutex; /* held while the couriers work: the process does not end meanwhile;
                                  as old as the process */
    _Atomic int ending;
} child;

/* The watchdog stops its own thread as soon as the MPM stops, in the midst of a child's last
 * requests. */
static int ending(void *baton)
{
    (void)baton;
    int state = AP_MPMQ_RUNNING;
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    return child.ending || state == AP_MPMQ_STOPPING;
}

static void write_log(void *baton, int level, apr_status_t status, const char *text)
{
    const watch_t *watch = baton;
    ap_log_error(APLOG_MARK, level, status, watch->server, "mod_esign courier: %s", text);
}

/* Portals of one database empty one outbox, each in all the others' names. */
static void find_render(void *baton, const char *url, esign_message_context_t *context,
                        apr_pool_t *p)
{
    const watch_t *watch = baton;
    const esign_runtime_t *runtime = url ? esign_runtime_at(url, p) : NULL;
    if (!runtime)
        runtime = esign_runtime_of(watch->server);
    esign_result_t result = esign_runtime_render(runtime, &context->render, &context->kept, p);
    if (esign_failed(result))
        ap_log_error(APLOG_MARK, APLOG_ERR, result.status, watch->server,
                     "mod_esign courier, as it was at the start: %s: %s", result.problem,
                     result.detail);
}

/* One that cannot be made leaves nothing behind. */
static esign_result_t hire(watch_t *watch, esign_runtime_t *runtime, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    apr_pool_t *own;
    apr_pool_create(&own, child.pool);
    esign_courier_options_t *options = apr_pcalloc(own, sizeof(*options));
    *options = (esign_courier_options_t){ .message = runtime->messages,
                                          .smtp = &runtime->smtp,
                                          .gateways = runtime->gateways,
                                          .keyring = runtime->keyring,
                                          .cache = runtime->cache,
                                          .meter = runtime->meter,
                                          .sms_at_once = c->sms_connections,
                                          .mails_per_minute = c->mails_per_minute,
                                          .sms_per_minute = c->sms_per_minute,
                                          .link_life = c->link_life,
                                          .mails_per_day = c->mails_per_day,
                                          .keep = c->outbox_keep,
                                          .now = apr_time_now,
                                          .clock = esign_clock,
                                          .stopping = ending,
                                          .render = find_render,
                                          .log = write_log,
                                          .baton = watch };
    esign_result_t result = esign_courier_create(&watch->courier, options, own);
    if (esign_failed(result)) {
        watch->courier = NULL;
        result.detail = apr_pstrdup(p, result.detail);
        apr_pool_destroy(own);
    }
    return result;
}

/* What outlives a change of keys outside the database: links, sessions, one-time codes with the ten
 * minutes that they are remembered, windows and the one before. */
static apr_interval_time_t longest_life(const esign_config_t *c)
{
    const apr_interval_time_t lives[] = { c->link_life, c->session_life,
                                          c->code_life + apr_time_from_sec(600),
                                          2 * c->address_window };
    apr_interval_time_t longest = 0;
    for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++)
        longest = lives[i] > longest ? lives[i] : longest;
    return longest;
}

/* Which keys this node has, for `esignctl key`. */
static esign_result_t tell(watch_t *watch, const esign_config_t *config, esign_database_t *database,
                           apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    if (now - watch->told < ESIGN_NODE_INTERVAL)
        return ESIGN_OK;
    watch->told = now;
    return esign_node_report(database, config->key_file, longest_life(config), now, p);
}

static void complain(const watch_t *watch, esign_result_t result)
{
    if (esign_failed(result))
        ap_log_error(APLOG_MARK, APLOG_ERR, result.status, watch->server,
                     "mod_esign courier, %s: %s", result.problem, result.detail);
}

static esign_audit_copy_t *find_copy(const watch_t *watch, const char *where)
{
    const char *known;
    apr_os_file_t file;
    if (watch->program)
        return apr_os_file_get(&file, ap_piped_log_write_fd(watch->program)) == APR_SUCCESS
                   ? esign_audit_copy_pipe(file, child.pool)
                   : NULL;
    if (strncmp(where, "syslog:", 7) == 0)
        return esign_audit_copy_syslog(ESIGN_AUDIT_COPY_SYSLOG,
                                       esign_audit_copy_facility(where + 7, &known), child.pool);
    return NULL;
}

/* The chainer gives way to who waits for a message. */
static int called(void *baton)
{
    return ending(baton) || esign_wakeup_pending(esign_retained_wakeup());
}

static void hire_chainer(watch_t *watch, const esign_runtime_t *runtime)
{
    esign_chainer_options_t *options = apr_pcalloc(child.pool, sizeof(*options));
    *options = (esign_chainer_options_t){ .copy = find_copy(watch, runtime->config->audit_log),
                                          .stopping = called,
                                          .log = write_log,
                                          .baton = watch };
    watch->chainer = esign_chainer_create(options, child.pool);
}

/* The audit trail, many rows together: when no message needs this thread, and now and then when
 * they all do. */
static void write_trail(watch_t *watch, const esign_runtime_t *runtime, esign_database_t *database,
                        apr_pool_t *p)
{
    apr_time_t now = esign_clock();
    if (watch->wrote != 0 &&
        now - watch->wrote < (esign_courier_pending(watch->courier) > 0 ? UNWRITTEN : REST))
        return;
    if (!watch->chainer)
        hire_chainer(watch, runtime);
    esign_chainer_round(watch->chainer, database, apr_time_now() + WRITING, p);
    watch->wrote = esign_clock();
}

/* One round. */
static void work(watch_t *watch, int called, apr_pool_t *p)
{
    esign_runtime_t *runtime = esign_runtime_of(watch->server);
    esign_result_t result = ESIGN_OK;
    if (!watch->courier && esign_clock() < watch->again)
        return;
    if (!runtime->cache || (!watch->courier && esign_failed(result = hire(watch, runtime, p)))) {
        ap_log_error(APLOG_MARK, APLOG_ERR, result.status, watch->server, "mod_esign courier: %s",
                     result.detail ? result.detail : "no memcached pool");
        watch->again = esign_clock() + AGAIN;
        return;
    }
    int asked = esign_clock() >= watch->again;
    esign_database_t *database = asked ? esign_lease_acquire(runtime, p) : NULL;
    result = esign_courier_round(watch->courier, database, called, p);
    if (database) {
        complain(watch, result);
        complain(watch, tell(watch, runtime->config, database, p));
        write_trail(watch, runtime, database, p);
        esign_lease_release(runtime, database);
    }
    if (asked)
        watch->again = !database || esign_failed(result) ? esign_clock() + AGAIN : 0;
}

static int under_way(const watch_t *watch)
{
    return watch->courier ? esign_courier_pending(watch->courier) : 0;
}

/* Lets transfers go on, or sleeps when there are none, until there is something to do; without a
 * database connection. 0: there are no couriers. */
static int rest(void)
{
    esign_courier_t *idle = NULL;
    int busy = 0;
    for (int i = 0; i < watches->nelts; i++) {
        const watch_t *watch = APR_ARRAY_IDX(watches, i, watch_t *);
        if (under_way(watch) > 0)
            busy++;
        else if (watch->courier)
            idle = watch->courier;
    }
    for (int i = 0; i < watches->nelts; i++) {
        const watch_t *watch = APR_ARRAY_IDX(watches, i, watch_t *);
        if (under_way(watch) > 0)
            esign_courier_wait(watch->courier, esign_retained_wakeup(), busy > 1 ? TURN : REST);
    }
    if (busy == 0 && idle)
        esign_courier_wait(idle, esign_retained_wakeup(), REST);
    return busy > 0 || idle;
}

/* The couriers' whole life in this child. The watchdog's own pauses would keep codes waiting: its
 * callback stays here until the process ends, and looks for that itself. */
static void serve(apr_pool_t *parent)
{
    apr_pool_t *p;
    apr_pool_create(&p, parent);
    pthread_setname_np(pthread_self(), "esign courier");
    while (!ending(NULL)) {
        int rested = 1;
        apr_thread_mutex_lock(child.mutex);
        if (!child.ending) {
            int called = esign_wakeup_clear(esign_retained_wakeup());
            for (int i = 0; i < watches->nelts; i++)
                work(APR_ARRAY_IDX(watches, i, watch_t *), called, p);
            rested = rest();
        }
        apr_thread_mutex_unlock(child.mutex);
        if (!rested)
            apr_sleep(REST);
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
}

/* The couriers share the time that is left: one whose mail server hangs costs the others nothing.
 */
static void leave(void)
{
    apr_time_t until = esign_clock() + FAREWELL;
    int left;
    do {
        left = 0;
        for (int i = 0; i < watches->nelts; i++) {
            const watch_t *watch = APR_ARRAY_IDX(watches, i, watch_t *);
            if (watch->courier)
                left += esign_courier_drain(watch->courier, TURN, child.pool);
        }
    } while (left > 0 && esign_clock() < until);
    for (int i = 0; i < watches->nelts; i++) {
        const watch_t *watch = APR_ARRAY_IDX(watches, i, watch_t *);
        if (watch->courier)
            esign_courier_abort(watch->courier);
    }
}

static void finish(watch_t *watch)
{
    const esign_runtime_t *runtime = esign_runtime_of(watch->server);
    if (!watch->courier)
        return;
    esign_database_t *database = esign_lease_acquire(runtime, child.pool);
    esign_courier_finish(watch->courier, database, child.pool);
    if (database && watch->chainer)
        esign_chainer_finish(watch->chainer, database, child.pool);
    if (database)
        esign_lease_release(runtime, database);
    watch->courier = NULL;
}

/* The watchdog lets go, or the process takes down what the couriers stand on: rounds end, and what
 * is still under way goes back to the outbox, for others. */
static apr_status_t say_farewell(void *data)
{
    (void)data;
    child.ending = 1;
    esign_wakeup_send(esign_retained_wakeup());
    apr_thread_mutex_lock(child.mutex);
    if (child.pool) {
        leave();
        for (int i = 0; i < watches->nelts; i++)
            finish(APR_ARRAY_IDX(watches, i, watch_t *));
    }
    child.pool = NULL;
    esign_leader_release(seat);
    apr_thread_mutex_unlock(child.mutex);
    return APR_SUCCESS;
}

/* Whether this child runs the couriers from now on. */
static int take_seat(void)
{
    apr_thread_mutex_lock(child.mutex);
    int taken = !ending(NULL) && esign_leader_take(seat);
    apr_thread_mutex_unlock(child.mutex);
    return taken;
}

static apr_status_t tick(int state, void *data, apr_pool_t *p)
{
    if (state == AP_WATCHDOG_STATE_STOPPING)
        return say_farewell(data);
    /* Signals are the main thread's: prefork ends the child in their handler, which must not wait
     * for the round that it came upon. */
    if (state == AP_WATCHDOG_STATE_STARTING)
        return apr_setup_signal_thread();
    if (state == AP_WATCHDOG_STATE_RUNNING && take_seat())
        serve(p);
    return APR_SUCCESS;
}

/* prefork gives its child memory without a lock, for one thread; the watchdog's is a second, and
 * takes from it what the couriers and mod_dbd's connections need. It may be taken twice: the child
 * ends in a signal's handler, which may have come upon the holder. */
static void share_memory(apr_pool_t *p, apr_pool_t *process)
{
    apr_allocator_t *allocator = apr_pool_allocator_get(p);
    apr_thread_mutex_t *mutex;
    if (!apr_allocator_mutex_get(allocator) &&
        apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_NESTED, process) == APR_SUCCESS)
        apr_allocator_mutex_set(allocator, mutex);
}

static void child_init(apr_pool_t *p, server_rec *first)
{
    if (watches->nelts == 0)
        return;
    share_memory(p, first->process->pool);
    apr_pool_create(&child.pool, p);
    apr_thread_mutex_create(&child.mutex, APR_THREAD_MUTEX_DEFAULT, first->process->pool);
    child.ending = 0;
    /* Before mod_dbd's connections go. */
    apr_pool_pre_cleanup_register(p, watches, say_farewell);
}

/* The parent's descriptor; children have their own. */
static apr_status_t close_seat(void *data)
{
    (void)data;
    close(seat);
    seat = -1;
    return APR_SUCCESS;
}

/* A watchdog in each child, for all couriers, that looks now and then whether the seat is free. */
static int attach(server_rec *first, apr_pool_t *p)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *call =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    seat = esign_leader_create();
    if (seat < 0) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, errno, first,
                     "mod_esign: no file in memory can be made for the courier's seat");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(p, NULL, close_seat, apr_pool_cleanup_null);
    apr_status_t status = get(&watchdog, "_esign_", 0, 0, p);
    if (status == APR_SUCCESS)
        status = call(watchdog, REST, watches, tick);
    if (status == APR_SUCCESS)
        return OK;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, status, first,
                 "mod_esign: mod_watchdog takes no courier");
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* As httpd starts the programs of its own logs: by the parent, again when it ends, anew with each
 * configuration. */
static int start_program(watch_t *watch, const char *where, apr_pool_t *p)
{
    if (*where != '|')
        return 1;
    watch->program = where[1] == '$' ? ap_open_piped_log_ex(p, where + 2, APR_SHELLCMD_ENV)
                                     : ap_open_piped_log_ex(p, where + 1, APR_PROGRAM_ENV);
    return watch->program != NULL;
}

/* libcurl is initialised here, once for all children: before there are threads, and before a child
 * is in its jail (ChrootDir), where there is no configuration of OpenSSL's to read. */
static int prepare(server_rec *first, apr_pool_t *p)
{
    esign_result_t result = esign_libcurl_init(p);
    if (!esign_failed(result))
        return attach(first, p);
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, result.status, first, "mod_esign, %s: %s",
                 result.problem, result.detail);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int post_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    (void)log, (void)temporary;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    watches = apr_array_make(p, 1, sizeof(watch_t *));
    for (server_rec *s = first; s; s = s->next) {
        const esign_runtime_t *runtime = esign_runtime_of(s);
        /* Servers that share their configuration share their outbox: the first one's courier
         * empties it. */
        int covered = 0;
        for (server_rec *other = first; other != s && runtime && !covered; other = other->next)
            covered =
                esign_runtime_of(other) && esign_runtime_of(other)->keyring == runtime->keyring;
        if (!runtime || covered)
            continue;
        watch_t *watch = apr_pcalloc(p, sizeof(*watch));
        watch->server = s;
        APR_ARRAY_PUSH(watches, watch_t *) = watch;
        if (!start_program(watch, runtime->config->audit_log, p)) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s,
                         "mod_esign, EsignAuditLog: %s cannot be started",
                         runtime->config->audit_log);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return watches->nelts > 0 ? prepare(first, p) : OK;
}

void esign_watchdog_register_hooks(apr_pool_t *p)
{
    (void)p;
    static const char *const before_watchdog[] = { "mod_watchdog.c", NULL };
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_FIRST);
}
