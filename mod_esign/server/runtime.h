/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.h: what the portal of a running server uses: keys, stylesheets, gates, gateways, and in
 * each child its memcached pool. */
#ifndef ESIGN_SERVER_RUNTIME_H
#define ESIGN_SERVER_RUNTIME_H

#include "cache/cache.h"
#include "config.h"
#include "core/national_id.h"
#include "core/word.h"
#include "deliver/gateway.h"
#include "deliver/message.h"
#include "deliver/smtp.h"
#include "ipc/gate.h"
#include "ipc/meter.h"
#include "render/page_cache.h"
#include "store/database.h"

/* One for each server that is a portal. The parent makes it before the fork; children only read it,
 * but for `cache`, which each makes itself. In the configuration pool. */
typedef struct {
    server_rec *server;
    const esign_config_t *config;
    const esign_keyring_t *keyring;
    const esign_render_t *render;   /* read at the start; used through esign_runtime_render */
    esign_page_cache_t *page_cache; /* the child's own, of pages that `render` made */
    const esign_national_id_scheme_t *scheme;
    esign_word_policy_t words;
    esign_gate_t *gate;   /* for Argon2id; one a node */
    esign_meter_t *meter; /* one a portal_url: servers with the same one share it */
    esign_smtp_t smtp;
    const apr_array_header_t *gateways; /* esign_sms_gateway_t, in the configuration's order */
    esign_message_context_t messages;
    const char *portal_url; /* EsignPublicURL and EsignPrefix */
    esign_cache_t *cache;   /* this child's; NULL: it could not be made, which was logged */
} esign_runtime_t;

/* NULL for a server that is not a portal. */
esign_runtime_t *esign_runtime_of(const server_rec *server);

/* Whether any server is a portal. */
int esign_runtime_any(void);

/* The portals in the configuration's order, const esign_runtime_t *, one for each portal_url. */
apr_array_header_t *esign_runtime_portals(apr_pool_t *p);

/* The portal with this portal_url; NULL: there is none. */
const esign_runtime_t *esign_runtime_at(const char *url, apr_pool_t *p);

/* Stylesheets and texts: those of the start or, with EsignThemeReload, what the files contain now,
 * in `p`. On a failure `*render` is that of the start. `*cache` belongs to the render of the start;
 * NULL for any other. */
esign_result_t esign_runtime_render(const esign_runtime_t *runtime, const esign_render_t **render,
                                    esign_page_cache_t **cache, apr_pool_t *p);

/* Registers post_config and child_init. */
void esign_runtime_register_hooks(apr_pool_t *p);

#endif
