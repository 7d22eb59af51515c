/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl.c: finds libcurl and its functions. */
#include "libcurl.h"

#include <dlfcn.h>
#include <pthread.h>

esign_libcurl_t esign_libcurl;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* All functions, or the name of one that is missing. */
static const char *find(esign_libcurl_t *found, void *library)
{
#define FIND(name)                                                               \
    if (!(found->name = (__typeof__(found->name))dlsym(library, "curl_" #name))) \
        return "curl_" #name;
    ESIGN_LIBCURL(FIND)
#undef FIND
    return NULL;
}

/* Initialises it, and asks for what nothing can do without: the library that is there at run time
 * may be older than this program was built with, or built without TLS or SMTP. */
static CURLcode try(const esign_libcurl_t *found)
{
    CURLcode code = found->global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = code == CURLE_OK ? found->easy_init() : NULL;
    if (code == CURLE_OK && !easy)
        code = CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK)
        code = found->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps,http,https");
    if (code == CURLE_OK)
        code = found->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    found->easy_cleanup(easy);
    return code;
}

static esign_result_t load(apr_pool_t *p)
{
    esign_libcurl_t found;
    void *library = dlopen(ESIGN_LIBCURL_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return esign_result_make(p, APR_EDSOOPEN, "libcurl",
                                 "the library that sends mails and SMS cannot be loaded: %s",
                                 dlerror());
    const char *missing = find(&found, library);
    CURLcode code = missing ? CURLE_OK : try(&found);
    if (!missing && code == CURLE_OK) {
        esign_libcurl = found;
        return ESIGN_OK;
    }
    esign_result_t result =
        missing
            ? esign_result_make(p, APR_ESYMNOTFOUND, "libcurl", "%s has no %s: it is too old",
                                ESIGN_LIBCURL_SONAME, missing)
            : esign_result_make(p, APR_EGENERAL, "libcurl",
                                "%s is too old, or lacks a protocol (smtp, smtps, http, https): %s",
                                ESIGN_LIBCURL_SONAME, found.easy_strerror(code));
    dlclose(library);
    return result;
}

esign_result_t esign_libcurl_load(apr_pool_t *p)
{
    pthread_mutex_lock(&mutex);
    esign_result_t result = esign_libcurl.easy_init ? ESIGN_OK : load(p);
    pthread_mutex_unlock(&mutex);
    return result;
}
