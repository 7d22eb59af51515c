/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: the statements of conf/schema/schema.sql, which the build turns into strings. */
#include "schema.h"

#include <stddef.h>

const char *const esign_schema_statements[] = {
#include "store/schema.inc"
    NULL
};
