/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c: enters the gate, runs Argon2id, leaves the gate and counts both. */
#include "hash.h"

#include "page.h"

#include "core/word_hash.h"

#include <time.h>

static int is_gate_busy(apr_status_t status)
{
    return APR_STATUS_IS_EAGAIN(status) || APR_STATUS_IS_TIMEUP(status);
}

/* Processor time that this thread has used. */
static apr_time_t processor_time(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return apr_time_from_sec(spent.tv_sec) + spent.tv_nsec / 1000;
}

static apr_status_t enter_gate(esign_request_t *q, apr_time_t *begun)
{
    esign_request_release(q);
    apr_status_t status = esign_gate_enter(q->runtime->gate, q->runtime->config->hash_patience);
    if (status != APR_SUCCESS && !is_gate_busy(status))
        esign_request_log(
            q,
            (esign_result_t){ status, "gate",
                              "its semaphores cannot be used; a reload of httpd makes new ones" });
    *begun = processor_time();
    return status;
}

static apr_status_t leave_gate(esign_request_t *q, apr_time_t begun, esign_result_t result)
{
    esign_gate_leave(q->runtime->gate);
    q->runtime->meter->hashes_accepted++;
    q->runtime->meter->hash_time += (apr_uint64_t)(processor_time() - begun);
    if (esign_failed(result))
        esign_request_log(q, result);
    return result.status;
}

static esign_word_cost_t cost_of(const esign_request_t *q)
{
    const esign_config_t *config = q->runtime->config;
    return (esign_word_cost_t){ .memory_kib = config->hash_memory, .passes = config->hash_passes };
}

apr_status_t esign_hash_make(esign_request_t *q, const char *word, const char **hash)
{
    apr_time_t begun;
    apr_status_t status = enter_gate(q, &begun);
    if (status != APR_SUCCESS)
        return status;
    return leave_gate(q, begun, esign_word_hash_make(cost_of(q), word, hash, q->r->pool));
}

/* A hash that cannot be read, of a lost key or broken, is logged and then counts as a mismatch: the
 * answer is the same as for any wrong word. */
static esign_result_t log_unreadable(esign_request_t *q, esign_result_t result)
{
    if (!APR_STATUS_IS_EINVAL(result.status))
        return result;
    esign_request_log(q, result);
    return ESIGN_OK;
}

apr_status_t esign_hash_verify(esign_request_t *q, const char *typed,
                               const esign_subscriber_t *subscriber, int renew, int *matches,
                               const char **better)
{
    apr_pool_t *p = q->r->pool;
    const char *hash, *word = esign_word_normalize(typed, p);
    int stale = 0;
    *matches = 0;
    *better = NULL;
    apr_time_t begun;
    apr_status_t status = enter_gate(q, &begun);
    if (status != APR_SUCCESS)
        return status;
    esign_result_t result =
        log_unreadable(q, esign_subscriber_open_hash(q->runtime->keyring, subscriber, &hash, p));
    /* A word that cannot be normalized, which no subscriber has, costs the same as any other. */
    if (!esign_failed(result))
        result = log_unreadable(q, esign_word_hash_verify(cost_of(q), word ? word : "",
                                                          word ? hash : NULL, matches, &stale, p));
    if (!esign_failed(result) && *matches && stale && renew)
        result = esign_word_hash_make(cost_of(q), word, better, p);
    return leave_gate(q, begun, result);
}

int esign_hash_refused(esign_request_t *q, apr_status_t status)
{
    if (!is_gate_busy(status))
        return esign_page_unavailable(q);
    q->runtime->meter->hashes_refused++;
    return esign_page_busy(q);
}
