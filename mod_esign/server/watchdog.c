/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.c: gives each child a thread that competes for the leader lock. The thread that gets it
 * runs the couriers (couriers.c) until its process ends. */
#include "watchdog.h"

#include "couriers.h"

#include "deliver/libcurl.h"
#include "ipc/leader.h"

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_watchdog.h>

#include <apr_optional.h>
#include <apr_signal.h>
#include <apr_thread_mutex.h>

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* How many outboxes there are; without any, no thread is needed. */
static int outboxes;

/* Shared by the children of this configuration. mod_watchdog has a lock of its own for this, its
 * singleton; another child gets that only ten seconds after its holder has died. */
static int leader_lock = -1;

/* Held while the couriers work, so that the process does not end meanwhile. It is as old as the
 * process: the watchdog's thread outlives the pools of child and configuration, because httpd joins
 * it when the process exits. */
static apr_thread_mutex_t *couriers_mutex;

/* Whether this child runs the couriers from now on. */
static int take_lead(void)
{
    apr_thread_mutex_lock(couriers_mutex);
    int taken = !esign_couriers_ending() && esign_leader_take(leader_lock);
    apr_thread_mutex_unlock(couriers_mutex);
    return taken;
}

/* Runs the couriers until this process ends. mod_watchdog would call back once a tick, which is too
 * seldom for codes; so its callback does not return, and asks for the process's end itself. */
static void run_couriers(apr_pool_t *parent)
{
    apr_pool_t *p;
    apr_pool_create(&p, parent);
    pthread_setname_np(pthread_self(), "esign courier");
    while (!esign_couriers_ending()) {
        int waited = 1;
        apr_thread_mutex_lock(couriers_mutex);
        if (!esign_couriers_ending()) {
            esign_couriers_round(p);
            waited = esign_couriers_wait();
        }
        apr_thread_mutex_unlock(couriers_mutex);
        if (!waited)
            apr_sleep(ESIGN_COURIERS_WAIT);
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
}

/* Ends the couriers and frees the leader lock for another child. The watchdog's thread calls it,
 * and so does the thread that destroys the child's pool; the second call finds nothing to end. */
static apr_status_t end_couriers(void *data)
{
    (void)data;
    esign_couriers_end();
    apr_thread_mutex_lock(couriers_mutex);
    esign_couriers_finish();
    esign_leader_release(leader_lock);
    apr_thread_mutex_unlock(couriers_mutex);
    return APR_SUCCESS;
}

/* mod_watchdog's callback, in its thread. */
static apr_status_t tick(int state, void *data, apr_pool_t *p)
{
    if (state == AP_WATCHDOG_STATE_STOPPING)
        return end_couriers(data);
    /* Blocks signals here, so that the main thread gets them. prefork ends the child in the signal
     * handler, which must not wait for a round that it has interrupted. */
    if (state == AP_WATCHDOG_STATE_STARTING)
        return apr_setup_signal_thread();
    if (state == AP_WATCHDOG_STATE_RUNNING && take_lead())
        run_couriers(p);
    return APR_SUCCESS;
}

/* prefork's children have an allocator without a lock, because they have one thread. The watchdog's
 * thread is a second one, and couriers and mod_dbd allocate from the same memory. The lock is
 * recursive: the child ends in a signal handler, which may interrupt the lock's holder. */
static void lock_allocator(apr_pool_t *p, apr_pool_t *process)
{
    apr_allocator_t *allocator = apr_pool_allocator_get(p);
    apr_thread_mutex_t *mutex;
    if (!apr_allocator_mutex_get(allocator) &&
        apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_NESTED, process) == APR_SUCCESS)
        apr_allocator_mutex_set(allocator, mutex);
}

static void child_init(apr_pool_t *p, server_rec *first)
{
    apr_pool_t *pool;
    if (outboxes == 0)
        return;
    lock_allocator(p, first->process->pool);
    apr_pool_create(&pool, p);
    apr_thread_mutex_create(&couriers_mutex, APR_THREAD_MUTEX_DEFAULT, first->process->pool);
    esign_couriers_begin(pool);
    /* A pre-cleanup runs before mod_dbd closes its connections. */
    apr_pool_pre_cleanup_register(p, &couriers_mutex, end_couriers);
}

/* Closes the parent's descriptor; children have their own. */
static apr_status_t close_leader_lock(void *data)
{
    (void)data;
    close(leader_lock);
    leader_lock = -1;
    return APR_SUCCESS;
}

/* Registers `tick` for a thread in each child. */
static int register_tick(server_rec *first, apr_pool_t *p)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *call =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    apr_status_t status = get(&watchdog, "_esign_", 0, 0, p);
    if (status == APR_SUCCESS)
        status = call(watchdog, ESIGN_COURIERS_WAIT, &couriers_mutex, tick);
    if (status == APR_SUCCESS)
        return OK;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, status, first,
                 "mod_esign: mod_watchdog refuses the courier's callback");
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int make_leader_lock(server_rec *first, apr_pool_t *p)
{
    leader_lock = esign_leader_create();
    if (leader_lock < 0) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, errno, first,
                     "mod_esign: the courier's leader lock cannot be made (a file in memory)");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(p, NULL, close_leader_lock, apr_pool_cleanup_null);
    return OK;
}

/* libcurl is initialised here, once for all children: before there are threads, and before a child
 * is in its jail (ChrootDir), where OpenSSL finds no configuration to read. */
static int post_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    (void)log, (void)temporary;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    outboxes = esign_couriers_prepare(first, p);
    if (outboxes < 0)
        return HTTP_INTERNAL_SERVER_ERROR;
    if (outboxes == 0)
        return OK;
    esign_result_t result = esign_libcurl_init(p);
    if (esign_failed(result)) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, result.status, first,
                     "mod_esign, %s: %s", result.problem, result.detail);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    int status = make_leader_lock(first, p);
    return status == OK ? register_tick(first, p) : status;
}

void esign_watchdog_register_hooks(apr_pool_t *p)
{
    (void)p;
    static const char *const before_watchdog[] = { "mod_watchdog.c", NULL };
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_FIRST);
}
