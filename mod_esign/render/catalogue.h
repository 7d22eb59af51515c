/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.h: the texts of pages and messages, by language and key. */
#ifndef ESIGN_RENDER_CATALOGUE_H
#define ESIGN_RENDER_CATALOGUE_H

#include "core/result.h"
#include "theme.h"

#define ESIGN_LANGUAGES 2

/* "tr" and "en", in the order of the pages' language switch. */
extern const char *const esign_catalogue_languages[ESIGN_LANGUAGES];

typedef struct esign_catalogue_t esign_catalogue_t;

/* Reads messages.tr.xml and messages.en.xml of `folder`:
 *     <messages lang="tr"> <message key="login.title">Şifreli Giriş Ekranı</message> … </messages>
 * A key may occur once in a file, and must occur in both. The theme's files (NULL: no theme) have
 * the same form and replace single texts, in one language or both. They are refused when `folder`
 * lacks the key, or its text lacks a placeholder of the theme's text. Keys that begin with theme.
 * are the theme's own, and must occur in both of its files. Errors name file and line, or file and
 * key. The catalogue is in `p`, read-only, so threads share it. */
esign_result_t esign_catalogue_load(const esign_catalogue_t **catalogue, const char *folder,
                                    const esign_theme_t *theme, apr_pool_t *p);

/* The text of a key; NULL when there is no such key. It belongs to the catalogue. */
const char *esign_catalogue_text(const esign_catalogue_t *catalogue, const char *language,
                                 const char *key);

/* The text with {1}, {2} … replaced by `count` arguments, at most 9, in `p`; the catalogue's own
 * text when `count` is 0. NULL when there is no such key. */
const char *esign_catalogue_format(const esign_catalogue_t *catalogue, const char *language,
                                   const char *key, const char *const *arguments, int count,
                                   apr_pool_t *p);

/* The catalogues' language of a tag such as "tr", "tr-TR" or "TR" (RFC 5646 section 2.1.1: case
 * does not count); NULL for other languages. */
const char *esign_catalogue_language(const char *language);

/* A time in the language's form, in `p`: "24 Kasım 2026 14.07", "24 November 2026, 14:07". Keys
 * month.1 … month.12 are the names of months, and the key "time.format" is the pattern: {1} day,
 * {2} month, {3} year, {4} hour, {5} minute. Times are in the server's time zone. With `date_only`
 * the pattern is "date.format" with {1} to {3}, and the date is UTC's. */
const char *esign_catalogue_time(const esign_catalogue_t *catalogue, const char *language,
                                 apr_time_t time, int date_only, apr_pool_t *p);

#endif
