/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.h: every text that a person reads, by language and key. */
#ifndef ESIGN_RENDER_CATALOGUE_H
#define ESIGN_RENDER_CATALOGUE_H

#include "core/result.h"
#include "theme.h"

#define ESIGN_LANGUAGES 2

/* The languages, in the order in which the switch shows them: "tr", "en". */
extern const char *const esign_catalogue_languages[ESIGN_LANGUAGES];

typedef struct esign_catalogue_t esign_catalogue_t;

/* Reads messages.tr.xml and messages.en.xml of `folder`:
 *     <messages lang="tr"> <message key="login.title">Şifreli Giriş Ekranı</message> … </messages>
 * and refuses keys that stand twice or in one language only, with the file and the key. The theme's
 * files (NULL: no theme) have the same form and replace single texts, in one language or both: a
 * key that `folder` has not, or a placeholder that its text has not, is refused by file and line.
 * Keys theme.… are the theme's own and stand in both languages. Read-only afterwards, so threads
 * share it. */
esign_result_t esign_catalogue_load(const esign_catalogue_t **catalogue, const char *folder,
                                    const esign_theme_t *theme, apr_pool_t *p);

/* The text of a key; NULL when there is none. */
const char *esign_catalogue_text(const esign_catalogue_t *catalogue, const char *language,
                                 const char *key);

/* The text with {1}, {2} … replaced by `arguments` (`count` of them). NULL when there is no such
 * key. */
const char *esign_catalogue_format(const esign_catalogue_t *catalogue, const char *language,
                                   const char *key, const char *const *arguments, int count,
                                   apr_pool_t *p);

/* The supported language that `language` names ("tr", "tr-TR", "TR"; tags have no case, RFC 5646
 * section 2.1.1), or NULL. */
const char *esign_catalogue_language(const char *language);

/* A moment as the language writes it, in the server's own time zone: "24 Kasım 2026 14.07" / "24
 * November 2026, 14:07". Month names are keys month.1 … month.12, the pattern is the key
 * "time.format" ({1} day, {2} month, {3} year, {4} hour, {5} minute). `date_only` uses
 * "date.format" ({1} to {3}). */
const char *esign_catalogue_time(const esign_catalogue_t *catalogue, const char *language,
                                 apr_time_t time, int date_only, apr_pool_t *p);

#endif
