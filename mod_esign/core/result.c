/* SPDX-License-Identifier: Apache-2.0 */
/* result.c: makes the value that says what failed. */
#include "core/result.h"

#include <apr_strings.h>
#include <stdarg.h>

esign_result_t esign_result_make(apr_pool_t *p, apr_status_t status, const char *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *detail = apr_pvsprintf(p, format, arguments);
    va_end(arguments);
    return (esign_result_t){ status, problem, detail };
}
