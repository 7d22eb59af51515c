/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c: PCRE2 with limits on steps and memory. */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A thousand times the steps that an ordinary pattern needs on some kilobytes; they take about 10
 * ms. */
#define STEPS_MAX 1000000
#define KILOBYTES_MAX 4096

struct esign_pattern_t {
    pcre2_code *code;
};

static apr_status_t free_code(void *code)
{
    pcre2_code_free(code);
    return APR_SUCCESS;
}

esign_result_t esign_pattern_compile(const esign_pattern_t **pattern, const char *text,
                                     apr_pool_t *p)
{
    int error;
    PCRE2_SIZE offset;
    PCRE2_UCHAR message[160];
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_MULTILINE,
                                     &error, &offset, NULL);
    if (!code) {
        pcre2_get_error_message(error, message, sizeof(message));
        return esign_result_make(p, APR_EINVAL, "pattern",
                                 "'%s' is no regular expression; after its first %d characters: %s",
                                 text, (int)offset, (char *)message);
    }
    esign_pattern_t *made = apr_palloc(p, sizeof(*made));
    made->code = code;
    apr_pool_cleanup_register(p, code, free_code, apr_pool_cleanup_null);
    *pattern = made;
    return ESIGN_OK;
}

int esign_pattern_found(const esign_pattern_t *pattern, const char *subject, apr_size_t length)
{
    pcre2_match_context *bounds = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int found = 0;
    if (bounds && data) {
        pcre2_set_match_limit(bounds, STEPS_MAX);
        pcre2_set_heap_limit(bounds, KILOBYTES_MAX);
        found = pcre2_match(pattern->code, (PCRE2_SPTR)subject, length, 0, 0, data, bounds) >= 0;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(bounds);
    return found;
}
