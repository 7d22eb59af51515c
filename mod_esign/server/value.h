/* SPDX-License-Identifier: Apache-2.0 */
/* value.h: what a directive's value must be, found when the configuration is tested. */
#ifndef ESIGN_SERVER_VALUE_H
#define ESIGN_SERVER_VALUE_H

#include "config.h"

/* NULL when `*value` is good, else what is wrong and what to write instead. May replace `*value` by
 * its full form, in `p`. */
typedef const char *esign_config_check_fn(apr_pool_t *p, const char **value);

esign_config_check_fn esign_config_check_path, esign_config_check_origin, esign_config_check_line,
    esign_config_check_header, esign_config_check_link, esign_config_check_file,
    esign_config_check_memcached, esign_config_check_identity_number, esign_config_check_email,
    esign_config_check_method, esign_config_check_audit_log, esign_config_check_http,
    esign_config_check_pattern;

/* What no directive shows alone: those that are missing, files that cannot be read, settings that
 * do not fit together. */
const char *esign_config_check_all(apr_pool_t *p, const esign_config_t *config);

#endif
