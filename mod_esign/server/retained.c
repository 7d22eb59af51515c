/* SPDX-License-Identifier: Apache-2.0 */
/* retained.c: finds or makes the node's objects that outlive reloads. */
#include "retained.h"

#include "ipc/wakeup.h"

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <unixd.h>

#include <apr_strings.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The names in httpd's retained data. They are the same in all versions of mod_esign: a reload that
 * loads a newer one finds the objects of the older one. */
#define HASH_GATE "mod_esign gate"
#define WRITE_GATE "mod_esign turn"
#define WAKEUP "mod_esign wake"
#define MAIL_TIME "mod_esign last mail to "

/* Longer than the writers of a node can queue: each is a thread of httpd. */
#define WRITE_QUEUE 32000

/* NULL, and -1, until a configuration has found or made them. */
static esign_gate_t *hash_gate, *write_gate;
static int wakeup = -1;

esign_gate_t *esign_retained_hash_gate(void)
{
    return hash_gate;
}

esign_gate_t *esign_retained_write_gate(void)
{
    return write_gate;
}

int esign_retained_wakeup(void)
{
    return wakeup;
}

/* Runs when a configuration ends. A reload keeps the gate; httpd's end, or a configuration that
 * fails, destroys it. */
static apr_status_t close_gate(void *gate)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_DESTROY_CONFIG ? APR_SUCCESS
                                                                       : esign_gate_destroy(gate);
}

/* A retained gate whose semaphores still exist, or NULL. Its cleanup is registered with `p`, the
 * configuration's pool: a cleanup of the process pool would run after httpd has unloaded this code.
 */
static esign_gate_t *find_gate(const char *name, apr_pool_t *p)
{
    esign_gate_t **retained = ap_retained_data_get(name);
    if (!retained || !*retained || !esign_gate_alive(*retained))
        return NULL;
    apr_pool_cleanup_register(p, *retained, close_gate, apr_pool_cleanup_null);
    return *retained;
}

static esign_result_t make_gate(esign_gate_t **gate, const char *name, int slots, int queue,
                                apr_pool_t *process, apr_pool_t *p)
{
    if (!*gate) {
        esign_gate_t *made;
        esign_result_t result = esign_gate_create(&made, slots, queue, process);
        if (esign_failed(result))
            return result;
        esign_gate_t **retained = ap_retained_data_get(name);
        if (!retained)
            retained = ap_retained_data_create(name, sizeof(*retained));
        *retained = made;
        *gate = find_gate(name, p);
    }
    return *gate && geteuid() == 0
               ? esign_gate_allow(*gate, ap_unixd_config.user_id, ap_unixd_config.group_id)
               : ESIGN_OK;
}

static esign_result_t make_wakeup(apr_pool_t *p)
{
    int *retained = ap_retained_data_get(WAKEUP);
    if (!retained) {
        int made = esign_wakeup_create();
        if (made < 0)
            return esign_result_make(p, errno, "eventfd", "cannot be made: %s", strerror(errno));
        retained = ap_retained_data_create(WAKEUP, sizeof(*retained));
        *retained = made;
    }
    wakeup = *retained;
    return ESIGN_OK;
}

esign_result_t esign_retained_make(const esign_config_t *config, apr_pool_t *process, apr_pool_t *p)
{
    esign_result_t result = make_wakeup(p);
    if (!esign_failed(result))
        result =
            make_gate(&hash_gate, HASH_GATE, config->hash_slots, config->hash_queue, process, p);
    if (!esign_failed(result))
        result = make_gate(&write_gate, WRITE_GATE, 1, WRITE_QUEUE, process, p);
    return result;
}

esign_result_t esign_retained_meter(esign_meter_t **meter, const char *portal_url,
                                    apr_pool_t *process, apr_pool_t *p)
{
    esign_meter_t **retained;
    /* Another version may have another layout, so its meter has another name. */
    const char *name = apr_psprintf(p, "mod_esign " ESIGN_VERSION " meter of %d bytes, %s",
                                    (int)sizeof(**retained), portal_url);
    retained = ap_retained_data_get(name);
    if (!retained) {
        esign_meter_t *made;
        esign_result_t result = esign_meter_create(&made, process);
        if (esign_failed(result))
            return result;
        retained = ap_retained_data_create(name, sizeof(*retained));
        *retained = made;
    }
    *meter = *retained;
    return ESIGN_OK;
}

/* The courier pauses for this time in place of a mail that it does not send, so that both take
 * equally long (deliver/mailer.c). A new child without the figure would not pause, and would show
 * which numbers are registered. */
esign_result_t esign_retained_mail_time(atomic_llong **time, const char *mail_url, apr_pool_t *p)
{
    const char *name = apr_pstrcat(p, MAIL_TIME, mail_url, NULL);
    atomic_llong **retained = ap_retained_data_get(name);
    if (!retained) {
        void *shared = mmap(NULL, sizeof(**retained), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
            return esign_result_make(p, errno, "mmap", "no shared memory: %s", strerror(errno));
        retained = ap_retained_data_create(name, sizeof(*retained));
        *retained = shared;
    }
    *time = *retained;
    return ESIGN_OK;
}

/* Runs before the directives are read, so that the gates are destroyed, too, when one is wrong and
 * httpd exits. */
static int pre_config(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temporary)
{
    (void)log, (void)temporary;
    hash_gate = find_gate(HASH_GATE, p);
    write_gate = find_gate(WRITE_GATE, p);
    return OK;
}

void esign_retained_register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
}
