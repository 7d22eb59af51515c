/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl.c: finds libcurl and its functions. */
#include "deliver/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>

esign_libcurl_t esign_libcurl;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* All functions, or the name of one that is missing. */
static const char *find(esign_libcurl_t *found, void *library)
{
#define FIND(name) \
    if (!(found->name = (__typeof__(found->name))dlsym(library, "curl_" #name))) \
        return "curl_" #name;
    ESIGN_LIBCURL(FIND)
#undef FIND
    return NULL;
}

static esign_result_t load(apr_pool_t *p)
{
    esign_libcurl_t found;
    void *library = dlopen(ESIGN_LIBCURL_SONAME, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return esign_result_make(p, APR_EDSOOPEN, "libcurl", "the library that sends mails and SMS cannot be loaded: %s", dlerror());
    const char *missing = find(&found, library);
    CURLcode code = missing ? CURLE_OK : found.global_init(CURL_GLOBAL_DEFAULT);
    if (!missing && code == CURLE_OK) {
        esign_libcurl = found;
        return ESIGN_OK;
    }
    esign_result_t result = missing ? esign_result_make(p, APR_ESYMNOTFOUND, "libcurl", "%s has no %s: it is too old", ESIGN_LIBCURL_SONAME, missing)
                                    : esign_result_make(p, APR_EGENERAL, "libcurl", "%s: %s", ESIGN_LIBCURL_SONAME, found.easy_strerror(code));
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
