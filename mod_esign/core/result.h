/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: what an operation that can fail gives back. */
#ifndef ESIGN_CORE_RESULT_H
#define ESIGN_CORE_RESULT_H

#include <apr_errno.h>
#include <apr_pools.h>

/* Passed by value. `detail` is a sentence for the administrator; it never holds a secret. */
typedef struct {
    apr_status_t status; /* APR_SUCCESS, or what the failing part said */
    const char
        *problem; /* the part that failed: "database", "memcached", "key file"; NULL on success */
    const char *detail; /* static, or in the pool that the call was given */
} esign_result_t;

#define ESIGN_OK ((esign_result_t){ APR_SUCCESS, NULL, NULL })

static inline int esign_failed(esign_result_t result)
{
    return result.status != APR_SUCCESS;
}

/* A failure whose detail is made in `p` by apr_psprintf's rules, as one line of UTF-8 without
 * control characters, whatever the arguments hold. `status` must not be APR_SUCCESS. */
esign_result_t esign_result_make(apr_pool_t *p, apr_status_t status, const char *problem,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
