/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.c: makes what the portals of a running server use. Before the fork it makes what all
 * children share, and after it what each child needs for itself. */
#include "runtime.h"

#include "gateways.h"
#include "retained.h"

#include "core/defaults.h"
#include "core/secret.h"
#include "core/word_hash.h"

#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>

#include <apr_strings.h>

#include <string.h>
#include <sys/prctl.h>

extern module AP_MODULE_DECLARE_DATA esign_module;
APLOG_USE_MODULE(esign);

/* The runtimes by server_rec *; each configuration makes a new table. */
static apr_hash_t *runtimes;

esign_runtime_t *esign_runtime_of(const server_rec *server)
{
    return runtimes ? apr_hash_get(runtimes, &server, sizeof(server)) : NULL;
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
        int listed = 0;
        for (int i = 0; runtime && i < portals->nelts; i++)
            listed |= APR_ARRAY_IDX(portals, i, const esign_runtime_t *)->meter == runtime->meter;
        if (runtime && !listed)
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
                                    esign_page_cache_t **cache, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    *render = runtime->render;
    esign_result_t result =
        c->theme_reload ? esign_render_load(render, c->htdocs, c->theme, p) : ESIGN_OK;
    *cache = *render == runtime->render ? runtime->page_cache : NULL;
    return result;
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
    if (esign_failed(result = esign_retained_mail_time(&runtime->smtp.lasted, c->mail_url, p)))
        return result;
    if (c->mail_password_file &&
        esign_failed(result = esign_secret_read(&runtime->smtp.password, c->mail_password_file, p)))
        return result;
    runtime->portal_url = apr_pstrcat(p, c->public_url, c->prefix, NULL);
    runtime->messages = (esign_message_context_t){ .render = runtime->render,
                                                   .page_cache = runtime->page_cache,
                                                   .organization = c->organization,
                                                   .sms_name = c->sms_name,
                                                   .url = runtime->portal_url };
    return esign_message_check(&runtime->messages, c->code_digits, p);
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
    runtime->page_cache = esign_page_cache_create(p);
    esign_blocklist_t *blocklist;
    if (esign_failed(result = esign_blocklist_load(&blocklist, c->word_blocklist, p)) ||
        esign_failed(result = make_delivery(runtime, p)))
        return result;
    runtime->words = (esign_word_policy_t){ .min = ESIGN_WORD_LENGTH_MIN,
                                            .max = ESIGN_WORD_LENGTH_MAX,
                                            .blocklist = blocklist };
    apr_pool_t *process = runtime->server->process->pool;
    result = esign_retained_meter(&runtime->meter, runtime->portal_url, process, p);
    if (!esign_failed(result))
        result = esign_retained_make(c, process, p);
    runtime->gate = esign_retained_hash_gate();
    return result;
}

/* The runtime of an earlier server with the same configuration record, as a virtual host without
 * directives of its own has; NULL: there is none. */
static esign_runtime_t *shared_runtime(server_rec *first, const server_rec *server)
{
    for (server_rec *s = first; s != server; s = s->next) {
        const esign_config_t *a = esign_config_of_server(s), *b = esign_config_of_server(server);
        esign_runtime_t *runtime = esign_runtime_of(s);
        /* Both records were zeroed before their members were set, so their padding is equal.
         * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
        if (runtime && memcmp(a, b, sizeof(*a)) == 0)
            return runtime;
    }
    return NULL;
}

static esign_result_t add_runtime(server_rec *first, server_rec *s, apr_pool_t *p)
{
    esign_runtime_t *runtime = apr_pcalloc(p, sizeof(*runtime));
    const esign_runtime_t *shared = shared_runtime(first, s);
    if (shared)
        *runtime = *shared;
    runtime->server = s;
    runtime->config = esign_config_of_server(s);
    if (runtime->config->theme_reload)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "mod_esign: EsignThemeReload is on: each page reads all stylesheets again, "
                     "and shows the mistakes of their author");
    esign_result_t result = shared ? ESIGN_OK : make_runtime(runtime, p);
    apr_hash_set(runtimes, &runtime->server, sizeof(runtime->server), runtime);
    return result;
}

static int post_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary, server_rec *first)
{
    (void)log, (void)temporary;
    /* httpd runs post_config twice at its start; the first time is a test. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    esign_result_t result = esign_word_hash_init();
    runtimes = apr_hash_make(p);
    for (server_rec *s = first; s && !esign_failed(result); s = s->next)
        if (esign_config_is_portal(esign_config_of_server(s)))
            result = add_runtime(first, s, p);
    if (!esign_failed(result))
        return OK;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, result.status, first, "mod_esign, %s: %s",
                 result.problem, result.detail);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The pool of an earlier server with the same memcached servers and keys; NULL: there is none. */
static esign_cache_t *shared_cache(server_rec *first, const esign_runtime_t *runtime)
{
    for (server_rec *s = first; s != runtime->server; s = s->next) {
        const esign_runtime_t *earlier = esign_runtime_of(s);
        if (earlier && earlier->cache && earlier->keyring == runtime->keyring &&
            strcmp(earlier->config->memcached, runtime->config->memcached) == 0)
            return earlier->cache;
    }
    return NULL;
}

/* Connects to memcached. Without a pool the child runs on, and its pages say that they cannot
 * answer now. */
static void make_cache(esign_runtime_t *runtime, int threads, apr_pool_t *p)
{
    const esign_config_t *c = runtime->config;
    apr_status_t locked = esign_keyring_lock(runtime->keyring);
    if (locked != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, locked, runtime->server,
                     "mod_esign: the keys may be swapped out to disk: raise the limit of "
                     "locked memory (ulimit -l, LimitMEMLOCK)");
    /* One for each worker thread and one for the courier. */
    int connections = c->memcached_connections ? c->memcached_connections : threads + 1;
    esign_result_t result =
        esign_cache_create(&runtime->cache, c->memcached, connections, runtime->keyring, p);
    if (esign_failed(result))
        ap_log_error(APLOG_MARK, APLOG_CRIT, result.status, runtime->server,
                     "mod_esign, EsignMemcached: %s", result.detail);
}

static void child_init(apr_pool_t *p, server_rec *first)
{
    int threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    /* Words, codes and PINs are in this process: it writes no core file, whatever CoreDumpDirectory
     * says. */
    if (esign_runtime_any())
        prctl(PR_SET_DUMPABLE, 0);
    for (server_rec *s = first; s; s = s->next) {
        esign_runtime_t *runtime = esign_runtime_of(s);
        if (runtime && !(runtime->cache = shared_cache(first, runtime)))
            make_cache(runtime, threads, p);
    }
}

void esign_runtime_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
