/* SPDX-License-Identifier: Apache-2.0 */
/* chainer.c: one round chains the audit rows that wait, then writes chained rows to the copy. */
#include "chainer.h"

#include "chain.h"
#include "core/base64.h"
#include "core/digest.h"
#include "trail.h"

#include <apr_strings.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

/* Rows chained in one transaction: it keeps others from writing for some milliseconds. */
#define BATCH 250
/* Rows read at once for the copy. */
#define PAGE 200
/* How long the claim to write the copy lasts without progress. */
#define CLAIM apr_time_from_sec(10)
/* When a lasting problem is logged again. */
#define REPEAT_AFTER apr_time_from_sec(10 * 60)
/* When sound rows that still wait are a problem: they should be chained within a second. */
#define STUCK_AFTER apr_time_from_sec(10)
/* How many forged rows a round logs, each on its own line. */
#define NAMED_MAX 20

/* The last problem that was logged of the chaining, or of the copying. */
typedef struct {
    char text[256];
    apr_time_t time;
} problem_t;

struct esign_chainer_t {
    const esign_chainer_options_t *options;
    char *name; /* random: its claim to write the copy is under this name */
    esign_audit_cursor_t cursor;
    apr_int64_t reached;         /* the last end of the chain that was seen */
    char reached_chain[64];      /* and its chain value; neither may be another one later */
    apr_time_t stuck;            /* since then rows wait and none was chained; 0: not so */
    unsigned char told_key[256]; /* 1: it was logged that the key of this id is missing */

    /* The copying, while this chainer has the claim */
    apr_int64_t sent;         /* lines up to this position were written, */
    apr_int64_t sent_id;      /* and of this position up to this id: a row may have been inserted
                                 with the position of another */
    apr_int64_t acknowledged; /* lines up to this position were read */
    apr_int64_t mark;         /* a position up to `sent` whose reading is awaited; 0: none */
    apr_uint64_t mark_bytes;  /* it is read once so many bytes were read */

    problem_t chaining, copying;
    apr_pool_t *round; /* the pool of the running round */
};

static void write_log(esign_chainer_t *chainer, int level, apr_status_t status, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

static void write_log(esign_chainer_t *chainer, int level, apr_status_t status, const char *format,
                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    chainer->options->log(chainer->options->baton, level, status,
                          apr_pvsprintf(chainer->round, format, arguments));
    va_end(arguments);
}

/* Logs a problem that each round meets again: the first time, and then every REPEAT_AFTER. */
static void report_problem(esign_chainer_t *chainer, problem_t *last, apr_status_t status,
                           const char *text)
{
    apr_time_t now = apr_time_now();
    if (strncmp(last->text, text, sizeof(last->text) - 1) == 0 && now - last->time < REPEAT_AFTER)
        return;
    apr_cpystrn(last->text, text, sizeof(last->text));
    last->time = now;
    write_log(chainer, LOG_ERR, status, "%s", text);
}

static void report_failure(esign_chainer_t *chainer, problem_t *last, esign_result_t result)
{
    if (esign_failed(result))
        report_problem(chainer, last, result.status,
                       apr_psprintf(chainer->round, "%s: %s", result.problem, result.detail));
}

/* Logs rows that were kept out, and rows that wait for a missing key. */
static void report_batch(esign_chainer_t *chainer, const esign_audit_batch_t *batch)
{
    for (int i = 0; i < batch->forged->nelts && i < NAMED_MAX; i++)
        write_log(chainer, LOG_ERR, 0,
                  "the audit row %" APR_INT64_T_FMT
                  " was not written by mod_esign, or changed: its seal "
                  "is wrong. It is kept out of the chain",
                  APR_ARRAY_IDX(batch->forged, i, apr_int64_t));
    if (batch->forged->nelts > NAMED_MAX)
        write_log(chainer, LOG_ERR, 0, "so are %d more; esignctl audit verify names them all",
                  batch->forged->nelts - NAMED_MAX);
    if (batch->unknown_key && !chainer->told_key[batch->unknown_key & 255]) {
        chainer->told_key[batch->unknown_key & 255] = 1;
        write_log(
            chainer, LOG_ERR, 0,
            "audit rows are sealed under key %d, which the key file does not have: they wait to be "
            "chained",
            batch->unknown_key);
    }
}

/* Logs when no statement fails and yet no row is chained: a trigger in the database can do that. */
static void check_progress(esign_chainer_t *chainer, const esign_audit_batch_t *batch)
{
    apr_time_t now = apr_time_now();
    if (!batch->waiting)
        chainer->stuck = 0;
    else if (!chainer->stuck)
        chainer->stuck = now;
    else if (now - chainer->stuck > STUCK_AFTER)
        report_problem(
            chainer, &chainer->chaining, 0,
            "audit rows wait, and none is chained, though no statement fails: see esignctl "
            "audit verify");
}

/* Chains all rows that wait. */
static void chain_rows(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                       apr_pool_t *p)
{
    esign_audit_batch_t batch;
    esign_result_t result;
    do {
        apr_pool_clear(p);
        result = esign_audit_chain(database, &chainer->cursor, BATCH, &batch, p);
        report_batch(chainer, &batch);
    } while (!esign_failed(result) && batch.looked == BATCH && apr_time_now() < until &&
             !chainer->options->stopping(chainer->options->baton));
    report_failure(chainer, &chainer->chaining, result);
    if (!esign_failed(result))
        check_progress(chainer, &batch);
}

/* Begins to copy after `position`. */
static void restart_after(esign_chainer_t *chainer, apr_int64_t position)
{
    chainer->sent = chainer->acknowledged = position;
    chainer->sent_id = APR_INT64_MAX;
    chainer->mark = 0;
}

/* Whether this chainer has the claim to write the copy, or gets it now. */
static int claim_copy(esign_chainer_t *chainer, esign_database_t *database,
                      esign_audit_head_t *head, apr_pool_t *p)
{
    apr_time_t now = apr_time_now(), until = now + CLAIM;
    int claimed = 0, ours = strcmp(head->copier, chainer->name) == 0,
        alive = head->copier_until > now && head->copier_until <= until;
    if (ours && (alive || chainer->sent > head->copied))
        return 1;
    if ((!ours && alive) || head->copied >= head->position)
        return 0;
    esign_result_t result = esign_audit_claim(database, head, chainer->name, until, &claimed, p);
    report_failure(chainer, &chainer->copying, result);
    if (claimed && !ours)
        restart_after(chainer, head->copied);
    return claimed;
}

/* Writes one line to the copy: of the row `id` at `position`, or of a gap that ends there, with an
 * `id` above all. 0: the copy does not take it now. */
static int write_line(esign_chainer_t *chainer, const char *line, int refusal, apr_int64_t position,
                      apr_int64_t id)
{
    if (esign_audit_copy_write(chainer->options->copy, line, refusal)) {
        chainer->sent = position;
        chainer->sent_id = id;
        return 1;
    }
    if (errno != EAGAIN && errno != ENOBUFS)
        report_problem(chainer, &chainer->copying, errno,
                       "EsignAuditLog cannot be written; nothing is lost meanwhile");
    return 0;
}

/* Writes the line of a row, and before it that of a gap. A row that was changed after it was
 * chained does not stop the copy: its line says so. */
static int write_row_line(esign_chainer_t *chainer, esign_database_t *database,
                          const esign_audit_row_t *row, apr_pool_t *p)
{
    int forged = esign_audit_row_judge(database->keyring, row, p) == ESIGN_AUDIT_FORGED;
    if (row->position > chainer->sent + 1) {
        report_problem(chainer, &chainer->copying, 0,
                       apr_psprintf(chainer->round,
                                    "audit rows are missing before position %" APR_INT64_T_FMT
                                    ": see esignctl audit verify",
                                    row->position));
        if (!write_line(chainer, esign_audit_gap_line(chainer->sent + 1, row->position - 1, p), 1,
                        row->position - 1, APR_INT64_MAX))
            return 0;
    }
    if (forged)
        report_problem(chainer, &chainer->copying, 0,
                       apr_psprintf(chainer->round,
                                    "the audit row at position %" APR_INT64_T_FMT
                                    " was changed: its seal is wrong",
                                    row->position));
    return write_line(chainer, esign_audit_row_line(row, forged ? "changed" : NULL, p),
                      forged || strcmp(esign_event_result(row->event), "failure") == 0,
                      row->position, row->id);
}

/* Writes the lines of chained rows, until the copy takes no more. */
static void copy_rows(esign_chainer_t *chainer, esign_database_t *database,
                      const esign_audit_head_t *head, apr_time_t until, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    int taken = 1;
    /* Writes one page even when the chaining took all the time. */
    while (taken && chainer->sent < head->position) {
        apr_pool_clear(p);
        esign_result_t result = esign_audit_page(database, chainer->sent, chainer->sent_id,
                                                 head->position, PAGE, &rows, p);
        if (esign_failed(result)) {
            report_failure(chainer, &chainer->copying, result);
            return;
        }
        for (int i = 0; i < rows->nelts && taken; i++)
            taken =
                write_row_line(chainer, database, &APR_ARRAY_IDX(rows, i, esign_audit_row_t), p);
        if (rows->nelts == 0)
            taken = write_line(chainer, esign_audit_gap_line(chainer->sent + 1, head->position, p),
                               1, head->position, APR_INT64_MAX);
        taken = taken && apr_time_now() < until;
    }
}

/* Sets `acknowledged`: to `sent` when everything was read, else to the mark once its bytes were
 * read. Without the mark nothing would count while new lines keep the pipe from being empty. */
static void update_acknowledged(esign_chainer_t *chainer)
{
    apr_uint64_t read = esign_audit_copy_read(chainer->options->copy),
                 written = esign_audit_copy_written(chainer->options->copy);
    if (chainer->mark && read >= chainer->mark_bytes) {
        chainer->acknowledged = chainer->mark;
        chainer->mark = 0;
    }
    if (read == written)
        chainer->acknowledged = chainer->sent;
    if (!chainer->mark && chainer->sent > chainer->acknowledged) {
        chainer->mark = chainer->sent;
        chainer->mark_bytes = written;
    }
}

/* Whether the chain still contains the end that was seen before. It may have been set back between
 * two rounds, and have grown again since. `*same` 0: it does not contain it. */
static esign_result_t compare_chain(esign_chainer_t *chainer, esign_database_t *database,
                                    const esign_audit_head_t *head, int *same, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    *same = head->position > chainer->reached ||
            (head->position == chainer->reached &&
             (!chainer->reached || strcmp(head->chain, chainer->reached_chain) == 0));
    if (!*same || !chainer->reached || head->position == chainer->reached)
        return ESIGN_OK;
    esign_result_t result =
        esign_audit_page(database, chainer->reached, APR_INT64_MIN, chainer->reached, 1, &rows, p);
    /* If the row was removed or changed, `audit verify` reports it. */
    if (!esign_failed(result) && rows->nelts &&
        esign_audit_row_judge(database->keyring, &APR_ARRAY_IDX(rows, 0, esign_audit_row_t), p) ==
            ESIGN_AUDIT_SOUND)
        *same =
            strcmp(APR_ARRAY_IDX(rows, 0, esign_audit_row_t).chain, chainer->reached_chain) == 0;
    return result;
}

/* Records the end of the chain. If the chain was set back, that is logged, and the copy goes on
 * from the head's position. */
static esign_result_t record_end(esign_chainer_t *chainer, esign_database_t *database,
                                 const esign_audit_head_t *head, apr_pool_t *p)
{
    int same;
    esign_result_t result = compare_chain(chainer, database, head, &same, p);
    if (esign_failed(result))
        return result;
    if (!same) {
        write_log(chainer, LOG_ERR, 0,
                  "the audit chain was set back from position %" APR_INT64_T_FMT
                  "; it ends at %" APR_INT64_T_FMT " now: was the database restored?",
                  chainer->reached, head->position);
        restart_after(chainer, head->copied);
    }
    chainer->reached = head->position;
    apr_cpystrn(chainer->reached_chain, head->chain, sizeof(chainer->reached_chain));
    return ESIGN_OK;
}

/* Reads the head; fails when it is wrong. */
static esign_result_t read_head(esign_chainer_t *chainer, esign_database_t *database,
                                esign_audit_head_t *head, apr_pool_t *p)
{
    const char *problem;
    esign_result_t result = esign_audit_head_read(database, head, &problem, chainer->round);
    if (!esign_failed(result) && problem)
        result = esign_result_make(chainer->round, APR_EINVAL, "audit",
                                   "the head of the chain %s; nothing is copied", problem);
    return esign_failed(result) ? result : record_end(chainer, database, head, p);
}

/* Writes chained rows to the copy, and records in the head how far they were read. */
static void copy_chain(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                       apr_pool_t *p)
{
    esign_audit_head_t head;
    int done;
    esign_result_t result = read_head(chainer, database, &head, p);
    if (!esign_failed(result) && claim_copy(chainer, database, &head, chainer->round)) {
        copy_rows(chainer, database, &head, until, p);
        update_acknowledged(chainer);
        /* Other nodes chain while this one writes, so that the head is another one by now. With the
         * old head the write below would fail as long as there is much to copy. Then the claim
         * would end every ten seconds, and another chainer would copy the same rows again. */
        if (chainer->acknowledged > head.copied)
            result = read_head(chainer, database, &head, p);
        if (!esign_failed(result) && chainer->acknowledged > head.copied)
            result = esign_audit_copied(database, &head, chainer->name, chainer->acknowledged,
                                        apr_time_now() + CLAIM, &done, chainer->round);
    }
    report_failure(chainer, &chainer->copying, result);
}

esign_chainer_t *esign_chainer_create(const esign_chainer_options_t *options, apr_pool_t *p)
{
    unsigned char name[12];
    esign_chainer_t *made = apr_pcalloc(p, sizeof(*made));
    esign_digest_random(name, sizeof(name));
    *made = (esign_chainer_t){ .options = options,
                               .name = esign_base64_url_encode(p, name, sizeof(name)),
                               .cursor = ESIGN_AUDIT_FIRST };
    return made;
}

void esign_chainer_round(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                         apr_pool_t *p)
{
    apr_pool_t *work;
    apr_pool_create(&work, p);
    chainer->round = p;
    chain_rows(chainer, database, until, work);
    if (chainer->options->copy)
        copy_chain(chainer, database, until, work);
    chainer->round = NULL;
    apr_pool_destroy(work);
}

void esign_chainer_finish(esign_chainer_t *chainer, esign_database_t *database, apr_pool_t *p)
{
    esign_audit_head_t head;
    const char *problem;
    int claimed;
    if (!chainer->options->copy ||
        esign_failed(esign_audit_head_read(database, &head, &problem, p)) || problem ||
        strcmp(head.copier, chainer->name) != 0)
        return;
    /* If this fails, the next chainer waits until the claim ends. */
    (void)esign_audit_claim(database, &head, "", 0, &claimed, p);
}
