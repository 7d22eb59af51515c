/* SPDX-License-Identifier: Apache-2.0 */
/* result.c: formats the detail of a failure. */
#include "result.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>
#include <unistr.h>

/* Makes a detail one line of UTF-8, fit for a log or a terminal. It often quotes a file or another
 * library, which may contain any bytes. */
static void clean_detail(char *detail)
{
    for (uint8_t *c = (uint8_t *)detail; *c;) {
        ucs4_t point;
        int size = u8_strmbtouc(&point, c);
        int control = size > 0 && (point < ' ' || (point >= 0x7f && point < 0xa0) ||
                                   point == 0x2028 || point == 0x2029);
        if (size <= 0 || control)
            memset(c, size > 0 ? ' ' : '?', size > 0 ? (size_t)size : 1);
        c += size > 0 ? size : 1;
    }
}

esign_result_t esign_result_make(apr_pool_t *p, apr_status_t status, const char *problem,
                                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *detail = apr_pvsprintf(p, format, arguments);
    va_end(arguments);
    clean_detail(detail);
    return (esign_result_t){ status, problem, detail };
}
