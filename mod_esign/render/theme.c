/* SPDX-License-Identifier: Apache-2.0 */
/* theme.c: finds the files of a theme's folder. */
#include "theme.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_tables.h>

struct esign_theme_t {
    const char *folder;
    apr_array_header_t *statics; /* const char *: the names in static/ */
};

static esign_result_t refuse_path(apr_pool_t *p, apr_status_t status, const char *path)
{
    char reason[120];
    return esign_result_make(p, status, "theme", "%s cannot be read: %s", path,
                             apr_strerror(status, reason, sizeof(reason)));
}

static esign_result_t list_statics(esign_theme_t *theme, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, theme->folder, "/static", NULL);
    apr_dir_t *folder;
    apr_finfo_t entry;
    apr_status_t status = apr_dir_open(&folder, path, p);
    theme->statics = apr_array_make(p, 4, sizeof(const char *));
    if (APR_STATUS_IS_ENOENT(status))
        return ESIGN_OK;
    if (status != APR_SUCCESS)
        return refuse_path(p, status, path);
    while (apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS)
        APR_ARRAY_PUSH(theme->statics, const char *) = apr_pstrdup(p, entry.name);
    apr_dir_close(folder);
    return ESIGN_OK;
}

esign_result_t esign_theme_open(const esign_theme_t **theme, const char *folder, apr_pool_t *p)
{
    apr_finfo_t info;
    *theme = NULL;
    if (!folder)
        return ESIGN_OK;
    apr_status_t status = apr_stat(&info, folder, APR_FINFO_TYPE, p);
    if (status != APR_SUCCESS)
        return refuse_path(p, status, folder);
    if (info.filetype != APR_DIR)
        return esign_result_make(p, APR_ENOTDIR, "theme", "%s is not a folder", folder);
    esign_theme_t *made = apr_pcalloc(p, sizeof(*made));
    made->folder = apr_pstrdup(p, folder);
    esign_result_t result = list_statics(made, p);
    if (!esign_failed(result))
        *theme = made;
    return result;
}

const char *esign_theme_file(const esign_theme_t *theme, const char *name, apr_pool_t *p)
{
    apr_finfo_t info;
    if (!theme)
        return NULL;
    const char *path = apr_pstrcat(p, theme->folder, "/", name, NULL);
    /* Other errors than ENOENT, such as missing permission, must not silently select our file. */
    return APR_STATUS_IS_ENOENT(apr_stat(&info, path, APR_FINFO_TYPE, p)) ? NULL : path;
}

int esign_theme_has_static(const esign_theme_t *theme, const char *name)
{
    for (int i = 0; theme && i < theme->statics->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(theme->statics, i, const char *), name) == 0)
            return 1;
    return 0;
}
