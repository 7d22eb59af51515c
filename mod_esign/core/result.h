/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: the result of an operation that can fail. */
#ifndef ESIGN_CORE_RESULT_H
#define ESIGN_CORE_RESULT_H

#include <apr_errno.h>
#include <apr_pools.h>

/* Passed by value. `detail` explains the failure to the administrator, and never holds a secret. */
typedef struct {
    apr_status_t status; /* APR_SUCCESS, or an error code */
    const char *problem; /* the part that failed: "database", "key file" …; NULL on success */
    const char *detail;  /* static, or in the pool of the call; NULL on success */
} esign_result_t;

#define ESIGN_OK ((esign_result_t){ APR_SUCCESS, NULL, NULL })

static inline int esign_failed(esign_result_t result)
{
    return result.status != APR_SUCCESS;
}

/* Makes a failure. The detail is formatted in `p` as by apr_psprintf; control characters and line
 * separators become spaces, and bytes that are not UTF-8 question marks. `status` must not be
 * APR_SUCCESS. */
esign_result_t esign_result_make(apr_pool_t *p, apr_status_t status, const char *problem,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
