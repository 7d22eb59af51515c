/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.h: what a running server holds: keys, stylesheets, the gate, and in each child its
 * memcached pool. */
#ifndef ESIGN_SERVER_RUNTIME_H
#define ESIGN_SERVER_RUNTIME_H

#include "cache/cache.h"
#include "config.h"
#include "core/national_id.h"
#include "core/word.h"
#include "deliver/transport.h"
#include "ipc/gate.h"
#include "ipc/meter.h"
#include "render/page_cache.h"
#include "store/database.h"

/* One for each server that is a portal; made before the fork, read-only afterwards but for `cache`.
 */
typedef struct {
    server_rec *server;
    const esign_config_t *config;
    const esign_keyring_t *keyring;
    const esign_render_t *render; /* as it was at the start; for use: esign_runtime_render */
    esign_page_cache_t *kept;     /* what `render` has made; filled by each child for itself */
    const esign_national_id_scheme_t *scheme;
    esign_word_policy_t words;
    esign_gate_t *gate;   /* one a node */
    esign_meter_t *meter; /* one a portal's address: servers that share it share this */
    esign_smtp_t smtp;
    const apr_array_header_t *gateways; /* esign_sms_gateway_t, in their order */
    esign_message_context_t messages;
    const char *portal_url; /* public URL and prefix */
    esign_cache_t *cache;   /* of this child */
} esign_runtime_t;

/* NULL for a server that is no portal. */
esign_runtime_t *esign_runtime_of(const server_rec *server);

/* The node's bell (core/wake.h), which tells the couriers that a message has been queued. The same
 * before and after a reload. */
int esign_runtime_wakeup(void);

/* Whether any server has. */
int esign_runtime_any(void);

/* The portals in the configuration's order, const esign_runtime_t *, one for each public address
 * and prefix. */
apr_array_header_t *esign_runtime_portals(apr_pool_t *p);

/* That of the portal at this public address; NULL: there is none. */
const esign_runtime_t *esign_runtime_at(const char *url, apr_pool_t *p);

/* Stylesheets and texts: those of the start or, with EsignThemeReload, those that the files hold
 * now, made in `p`. When these are wrong the result says what, and `*render` is that of the start.
 * `*kept`: what it has made; NULL: it is of this time alone. */
esign_result_t esign_runtime_render(const esign_runtime_t *runtime, const esign_render_t **render,
                                    esign_page_cache_t **kept, apr_pool_t *p);

/* A connection of mod_dbd's pool as the store wants it; NULL, logged, when the database cannot be
 * reached. Given back by esign_runtime_release. */
esign_database_t *esign_runtime_acquire(const esign_runtime_t *runtime, apr_pool_t *p);
void esign_runtime_release(const esign_runtime_t *runtime, esign_database_t *database);

/* post_config and child_init. */
void esign_runtime_register_hooks(apr_pool_t *p);

#endif
