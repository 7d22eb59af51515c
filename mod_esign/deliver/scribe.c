/* SPDX-License-Identifier: Apache-2.0 */
/* scribe.c: rounds over the audit trail. */
#include "deliver/scribe.h"

#include "core/digest.h"
#include "store/audit.h"
#include "store/audit_chain.h"

#include <apr_strings.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

/* Rows in a transaction: it keeps others from writing for some milliseconds. */
#define BATCH 250
#define PAGE 200
#define LEASE apr_time_from_sec(10)
/* What goes on being wrong is told again after this. */
#define AGAIN apr_time_from_sec(10 * 60)
/* Forged rows that a round names, each on a line of its own. */
#define NAMED_MAX 20

struct esign_scribe_t {
    const esign_scribe_options_t *options;
    char *name;                       /* among the couriers of the database */
    esign_audit_cursor_t cursor;
    apr_int64_t reached;              /* the furthest end of the chain seen: it never goes back */
    unsigned char told_key[256];      /* key ids that are known to be missing */

    /* The copying, while it is ours */
    apr_int64_t sent;                 /* handed over up to this position */
    apr_int64_t acknowledged;         /* and read */
    apr_int64_t mark;                 /* a position on its way, and how many bytes must be read for it to count; 0: none */
    apr_uint64_t mark_bytes;

    char last_complaint[256];
    apr_time_t complained;
    apr_pool_t *round;
};

static void say(esign_scribe_t *scribe, int level, apr_status_t status, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say(esign_scribe_t *scribe, int level, apr_status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    scribe->options->log(scribe->options->baton, level, status, apr_pvsprintf(scribe->round, format, arguments));
    va_end(arguments);
}

/* For what comes again at each round: once, and then at times. */
static void complain(esign_scribe_t *scribe, apr_status_t status, const char *text)
{
    apr_time_t now = apr_time_now();
    if (strncmp(scribe->last_complaint, text, sizeof(scribe->last_complaint) - 1) == 0 && now - scribe->complained < AGAIN)
        return;
    apr_cpystrn(scribe->last_complaint, text, sizeof(scribe->last_complaint));
    scribe->complained = now;
    say(scribe, LOG_ERR, status, "%s", text);
}

static void tell_batch(esign_scribe_t *scribe, const esign_audit_batch_t *batch)
{
    for (int i = 0; i < batch->forged->nelts && i < NAMED_MAX; i++)
        say(scribe, LOG_ERR, 0, "the audit row %" APR_INT64_T_FMT " was not written by mod_esign, or changed: its seal is wrong. It is kept out of the chain",
            APR_ARRAY_IDX(batch->forged, i, apr_int64_t));
    if (batch->forged->nelts > NAMED_MAX)
        say(scribe, LOG_ERR, 0, "so are %d more; esignctl audit verify names them all", batch->forged->nelts - NAMED_MAX);
    if (batch->unknown_key && !scribe->told_key[batch->unknown_key & 255]) {
        scribe->told_key[batch->unknown_key & 255] = 1;
        say(scribe, LOG_ERR, 0, "audit rows are sealed under key %d, which the key file does not have: they wait to be chained", batch->unknown_key);
    }
}

static void chain(esign_scribe_t *scribe, esign_database_t *database, apr_time_t until, apr_pool_t *p)
{
    esign_audit_batch_t batch;
    esign_result_t result;
    do {
        apr_pool_clear(p);
        result = esign_audit_chain(database, &scribe->cursor, BATCH, &batch, p);
        tell_batch(scribe, &batch);
    } while (!esign_failed(result) && batch.looked == BATCH && apr_time_now() < until && !scribe->options->stopping(scribe->options->baton));
    if (esign_failed(result))
        complain(scribe, result.status, apr_psprintf(scribe->round, "%s: %s", result.problem, result.detail));
}

static void begin_behind(esign_scribe_t *scribe, apr_int64_t position)
{
    scribe->sent = scribe->acknowledged = position;
    scribe->mark = 0;
}

/* Whether the copying is this scribe's, or becomes it now. */
static int hold(esign_scribe_t *scribe, esign_database_t *database, esign_audit_head_t *head, apr_pool_t *p)
{
    apr_time_t now = apr_time_now(), until = now + LEASE;
    int claimed = 0, ours = strcmp(head->copier, scribe->name) == 0, alive = head->copier_until > now && head->copier_until <= until;
    if (ours && (alive || scribe->sent > head->copied))
        return 1;
    if ((!ours && alive) || head->copied >= head->position)
        return 0;
    esign_result_t result = esign_audit_claim(database, head, scribe->name, until, &claimed, p);
    if (esign_failed(result))
        complain(scribe, result.status, apr_psprintf(scribe->round, "%s: %s", result.problem, result.detail));
    if (claimed && !ours)
        begin_behind(scribe, head->copied);
    return claimed;
}

/* Hands over a line of `position`, or of rows missing up to it. */
static int hand_over(esign_scribe_t *scribe, const char *line, int refusal, apr_int64_t position)
{
    if (esign_audit_log_write(scribe->options->copy, line, refusal)) {
        scribe->sent = position;
        return 1;
    }
    if (errno != EAGAIN && errno != ENOBUFS)
        complain(scribe, errno, "EsignAuditLog cannot be written; nothing is lost meanwhile");
    return 0;
}

/* What was done to a row after it was chained does not stop the copy: the line tells. */
static int hand_over_row(esign_scribe_t *scribe, esign_database_t *database, const esign_audit_row_t *row, apr_pool_t *p)
{
    int forged = esign_audit_row_judge(database->keyring, row, p) == ESIGN_AUDIT_FORGED;
    if (row->position > scribe->sent + 1) {
        complain(scribe, 0, apr_psprintf(scribe->round, "audit rows are missing before position %" APR_INT64_T_FMT ": see esignctl audit verify", row->position));
        if (!hand_over(scribe, esign_audit_gap_line(scribe->sent + 1, row->position - 1, p), 1, row->position - 1))
            return 0;
    }
    if (forged)
        complain(scribe, 0, apr_psprintf(scribe->round, "the audit row at position %" APR_INT64_T_FMT " was changed: its seal is wrong", row->position));
    return hand_over(scribe, esign_audit_row_line(row, forged ? "changed" : NULL, p), forged || strcmp(esign_audit_result(row->event), "failure") == 0, row->position);
}

static void send_rows(esign_scribe_t *scribe, esign_database_t *database, const esign_audit_head_t *head, apr_time_t until, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    int taken = 1;
    /* One page at least, however long the chaining took. */
    while (taken && scribe->sent < head->position) {
        apr_pool_clear(p);
        esign_result_t result = esign_audit_page(database, scribe->sent, APR_INT64_MAX, head->position, PAGE, &rows, p);
        if (esign_failed(result)) {
            complain(scribe, result.status, apr_psprintf(scribe->round, "%s: %s", result.problem, result.detail));
            return;
        }
        for (int i = 0; i < rows->nelts && taken; i++)
            taken = hand_over_row(scribe, database, &APR_ARRAY_IDX(rows, i, esign_audit_row_t), p);
        if (rows->nelts == 0)
            taken = hand_over(scribe, esign_audit_gap_line(scribe->sent + 1, head->position, p), 1, head->position);
        taken = taken && apr_time_now() < until;
    }
}

/* Moves `acknowledged` to what the reader has surely read. */
static void look_what_was_read(esign_scribe_t *scribe)
{
    apr_uint64_t read = esign_audit_log_read(scribe->options->copy), written = esign_audit_log_written(scribe->options->copy);
    if (scribe->mark && read >= scribe->mark_bytes) {
        scribe->acknowledged = scribe->mark;
        scribe->mark = 0;
    }
    if (read == written)
        scribe->acknowledged = scribe->sent;
    if (!scribe->mark && scribe->sent > scribe->acknowledged) {
        scribe->mark = scribe->sent;
        scribe->mark_bytes = written;
    }
}

static void copy(esign_scribe_t *scribe, esign_database_t *database, apr_time_t until, apr_pool_t *p)
{
    esign_audit_head_t head;
    const char *problem;
    int done;
    esign_result_t result = esign_audit_head_read(database, &head, &problem, scribe->round);
    if (!esign_failed(result) && problem)
        result = esign_result_make(scribe->round, APR_EINVAL, "audit", "the head of the chain %s; nothing is copied", problem);
    if (!esign_failed(result) && head.position < scribe->reached) {
        say(scribe, LOG_ERR, 0, "the audit chain was set back from position %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT ": was the database restored?", scribe->reached,
            head.position);
        begin_behind(scribe, head.copied);
    }
    if (!esign_failed(result))
        scribe->reached = head.position;
    if (!esign_failed(result) && hold(scribe, database, &head, scribe->round)) {
        send_rows(scribe, database, &head, until, p);
        look_what_was_read(scribe);
        if (scribe->acknowledged > head.copied)
            result = esign_audit_copied(database, &head, scribe->name, scribe->acknowledged, apr_time_now() + LEASE, &done, scribe->round);
    }
    if (esign_failed(result))
        complain(scribe, result.status, apr_psprintf(scribe->round, "%s: %s", result.problem, result.detail));
}

esign_scribe_t *esign_scribe_create(const esign_scribe_options_t *options, apr_pool_t *p)
{
    unsigned char name[12];
    esign_scribe_t *made = apr_pcalloc(p, sizeof(*made));
    esign_digest_random(name, sizeof(name));
    *made = (esign_scribe_t){ .options = options, .name = esign_digest_encode(p, name, sizeof(name)), .cursor = ESIGN_AUDIT_FIRST };
    return made;
}

void esign_scribe_round(esign_scribe_t *scribe, esign_database_t *database, apr_time_t until, apr_pool_t *p)
{
    apr_pool_t *work;
    apr_pool_create(&work, p);
    scribe->round = p;
    chain(scribe, database, until, work);
    if (scribe->options->copy)
        copy(scribe, database, until, work);
    scribe->round = NULL;
    apr_pool_destroy(work);
}

void esign_scribe_finish(esign_scribe_t *scribe, esign_database_t *database, apr_pool_t *p)
{
    esign_audit_head_t head;
    const char *problem;
    int claimed;
    if (!scribe->options->copy || esign_failed(esign_audit_head_read(database, &head, &problem, p)) || problem || strcmp(head.copier, scribe->name) != 0)
        return;
    /* When it fails, the next one waits a little longer. */
    (void)esign_audit_claim(database, &head, "", 0, &claimed, p);
}
