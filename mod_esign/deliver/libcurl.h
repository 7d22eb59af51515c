/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl.h: libcurl, loaded where messages are sent and nowhere else: it and its thirty libraries
 * would take a third of what httpd's start takes more with this module. */
#ifndef ESIGN_DELIVER_LIBCURL_H
#define ESIGN_DELIVER_LIBCURL_H

#include "core/result.h"

#include <curl/curl.h>

/* What is called, without curl_ before it. */
#define ESIGN_LIBCURL(X)                                                                       \
    X(easy_cleanup)                                                                            \
    X(easy_getinfo)                                                                            \
    X(easy_init)                                                                               \
    X(easy_perform)                                                                            \
    X(easy_setopt) X(easy_strerror) X(global_init) X(multi_add_handle) X(multi_cleanup)        \
        X(multi_info_read) X(multi_init) X(multi_perform) X(multi_poll) X(multi_remove_handle) \
            X(multi_wakeup) X(slist_append) X(slist_free_all)

typedef struct {
#define ESIGN_LIBCURL_MEMBER(name) __typeof__(curl_##name) *name;
    ESIGN_LIBCURL(ESIGN_LIBCURL_MEMBER)
#undef ESIGN_LIBCURL_MEMBER
} esign_libcurl_t;

/* The functions: esign_libcurl.easy_init() is curl_easy_init(). Once esign_libcurl_load has
 * succeeded. */
extern esign_libcurl_t esign_libcurl;

/* Loads and initialises libcurl, once a process, from any thread; it stays. Fails, and may be asked
 * again, when the library is not there, lacks a function, or does not speak SMTP, HTTP and TLS: the
 * detail, in `p`, says which. */
esign_result_t esign_libcurl_load(apr_pool_t *p);

/* Whether a value is of the kind that an option takes, which the option's range tells (curl.h:
 * CURLOPTTYPE_…): variable arguments are not converted. */
#define ESIGN_LIBCURL_IS(value, type) __builtin_types_compatible_p(__typeof__(value), type)
#define ESIGN_LIBCURL_FITS(option, value)                               \
    ((option) < CURLOPTTYPE_OBJECTPOINT ? ESIGN_LIBCURL_IS(value, long) \
     : (option) >= CURLOPTTYPE_OFF_T                                    \
         ? ESIGN_LIBCURL_IS(value, curl_off_t)                          \
         : !ESIGN_LIBCURL_IS(value, long) && !ESIGN_LIBCURL_IS(value, int))

/* Sets an option of a handle, unless one was refused before: `code` keeps the first refusal. */
#define ESIGN_LIBCURL_SET(code, easy, option, value)                       \
    do {                                                                   \
        _Static_assert(ESIGN_LIBCURL_FITS(option, value),                  \
                       "libcurl takes another type for this option");      \
        if ((code) == CURLE_OK)                                            \
            (code) = esign_libcurl.easy_setopt((easy), (option), (value)); \
    } while (0)

#endif
