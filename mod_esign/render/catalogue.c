/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.c: reads the message files, and finds and formats texts. */
#include "catalogue.h"

#include <apr_cstr.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_time.h>

#include <libxml/parser.h>

#include <string.h>

const char *const esign_catalogue_languages[ESIGN_LANGUAGES] = { "tr", "en" };

struct esign_catalogue_t {
    apr_hash_t *texts[ESIGN_LANGUAGES]; /* key -> text */
};

#define TEXT(x) ((const char *)(x))
#define X(x) ((const xmlChar *)(x))

/* The beginning of keys that a theme adds. */
#define THEME_KEYS "theme."

static int language_index(const char *language)
{
    for (int i = 0; language && i < ESIGN_LANGUAGES; i++)
        if (apr_cstr_casecmpn(language, esign_catalogue_languages[i], 2) == 0 &&
            (language[2] == '\0' || language[2] == '-'))
            return i;
    return -1;
}

const char *esign_catalogue_language(const char *language)
{
    int i = language_index(language);
    return i < 0 ? NULL : esign_catalogue_languages[i];
}

static esign_result_t refuse_node(apr_pool_t *p, const char *path, const xmlNode *node,
                                  const char *problem)
{
    return esign_result_make(p, APR_EINVAL, "message catalogue", "%s:%ld: %s", path,
                             node ? xmlGetLineNo((xmlNode *)node) : 1L, problem);
}

/* Why a theme's text for a key is refused; NULL when it is not. */
static const char *judge_override(apr_hash_t *ours, const char *key, const char *text,
                                  apr_pool_t *p)
{
    const char *replaced = apr_hash_get(ours, key, APR_HASH_KEY_STRING);
    if (!replaced)
        return strncmp(key, THEME_KEYS, strlen(THEME_KEYS)) == 0
                   ? NULL
                   : apr_psprintf(
                         p,
                         "there is no key %s to override; keys of your own begin with " THEME_KEYS,
                         key);
    for (const char *brace = text; (brace = strchr(brace, '{')) != NULL; brace++)
        if (brace[1] >= '1' && brace[1] <= '9' && brace[2] == '}' &&
            !strstr(replaced, apr_pstrmemdup(p, brace, 3)))
            return apr_psprintf(p, "the key %s has nothing to fill in for %.3s", key, brace);
    return NULL;
}

/* Adds the text of a <message>. `ours` are the texts that a theme's may replace; NULL when the file
 * is not a theme's. */
static esign_result_t add_message(apr_hash_t *texts, apr_hash_t *ours, const char *path,
                                  xmlNodePtr node, apr_pool_t *p)
{
    const char *wrong = NULL;
    if (strcmp(TEXT(node->name), "message") != 0)
        return refuse_node(p, path, node, "only <message> elements can stand here");
    xmlChar *key = xmlGetNoNsProp(node, X("key")), *text = xmlNodeGetContent(node);
    esign_result_t result = ESIGN_OK;
    if (!key || !*key)
        result = refuse_node(p, path, node, "a <message> has no key");
    else if (apr_hash_get(texts, key, APR_HASH_KEY_STRING))
        result = refuse_node(p, path, node, apr_psprintf(p, "the key %s stands twice", TEXT(key)));
    else if (ours && (wrong = judge_override(ours, TEXT(key), TEXT(text), p)) != NULL)
        result = refuse_node(p, path, node, wrong);
    else
        apr_hash_set(texts, apr_pstrdup(p, TEXT(key)), APR_HASH_KEY_STRING,
                     apr_pstrdup(p, TEXT(text)));
    xmlFree(key);
    xmlFree(text);
    return result;
}

static esign_result_t read_file(apr_hash_t *texts, apr_hash_t *ours, const char *path,
                                const char *language, apr_pool_t *p)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    xmlDocPtr document = xmlCtxtReadFile(parser, path, NULL,
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                             XML_PARSE_NOBLANKS);
    esign_result_t result = ESIGN_OK;
    if (!document) {
        xmlErrorPtr error = xmlCtxtGetLastError(parser);
        result = esign_result_make(
            p, APR_EINVAL, "message catalogue", "%s:%d: %s", path, error ? error->line : 0,
            error && error->message ? apr_pstrndup(p, error->message, strcspn(error->message, "\n"))
                                    : "cannot be read");
    } else {
        xmlNodePtr root = xmlDocGetRootElement(document);
        xmlChar *lang = root ? xmlGetNoNsProp(root, X("lang")) : NULL;
        if (document->intSubset)
            result = refuse_node(p, path, root, "a document type declaration cannot stand here");
        else if (strcmp(TEXT(root->name), "messages") != 0 || !lang ||
                 strcmp(TEXT(lang), language) != 0)
            result = refuse_node(
                p, path, root, apr_psprintf(p, "the root is not <messages lang=\"%s\">", language));
        for (xmlNodePtr node = root->children; node && !esign_failed(result); node = node->next)
            if (node->type == XML_ELEMENT_NODE)
                result = add_message(texts, ours, path, node, p);
        xmlFree(lang);
        xmlFreeDoc(document);
    }
    xmlFreeParserCtxt(parser);
    return result;
}

/* Checks that language b has every key of language a. */
static esign_result_t compare_keys(const esign_catalogue_t *catalogue, const char *folder, int a,
                                   int b, apr_pool_t *p)
{
    for (apr_hash_index_t *i = apr_hash_first(p, catalogue->texts[a]); i; i = apr_hash_next(i)) {
        const void *key;
        apr_hash_this(i, &key, NULL, NULL);
        if (!apr_hash_get(catalogue->texts[b], key, APR_HASH_KEY_STRING))
            return esign_result_make(p, APR_EINVAL, "message catalogue",
                                     "%s/messages.%s.xml lacks the key %s", folder,
                                     esign_catalogue_languages[b], TEXT(key));
    }
    return ESIGN_OK;
}

/* Checks that all languages have the same keys. */
static esign_result_t compare_languages(const esign_catalogue_t *catalogue, const char *folder,
                                        apr_pool_t *p)
{
    esign_result_t result = ESIGN_OK;
    for (int i = 1; i < ESIGN_LANGUAGES && !esign_failed(result); i++) {
        result = compare_keys(catalogue, folder, 0, i, p);
        if (!esign_failed(result))
            result = compare_keys(catalogue, folder, i, 0, p);
    }
    return result;
}

/* Replaces texts by the theme's. */
static esign_result_t add_theme(esign_catalogue_t *catalogue, const esign_theme_t *theme,
                                apr_pool_t *p)
{
    const char *path = NULL;
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        const char *own = esign_theme_file(
            theme, apr_psprintf(p, "messages.%s.xml", esign_catalogue_languages[i]), p);
        if (!own)
            continue;
        apr_hash_t *texts = apr_hash_make(p);
        esign_result_t result =
            read_file(texts, catalogue->texts[i], own, esign_catalogue_languages[i], p);
        if (esign_failed(result))
            return result;
        catalogue->texts[i] = apr_hash_overlay(p, texts, catalogue->texts[i]);
        path = own;
    }
    return path
               ? compare_languages(
                     catalogue, apr_pstrmemdup(p, path, (apr_size_t)(strrchr(path, '/') - path)), p)
               : ESIGN_OK;
}

esign_result_t esign_catalogue_load(const esign_catalogue_t **catalogue, const char *folder,
                                    const esign_theme_t *theme, apr_pool_t *p)
{
    esign_catalogue_t *made = apr_pcalloc(p, sizeof(*made));
    for (int i = 0; i < ESIGN_LANGUAGES; i++) {
        const char *path =
            apr_psprintf(p, "%s/messages.%s.xml", folder, esign_catalogue_languages[i]);
        made->texts[i] = apr_hash_make(p);
        esign_result_t result =
            read_file(made->texts[i], NULL, path, esign_catalogue_languages[i], p);
        if (esign_failed(result))
            return result;
    }
    esign_result_t result = compare_languages(made, folder, p);
    if (!esign_failed(result))
        result = add_theme(made, theme, p);
    if (!esign_failed(result))
        *catalogue = made;
    return result;
}

const char *esign_catalogue_text(const esign_catalogue_t *catalogue, const char *language,
                                 const char *key)
{
    int i = language_index(language);
    return i < 0 ? NULL : apr_hash_get(catalogue->texts[i], key, APR_HASH_KEY_STRING);
}

const char *esign_catalogue_format(const esign_catalogue_t *catalogue, const char *language,
                                   const char *key, const char *const *arguments, int count,
                                   apr_pool_t *p)
{
    const char *text = esign_catalogue_text(catalogue, language, key);
    if (!text || count == 0)
        return text;
    apr_array_header_t *parts = apr_array_make(p, 8, sizeof(const char *));
    for (const char *brace; (brace = strchr(text, '{')) != NULL;) {
        int known = brace[1] >= '1' && brace[1] < '1' + count && brace[2] == '}';
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrmemdup(p, text, (apr_size_t)(brace - text) + !known);
        if (known)
            APR_ARRAY_PUSH(parts, const char *) = arguments[brace[1] - '1'];
        text = brace + (known ? 3 : 1);
    }
    APR_ARRAY_PUSH(parts, const char *) = text;
    return apr_array_pstrcat(p, parts, 0);
}

const char *esign_catalogue_time(const esign_catalogue_t *catalogue, const char *language,
                                 apr_time_t time, int date_only, apr_pool_t *p)
{
    apr_time_exp_t t;
    if ((date_only ? apr_time_exp_gmt(&t, time) : apr_time_exp_lt(&t, time)) != APR_SUCCESS)
        return "";
    const char *month =
        esign_catalogue_text(catalogue, language, apr_psprintf(p, "month.%d", t.tm_mon + 1));
    const char *const parts[] = { apr_itoa(p, t.tm_mday), month ? month : "",
                                  apr_itoa(p, t.tm_year + 1900), apr_psprintf(p, "%02d", t.tm_hour),
                                  apr_psprintf(p, "%02d", t.tm_min) };
    const char *text =
        esign_catalogue_format(catalogue, language, date_only ? "date.format" : "time.format",
                               parts, date_only ? 3 : 5, p);
    return text ? text : "";
}
