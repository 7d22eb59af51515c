/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c: writes one sealed record a line: an application, followed by its cards. */
#include "spool.h"

#include "core/record.h"
#include "core/seal.h"

#include <apr_strings.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBLEM "spool"

struct esign_spool_t {
    FILE *file;
    const esign_keyring_t *keyring;
    apr_int64_t record; /* number of the next record; its seal is bound to it, so that records
                           cannot change places */
    char *line;
    size_t size;
};

/* A text of a record, and its member in the structure. */
typedef struct {
    const char *name;
    size_t offset;
} field_t;

static const field_t application_fields[] = {
    { "national-id", offsetof(esign_application_t, national_id) },
    { "language", offsetof(esign_application_t, language) },
    { "name", offsetof(esign_application_t, name) },
    { "email", offsetof(esign_application_t, email) },
    { "phone", offsetof(esign_application_t, phone) },
    { "word-hash", offsetof(esign_application_t, word_hash) },
    { NULL, 0 }
};

static const field_t card_fields[] = { { "serial", offsetof(esign_card_t, serial) },
                                       { "state", offsetof(esign_card_t, state) },
                                       { "not-before", offsetof(esign_card_t, not_before) },
                                       { "not-after", offsetof(esign_card_t, not_after) },
                                       { "fingerprint", offsetof(esign_card_t, fingerprint) },
                                       { "pin", offsetof(esign_card_t, pin) },
                                       { "puk", offsetof(esign_card_t, puk) },
                                       { NULL, 0 } };

static apr_status_t close_spool(void *data)
{
    esign_spool_t *spool = data;
    free(spool->line);
    return fclose(spool->file) == 0 ? APR_SUCCESS : errno;
}

static esign_result_t failed(apr_pool_t *p, const char *doing)
{
    int error = errno;
    return esign_result_make(p, error, PROBLEM, "the temporary file cannot be %s: %s", doing,
                             strerror(error));
}

esign_result_t esign_spool_open(esign_spool_t **spool, const esign_keyring_t *keyring,
                                apr_pool_t *p)
{
    const char *folder = getenv("TMPDIR");
    char *path = apr_pstrcat(p, folder && *folder ? folder : "/tmp", "/esignctl.XXXXXX", NULL);
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return failed(p, apr_psprintf(p, "made in %s", folder && *folder ? folder : "/tmp"));
    unlink(path);
    *spool = apr_pcalloc(p, sizeof(**spool));
    **spool = (esign_spool_t){ .file = fdopen(descriptor, "w+"), .keyring = keyring };
    apr_pool_cleanup_register(p, *spool, close_spool, apr_pool_cleanup_null);
    return ESIGN_OK;
}

/* What the seal of the next record is bound to. */
static const char *next_place(esign_spool_t *spool, apr_pool_t *p)
{
    return apr_psprintf(p, "import/%" APR_INT64_T_FMT, spool->record++);
}

static apr_table_t *values_of(const void *structure, const field_t *fields, apr_pool_t *p)
{
    apr_table_t *values = apr_table_make(p, 10);
    for (; fields->name; fields++) {
        const char *text = *(const char *const *)((const char *)structure + fields->offset);
        if (text)
            apr_table_setn(values, fields->name, text);
    }
    return values;
}

static esign_result_t put_record(esign_spool_t *spool, const apr_table_t *values, apr_pool_t *p)
{
    const char *text = esign_record_encode(p, values), *sealed;
    esign_result_t result = esign_seal(spool->keyring, ESIGN_KEY_DATABASE, next_place(spool, p),
                                       text, strlen(text), &sealed, p);
    if (esign_failed(result))
        return result;
    return fprintf(spool->file, "%s\n", sealed) < 0 ? failed(p, "written") : ESIGN_OK;
}

esign_result_t esign_spool_put(esign_spool_t *spool, long line, const esign_application_t *a,
                               apr_pool_t *p)
{
    apr_table_t *values = values_of(a, application_fields, p);
    esign_record_set_number(values, "line", line);
    esign_record_set_number(values, "cards", a->cards ? a->cards->nelts : 0);
    esign_result_t result = put_record(spool, values, p);
    for (int i = 0; !esign_failed(result) && a->cards && i < a->cards->nelts; i++)
        result = put_record(
            spool, values_of(&APR_ARRAY_IDX(a->cards, i, esign_card_t), card_fields, p), p);
    return result;
}

esign_result_t esign_spool_rewind(esign_spool_t *spool, apr_pool_t *p)
{
    spool->record = 0;
    return fflush(spool->file) != 0 || fseek(spool->file, 0, SEEK_SET) != 0 ? failed(p, "written")
                                                                            : ESIGN_OK;
}

/* Reads the next record into a structure. `*values` is NULL at the end. */
static esign_result_t get_record(esign_spool_t *spool, void *structure, const field_t *fields,
                                 const apr_table_t **values, apr_pool_t *p)
{
    char *text;
    apr_size_t length;
    *values = NULL;
    if (getline(&spool->line, &spool->size, spool->file) < 0)
        return feof(spool->file) ? ESIGN_OK : failed(p, "read");
    spool->line[strcspn(spool->line, "\n")] = '\0';
    esign_result_t result = esign_unseal(spool->keyring, ESIGN_KEY_DATABASE, next_place(spool, p),
                                         spool->line, &text, &length, p);
    if (!esign_failed(result) && !(*values = esign_record_decode(p, text, length)))
        result = esign_result_make(p, APR_EGENERAL, PROBLEM, "the temporary file has changed");
    for (; !esign_failed(result) && fields->name; fields++)
        *(const char **)((char *)structure + fields->offset) = apr_table_get(*values, fields->name);
    return result;
}

esign_result_t esign_spool_get(esign_spool_t *spool, long *line, esign_application_t *a,
                               apr_pool_t *p)
{
    const apr_table_t *values, *card_values;
    *line = 0;
    *a = (esign_application_t){ 0 };
    esign_result_t result = get_record(spool, a, application_fields, &values, p);
    if (esign_failed(result) || !values)
        return result;
    apr_int64_t cards = esign_record_number(values, "cards", 0);
    apr_array_header_t *list = apr_array_make(p, (int)cards, sizeof(esign_card_t));
    for (apr_int64_t i = 0; !esign_failed(result) && i < cards; i++) {
        result = get_record(spool, apr_array_push(list), card_fields, &card_values, p);
        if (!esign_failed(result) && !card_values)
            result = esign_result_make(p, APR_EGENERAL, PROBLEM, "the temporary file has changed");
    }
    a->cards = list;
    *line = (long)esign_record_number(values, "line", 0);
    return result;
}
