/* SPDX-License-Identifier: Apache-2.0 */
/* couriers.c: makes the couriers and chainers of all outboxes, runs their rounds and ends them. */
#include "couriers.h"

#include "lease.h"
#include "retained.h"
#include "runtime.h"

#include "audit/chainer.h"
#include "core/clock.h"
#include "deliver/courier.h"
#include "ipc/wakeup.h"
#include "store/node.h"

#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* The wait while several couriers have transfers under way, because they share a thread. */
#define SHARED_WAIT apr_time_from_msec(10)

/* After a failure, the database and whatever else was missing is tried again after this. */
#define RETRY_PAUSE apr_time_from_sec(1)

/* The longest round of a chainer, and the longest time without one while messages are on their way.
 */
#define CHAINER_ROUND apr_time_from_msec(200)
#define CHAINER_PAUSE apr_time_from_sec(3)

/* Transfers under way get this time when the process ends. httpd gives a child three seconds:
 * stopping transfers takes another one, and writing the outcomes the third. */
#define FINISH_WAIT apr_time_from_sec(1)

/* One-time codes are remembered this long after their life, so that none is used twice. */
#define CODE_MEMORY apr_time_from_sec(600)

/* One outbox; moments are esign_clock's unless said otherwise. */
typedef struct {
    server_rec *server;       /* the first server of the outbox */
    piped_log *program;       /* of EsignAuditLog, started by the parent; NULL: none */
    apr_time_t node_reported; /* apr_time_now() of the last esign_node_report */
    /* Made in the child that holds the leader lock; NULL elsewhere. */
    esign_courier_t *courier;
    esign_chainer_t *chainer;
    apr_time_t retry_at; /* not tried before, after a failure; 0: the last round was good */
    apr_time_t chained;  /* end of the chainer's last round; 0: none yet */
} outbox_t;

/* outbox_t *, of the configuration. */
static apr_array_header_t *outboxes;

/* The pool of this child's couriers; NULL: they are finished. */
static apr_pool_t *child_pool;

static _Atomic int ending;

static outbox_t *outbox_at(int i)
{
    return APR_ARRAY_IDX(outboxes, i, outbox_t *);
}

void esign_couriers_begin(apr_pool_t *pool)
{
    child_pool = pool;
    ending = 0;
}

void esign_couriers_end(void)
{
    ending = 1;
    esign_wakeup_send(esign_retained_wakeup());
}

int esign_couriers_ending(void)
{
    /* Like mod_watchdog's own loop, which our callback keeps from running: the thread ends as soon
     * as the MPM stops, while the child still serves its last requests. */
    int state = AP_MPMQ_RUNNING;
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    return ending || state == AP_MPMQ_STOPPING;
}

/* Callbacks of couriers and chainers; `baton` is the outbox_t. */

static int is_ending(void *baton)
{
    (void)baton;
    return esign_couriers_ending();
}

/* A chainer's round also ends when a message was queued. */
static int is_wanted(void *baton)
{
    (void)baton;
    return esign_couriers_ending() || esign_wakeup_pending(esign_retained_wakeup());
}

static void write_log(void *baton, int level, apr_status_t status, const char *text)
{
    const outbox_t *outbox = baton;
    ap_log_error(APLOG_MARK, level, status, outbox->server, "mod_esign courier: %s", text);
}

/* Portals that share a database share its outbox, so a courier also sends the messages of other
 * portals, with their stylesheets. */
static void find_render(void *baton, const char *url, esign_message_context_t *context,
                        apr_pool_t *p)
{
    const outbox_t *outbox = baton;
    const esign_runtime_t *runtime = url ? esign_runtime_at(url, p) : NULL;
    if (!runtime)
        runtime = esign_runtime_of(outbox->server);
    esign_result_t result =
        esign_runtime_render(runtime, &context->render, &context->page_cache, p);
    if (esign_failed(result))
        ap_log_error(APLOG_MARK, APLOG_ERR, result.status, outbox->server,
                     "mod_esign courier, as it was at the start: %s: %s", result.problem,
                     result.detail);
}

/* Makes the courier, in a pool that a failure destroys. */
static esign_result_t make_courier(outbox_t *outbox, esign_runtime_t *runtime, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    apr_pool_t *own;
    if (!runtime->cache)
        return (esign_result_t){ APR_EGENERAL, "memcached", "no memcached pool" };
    apr_pool_create(&own, child_pool);
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
                                          .stopping = is_ending,
                                          .render = find_render,
                                          .log = write_log,
                                          .baton = outbox };
    esign_result_t result = esign_courier_create(&outbox->courier, options, own);
    if (esign_failed(result)) {
        outbox->courier = NULL;
        result.detail = apr_pstrdup(p, result.detail);
        apr_pool_destroy(own);
    }
    return result;
}

/* The copy of the audit trail that EsignAuditLog asks for; NULL: none. */
static esign_audit_copy_t *find_copy(const outbox_t *outbox, const char *audit_log)
{
    const char *known;
    apr_os_file_t file;
    if (outbox->program)
        return apr_os_file_get(&file, ap_piped_log_write_fd(outbox->program)) == APR_SUCCESS
                   ? esign_audit_copy_pipe(file, child_pool)
                   : NULL;
    if (strncmp(audit_log, "syslog:", 7) == 0)
        return esign_audit_copy_syslog(
            ESIGN_AUDIT_COPY_SYSLOG, esign_audit_copy_facility(audit_log + 7, &known), child_pool);
    return NULL;
}

static void make_chainer(outbox_t *outbox, const esign_runtime_t *runtime)
{
    esign_chainer_options_t *options = apr_pcalloc(child_pool, sizeof(*options));
    *options = (esign_chainer_options_t){ .copy = find_copy(outbox, runtime->config->audit_log),
                                          .stopping = is_wanted,
                                          .log = write_log,
                                          .baton = outbox };
    outbox->chainer = esign_chainer_create(options, child_pool);
}

/* Chains many rows at a time: when no message is on its way, else every CHAINER_PAUSE. */
static void chain_rows(outbox_t *outbox, const esign_runtime_t *runtime, esign_database_t *database,
                       apr_pool_t *p)
{
    int busy = esign_courier_pending(outbox->courier) > 0;
    apr_interval_time_t pause = busy ? CHAINER_PAUSE : ESIGN_COURIERS_WAIT;
    if (outbox->chained != 0 && esign_clock() - outbox->chained < pause)
        return;
    if (!outbox->chainer)
        make_chainer(outbox, runtime);
    esign_chainer_round(outbox->chainer, database, apr_time_now() + CHAINER_ROUND, p);
    outbox->chained = esign_clock();
}

/* The longest time that something outside the database stays sealed under a key: links, sessions,
 * codes, and counters, of which the window before the present one counts, too. */
static apr_interval_time_t longest_life(const esign_config_t *c)
{
    const apr_interval_time_t lives[] = { c->link_life, c->session_life, c->code_life + CODE_MEMORY,
                                          2 * c->address_window };
    apr_interval_time_t longest = 0;
    for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++)
        longest = lives[i] > longest ? lives[i] : longest;
    return longest;
}

/* Writes now and then which keys this node has, for `esignctl key`. */
static esign_result_t report_node(outbox_t *outbox, const esign_config_t *config,
                                  esign_database_t *database, apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    if (now - outbox->node_reported < ESIGN_NODE_INTERVAL)
        return ESIGN_OK;
    outbox->node_reported = now;
    return esign_node_report(database, config->key_file, longest_life(config), now, p);
}

static void log_failure(const outbox_t *outbox, esign_result_t result)
{
    if (esign_failed(result))
        ap_log_error(APLOG_MARK, APLOG_ERR, result.status, outbox->server,
                     "mod_esign courier, %s: %s", result.problem, result.detail);
}

/* Everything of a round that needs the database. Returns the courier's result. */
static esign_result_t run_with_database(outbox_t *outbox, esign_runtime_t *runtime, int called,
                                        apr_pool_t *p)
{
    esign_database_t *database = esign_lease_acquire(runtime, p);
    esign_result_t result = esign_courier_round(outbox->courier, database, called, p);
    if (!database)
        return (esign_result_t){ APR_EGENERAL, "database", "no connection" };
    log_failure(outbox, result);
    log_failure(outbox, report_node(outbox, runtime->config, database, p));
    chain_rows(outbox, runtime, database, p);
    esign_lease_release(runtime, database);
    return result;
}

/* One outbox's round. `called`: a message was queued. */
static void run_outbox(outbox_t *outbox, int called, apr_pool_t *p)
{
    esign_runtime_t *runtime = esign_runtime_of(outbox->server);
    esign_result_t result = ESIGN_OK;
    int pausing = esign_clock() < outbox->retry_at;
    if (!outbox->courier) {
        if (pausing)
            return;
        if (esign_failed(result = make_courier(outbox, runtime, p))) {
            ap_log_error(APLOG_MARK, APLOG_ERR, result.status, outbox->server,
                         "mod_esign courier: %s", result.detail);
            outbox->retry_at = esign_clock() + RETRY_PAUSE;
            return;
        }
    }
    /* Transfers go on without the database. */
    if (pausing) {
        esign_courier_round(outbox->courier, NULL, called, p);
        return;
    }
    result = run_with_database(outbox, runtime, called, p);
    outbox->retry_at = esign_failed(result) ? esign_clock() + RETRY_PAUSE : 0;
}

void esign_couriers_round(apr_pool_t *p)
{
    int called = esign_wakeup_clear(esign_retained_wakeup());
    for (int i = 0; i < outboxes->nelts; i++)
        run_outbox(outbox_at(i), called, p);
}

static int pending(const outbox_t *outbox)
{
    return outbox->courier ? esign_courier_pending(outbox->courier) : 0;
}

int esign_couriers_wait(void)
{
    esign_courier_t *idle = NULL;
    int busy = 0;
    for (int i = 0; i < outboxes->nelts; i++) {
        if (pending(outbox_at(i)) > 0)
            busy++;
        else if (outbox_at(i)->courier)
            idle = outbox_at(i)->courier;
    }
    for (int i = 0; i < outboxes->nelts; i++)
        if (pending(outbox_at(i)) > 0)
            esign_courier_wait(outbox_at(i)->courier, esign_retained_wakeup(),
                               busy > 1 ? SHARED_WAIT : ESIGN_COURIERS_WAIT);
    if (busy == 0 && idle)
        esign_courier_wait(idle, esign_retained_wakeup(), ESIGN_COURIERS_WAIT);
    return busy > 0 || idle;
}

/* All couriers wait together for FINISH_WAIT, so that a mail server that hangs takes no time from
 * the other couriers. Then they stop the remaining transfers. */
static void stop_transfers(void)
{
    apr_time_t until = esign_clock() + FINISH_WAIT;
    int left;
    do {
        left = 0;
        for (int i = 0; i < outboxes->nelts; i++)
            if (outbox_at(i)->courier)
                left += esign_courier_drain(outbox_at(i)->courier, SHARED_WAIT, child_pool);
    } while (left > 0 && esign_clock() < until);
    for (int i = 0; i < outboxes->nelts; i++)
        if (outbox_at(i)->courier)
            esign_courier_abort(outbox_at(i)->courier);
}

/* Writes the outcomes, and makes the messages that were not sent due again. */
static void finish_outbox(outbox_t *outbox)
{
    const esign_runtime_t *runtime = esign_runtime_of(outbox->server);
    if (!outbox->courier)
        return;
    esign_database_t *database = esign_lease_acquire(runtime, child_pool);
    esign_courier_finish(outbox->courier, database, child_pool);
    if (database && outbox->chainer)
        esign_chainer_finish(outbox->chainer, database, child_pool);
    if (database)
        esign_lease_release(runtime, database);
    outbox->courier = NULL;
}

void esign_couriers_finish(void)
{
    if (!child_pool)
        return;
    stop_transfers();
    for (int i = 0; i < outboxes->nelts; i++)
        finish_outbox(outbox_at(i));
    child_pool = NULL;
}

/* Starts a program as httpd starts those of its logs: in the parent, once a configuration, and
 * again when it ends. 0: it cannot be started. */
static int start_program(outbox_t *outbox, const char *audit_log, apr_pool_t *p)
{
    if (*audit_log != '|')
        return 1;
    outbox->program = audit_log[1] == '$' ? ap_open_piped_log_ex(p, audit_log + 2, APR_SHELLCMD_ENV)
                                          : ap_open_piped_log_ex(p, audit_log + 1, APR_PROGRAM_ENV);
    return outbox->program != NULL;
}

/* Whether an earlier server has the same keyring. Then both have the same outbox. */
static int is_listed(server_rec *first, const server_rec *server)
{
    const esign_runtime_t *runtime = esign_runtime_of(server);
    for (const server_rec *s = first; s != server; s = s->next)
        if (esign_runtime_of(s) && esign_runtime_of(s)->keyring == runtime->keyring)
            return 1;
    return 0;
}

int esign_couriers_prepare(server_rec *first, apr_pool_t *p)
{
    outboxes = apr_array_make(p, 1, sizeof(outbox_t *));
    for (server_rec *s = first; s; s = s->next) {
        const esign_runtime_t *runtime = esign_runtime_of(s);
        if (!runtime || is_listed(first, s))
            continue;
        outbox_t *outbox = apr_pcalloc(p, sizeof(*outbox));
        outbox->server = s;
        APR_ARRAY_PUSH(outboxes, outbox_t *) = outbox;
        if (!start_program(outbox, runtime->config->audit_log, p)) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s,
                         "mod_esign, EsignAuditLog: %s cannot be started",
                         runtime->config->audit_log);
            return -1;
        }
    }
    return outboxes->nelts;
}
