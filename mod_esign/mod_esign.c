/* SPDX-License-Identifier: Apache-2.0 */
/* mod_esign.c: the module record; each part registers its own hooks. */
#include "operator/status.h"
#include "screens/table.h"
#include "server/check.h"
#include "server/config.h"
#include "server/lease.h"
#include "server/retained.h"
#include "server/runtime.h"
#include "server/watchdog.h"
#include "web/session.h"
#include "web/wipe.h"

#include <curl/curl.h>
#include <idn2.h>
#include <libmemcached/memcached.h>
#include <libmemcached/util.h>
#include <libxslt/xslt.h>
#include <png.h>
#include <uninorm.h>

#include <dlfcn.h>

/* Keeps the libraries of this module loaded. httpd unloads its modules after it has read the
 * configuration for the first time, and at each reload. To link the libraries again would take
 * longer than the rest of a start, and some of them fail when they are loaded twice. */
static void keep_libraries(void)
{
    const void *const in[] = { curl_easy_init, idn2_to_ascii_8z,        memcached_create,
                               memcached_pool, png_create_write_struct, u8_normalize,
                               xsltInit };
    for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++) {
        Dl_info found;
        if (dladdr(in[i], &found))
            dlopen(found.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

static void register_hooks(apr_pool_t *p)
{
    keep_libraries();
    esign_config_register_hooks(p);
    esign_check_register_hooks(p);
    esign_retained_register_hooks(p);
    esign_runtime_register_hooks(p);
    esign_lease_register_hooks(p);
    esign_watchdog_register_hooks(p);
    esign_table_register_hooks(p);
    esign_session_register_hooks(p);
    esign_wipe_register_hooks(p);
    esign_status_register_hooks(p);
    esign_metrics_register_hooks(p);
}

AP_DECLARE_MODULE(esign) = { STANDARD20_MODULE_STUFF,
                             esign_config_create_location,
                             esign_config_merge_location,
                             esign_config_create_server,
                             esign_config_merge_server,
                             esign_config_directives,
                             register_hooks,
                             AP_MODULE_FLAG_NONE };
