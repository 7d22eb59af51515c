/* SPDX-License-Identifier: Apache-2.0 */
/* form.c: the command `form`: registers a subscriber and prints the application form. */
#include "command.h"

#include "core/digest.h"
#include "core/secret.h"
#include "registrar.h"
#include "render/render.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <stdio.h>
#include <string.h>

#define X(text) ((const xmlChar *)(text))
/* Bytes of the first line of --word-file, at most. */
#define WORD_FILE_MAX 1024

/* Groups of two syllables in a word that is made up. A syllable is one of 60, so 12 syllables have
 * 70 bits, and are easy to read aloud. */
#define WORD_GROUPS 6

/* Checks that the necessary options are there, and --language. Returns an exit code. */
static int check_options(const apr_table_t *options)
{
    static const char *const needed[] = { "name", "email", "phone" };
    const char *language = apr_table_get(options, "language");
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!apr_table_get(options, needed[i]))
            return esign_command_fail(ESIGN_EXIT_USAGE, "--%s is missing; see esignctl form --help",
                                      needed[i]);
    if (language && strcmp(language, "tr") != 0 && strcmp(language, "en") != 0)
        return esign_command_fail(ESIGN_EXIT_USAGE, "--language: write tr or en");
    return ESIGN_EXIT_OK;
}

/* Makes up a word of syllables, without letters that look alike. */
static const char *make_word(apr_pool_t *p)
{
    static const char consonants[] = "bdfghkmnprstvyz", vowels[] = "aeou";
    char *word = esign_secret_alloc(p, WORD_GROUPS * 5 + 1), *end = word;
    for (int syllable = 0; syllable < WORD_GROUPS * 2; syllable++) {
        unsigned char random[2];
        do
            esign_digest_random(random, sizeof(random));
        while (random[0] >= 255);
        if (syllable && syllable % 2 == 0)
            *end++ = '-';
        *end++ = consonants[random[0] % 15];
        *end++ = vowels[random[1] % 4];
    }
    return word;
}

/* Reads the first line of a file, or of standard input. NULL: it cannot be read. */
static const char *read_word(const char *path, apr_pool_t *p)
{
    char line[WORD_FILE_MAX] = "";
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *got = file ? fgets(line, sizeof(line), file) : NULL;
    if (file && file != stdin)
        fclose(file);
    const char *word = got ? esign_secret_copy(p, line, strcspn(line, "\r\n")) : NULL;
    esign_secret_wipe(line, sizeof(line));
    return word;
}

static const char *today(apr_pool_t *p)
{
    apr_time_exp_t t;
    apr_time_exp_gmt(&t, apr_time_now());
    return apr_psprintf(p, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

/* Prints the form. Only here the word can be read: the database has its hash. */
static esign_result_t print_form(const esign_command_t *command, const esign_render_t *render,
                                 const esign_application_t *a, apr_int64_t id)
{
    const esign_settings_t *settings = command->settings;
    apr_pool_t *p = command->pool;
    char *output;
    apr_size_t length;
    xmlDocPtr document = esign_render_document(p, "form-sheet");
    xmlNodePtr root = xmlDocGetRootElement(document);
    const char *url =
        apr_pstrcat(p, settings->public_url ? settings->public_url : "", settings->prefix, NULL);
    xmlNewProp(root, X("lang"), X(a->language));
    xmlNewProp(root, X("organization"), X(esign_render_clean(p, settings->organization)));
    xmlNewProp(root, X("url"), X(url));
    xmlNewProp(root, X("date"), X(today(p)));
    xmlNodePtr subscriber = xmlNewChild(root, NULL, X("subscriber"), NULL);
    xmlNewProp(subscriber, X("id"), X(apr_psprintf(p, "%" APR_INT64_T_FMT, id)));
    xmlNewProp(subscriber, X("national-id"), X(esign_render_clean(p, a->national_id)));
    xmlNewProp(subscriber, X("name"), X(esign_render_clean(p, a->name)));
    xmlNewProp(subscriber, X("email"), X(esign_render_clean(p, a->email)));
    xmlNewProp(subscriber, X("phone"), X(esign_render_clean(p, a->phone)));
    xmlNewTextChild(root, NULL, X("word"), X(esign_render_clean(p, a->word)));
    esign_result_t result = esign_render_transform(render, "form", document, &output, &length, p);
    if (!esign_failed(result) &&
        (fwrite(output, 1, length, stdout) != length || fflush(stdout) != 0))
        result = esign_result_make(p, APR_ENOSPC, "form", "the form could not be written");
    return result;
}

int esign_command_form(const esign_command_t *command)
{
    apr_pool_t *p = command->pool;
    const apr_table_t *options = command->options;
    const esign_render_t *render;
    esign_registrar_t registrar;
    apr_int64_t id;
    int code = check_options(options);
    if (code != ESIGN_EXIT_OK)
        return code;
    const char *word_file = apr_table_get(options, "word-file"),
               *language = apr_table_get(options, "language");
    esign_application_t a = { .national_id = esign_command_argument(command, 0),
                              .language = language ? language : "tr",
                              .name = apr_table_get(options, "name"),
                              .email = apr_table_get(options, "email"),
                              .phone = apr_table_get(options, "phone") };
    a.word = word_file ? read_word(word_file, p) : make_word(p);
    if (!a.word)
        return esign_command_fail(ESIGN_EXIT_REFUSED, "--word-file %s: no word can be read there",
                                  word_file);
    esign_result_t result = esign_registrar_make(&registrar, command->settings, p);
    if (!esign_failed(result))
        result = esign_render_load(&render, command->settings->htdocs, command->settings->theme, p);
    if (esign_failed(result))
        return esign_command_fail(ESIGN_EXIT_ENVIRONMENT, "%s: %s", result.problem, result.detail);
    esign_application_t ready;
    result = esign_registrar_prepare(&registrar, &a, &ready, p);
    /* The transaction ends after the form was printed: without a form nobody would know the word.
     */
    if (!esign_failed(result))
        result = esign_registrar_begin(&registrar, p);
    if (!esign_failed(result))
        result = esign_registrar_add(&registrar, &ready, &id, p);
    if (!esign_failed(result))
        result = print_form(command, render, &a, id);
    result = esign_database_end(registrar.database, result, p);
    return esign_failed(result) ? esign_command_fail_result(result) : ESIGN_EXIT_OK;
}
