/* SPDX-License-Identifier: Apache-2.0 */
/* mod_esign.c: the module record; each part registers its own hooks. */
#include "config.h"
#include "runtime.h"
#include "watch.h"
#include "web/route.h"
#include "web/session.h"
#include "web/status.h"
#include "web/wipe.h"

static void register_hooks(apr_pool_t *p)
{
    esign_config_register_hooks(p);
    esign_runtime_register_hooks(p);
    esign_watch_register_hooks(p);
    esign_route_register_hooks(p);
    esign_session_register_hooks(p);
    esign_wipe_register_hooks(p);
    esign_status_register_hooks(p);
    esign_metrics_register_hooks(p);
}

AP_DECLARE_MODULE(esign) = {
    STANDARD20_MODULE_STUFF,
    esign_config_create_location,
    esign_config_merge_location,
    esign_config_create_server,
    esign_config_merge_server,
    esign_config_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
