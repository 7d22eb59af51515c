/* SPDX-License-Identifier: Apache-2.0 */
/* chainer.c: rounds over the audit trail. */
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

/* Rows in a transaction: it keeps others from writing for some milliseconds. */
#define BATCH 250
#define PAGE 200
#define LEASE apr_time_from_sec(10)
/* What goes on being wrong is told again after this. */
#define AGAIN apr_time_from_sec(10 * 60)
/* Rows that wait and are sound join the chain within a second, unless something is wrong. */
#define PATIENCE apr_time_from_sec(10)
/* Forged rows that a round names, each on a line of its own. */
#define NAMED_MAX 20

/* What the log was told last, of one of the two works. */
typedef struct {
    char text[256];
    apr_time_t time;
} complaint_t;

struct esign_chainer_t {
    const esign_chainer_options_t *options;
    char *name; /* among the couriers of the database */
    esign_audit_cursor_t cursor;
    apr_int64_t reached;         /* the furthest end of the chain seen: it never goes back */
    char reached_chain[64];      /* its chain value: it never becomes another */
    apr_time_t stuck;            /* rows wait since then, and none was chained; 0: not so */
    unsigned char told_key[256]; /* key ids that are known to be missing */

    /* The copying, while it is ours */
    apr_int64_t sent;         /* handed over up to this position, */
    apr_int64_t sent_id;      /* and this row of it: somebody may have written one beside ours */
    apr_int64_t acknowledged; /* and read */
    apr_int64_t
        mark; /* a position on its way, and how many bytes must be read for it to count; 0: none */
    apr_uint64_t mark_bytes;

    complaint_t chaining, copying;
    apr_pool_t *round;
};

static void say(esign_chainer_t *chainer, int level, apr_status_t status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(esign_chainer_t *chainer, int level, apr_status_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    chainer->options->log(chainer->options->baton, level, status,
                          apr_pvsprintf(chainer->round, format, arguments));
    va_end(arguments);
}

/* For what comes again at each round: once, and then at times. */
static void complain(esign_chainer_t *chainer, complaint_t *last, apr_status_t status,
                     const char *text)
{
    apr_time_t now = apr_time_now();
    if (strncmp(last->text, text, sizeof(last->text) - 1) == 0 && now - last->time < AGAIN)
        return;
    apr_cpystrn(last->text, text, sizeof(last->text));
    last->time = now;
    say(chainer, LOG_ERR, status, "%s", text);
}

static void complain_of(esign_chainer_t *chainer, complaint_t *last, esign_result_t result)
{
    if (esign_failed(result))
        complain(chainer, last, result.status,
                 apr_psprintf(chainer->round, "%s: %s", result.problem, result.detail));
}

static void tell_batch(esign_chainer_t *chainer, const esign_audit_batch_t *batch)
{
    for (int i = 0; i < batch->forged->nelts && i < NAMED_MAX; i++)
        say(chainer, LOG_ERR, 0,
            "the audit row %" APR_INT64_T_FMT " was not written by mod_esign, or changed: its seal "
            "is wrong. It is kept out of the chain",
            APR_ARRAY_IDX(batch->forged, i, apr_int64_t));
    if (batch->forged->nelts > NAMED_MAX)
        say(chainer, LOG_ERR, 0, "so are %d more; esignctl audit verify names them all",
            batch->forged->nelts - NAMED_MAX);
    if (batch->unknown_key && !chainer->told_key[batch->unknown_key & 255]) {
        chainer->told_key[batch->unknown_key & 255] = 1;
        say(chainer, LOG_ERR, 0,
            "audit rows are sealed under key %d, which the key file does not have: they wait to be "
            "chained",
            batch->unknown_key);
    }
}

/* No statement failed, and yet nothing moves: a trigger, for one, can do that. */
static void watch_progress(esign_chainer_t *chainer, const esign_audit_batch_t *batch)
{
    apr_time_t now = apr_time_now();
    if (!batch->waiting)
        chainer->stuck = 0;
    else if (!chainer->stuck)
        chainer->stuck = now;
    else if (now - chainer->stuck > PATIENCE)
        complain(chainer, &chainer->chaining, 0,
                 "audit rows wait, and none can be chained, though nothing says why: see esignctl "
                 "audit verify");
}

static void chain(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                  apr_pool_t *p)
{
    esign_audit_batch_t batch;
    esign_result_t result;
    do {
        apr_pool_clear(p);
        result = esign_audit_chain(database, &chainer->cursor, BATCH, &batch, p);
        tell_batch(chainer, &batch);
    } while (!esign_failed(result) && batch.looked == BATCH && apr_time_now() < until &&
             !chainer->options->stopping(chainer->options->baton));
    complain_of(chainer, &chainer->chaining, result);
    if (!esign_failed(result))
        watch_progress(chainer, &batch);
}

static void begin_behind(esign_chainer_t *chainer, apr_int64_t position)
{
    chainer->sent = chainer->acknowledged = position;
    chainer->sent_id = APR_INT64_MAX;
    chainer->mark = 0;
}

/* Whether the copying is this chainer's, or becomes it now. */
static int hold(esign_chainer_t *chainer, esign_database_t *database, esign_audit_head_t *head,
                apr_pool_t *p)
{
    apr_time_t now = apr_time_now(), until = now + LEASE;
    int claimed = 0, ours = strcmp(head->copier, chainer->name) == 0,
        alive = head->copier_until > now && head->copier_until <= until;
    if (ours && (alive || chainer->sent > head->copied))
        return 1;
    if ((!ours && alive) || head->copied >= head->position)
        return 0;
    esign_result_t result = esign_audit_claim(database, head, chainer->name, until, &claimed, p);
    complain_of(chainer, &chainer->copying, result);
    if (claimed && !ours)
        begin_behind(chainer, head->copied);
    return claimed;
}

/* Hands over a line of `position`, or of rows missing up to it; `id`: of the row, or beyond all of
 * that position. */
static int hand_over(esign_chainer_t *chainer, const char *line, int refusal, apr_int64_t position,
                     apr_int64_t id)
{
    if (esign_audit_copy_write(chainer->options->copy, line, refusal)) {
        chainer->sent = position;
        chainer->sent_id = id;
        return 1;
    }
    if (errno != EAGAIN && errno != ENOBUFS)
        complain(chainer, &chainer->copying, errno,
                 "EsignAuditLog cannot be written; nothing is lost meanwhile");
    return 0;
}

/* What was done to a row after it was chained does not stop the copy: the line tells. */
static int hand_over_row(esign_chainer_t *chainer, esign_database_t *database,
                         const esign_audit_row_t *row, apr_pool_t *p)
{
    int forged = esign_audit_row_judge(database->keyring, row, p) == ESIGN_AUDIT_FORGED;
    if (row->position > chainer->sent + 1) {
        complain(chainer, &chainer->copying, 0,
                 apr_psprintf(chainer->round,
                              "audit rows are missing before position %" APR_INT64_T_FMT
                              ": see esignctl audit verify",
                              row->position));
        if (!hand_over(chainer, esign_audit_gap_line(chainer->sent + 1, row->position - 1, p), 1,
                       row->position - 1, APR_INT64_MAX))
            return 0;
    }
    if (forged)
        complain(chainer, &chainer->copying, 0,
                 apr_psprintf(chainer->round,
                              "the audit row at position %" APR_INT64_T_FMT
                              " was changed: its seal is wrong",
                              row->position));
    return hand_over(chainer, esign_audit_row_line(row, forged ? "changed" : NULL, p),
                     forged || strcmp(esign_event_result(row->event), "failure") == 0,
                     row->position, row->id);
}

static void send_rows(esign_chainer_t *chainer, esign_database_t *database,
                      const esign_audit_head_t *head, apr_time_t until, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    int taken = 1;
    /* One page at least, however long the chaining took. */
    while (taken && chainer->sent < head->position) {
        apr_pool_clear(p);
        esign_result_t result = esign_audit_page(database, chainer->sent, chainer->sent_id,
                                                 head->position, PAGE, &rows, p);
        if (esign_failed(result)) {
            complain_of(chainer, &chainer->copying, result);
            return;
        }
        for (int i = 0; i < rows->nelts && taken; i++)
            taken = hand_over_row(chainer, database, &APR_ARRAY_IDX(rows, i, esign_audit_row_t), p);
        if (rows->nelts == 0)
            taken = hand_over(chainer, esign_audit_gap_line(chainer->sent + 1, head->position, p),
                              1, head->position, APR_INT64_MAX);
        taken = taken && apr_time_now() < until;
    }
}

/* Moves `acknowledged` to what the reader has surely read. */
static void look_what_was_read(esign_chainer_t *chainer)
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

/* Whether the chain is the one that was seen before, and longer: for between two rounds it may have
 * been set back and have grown anew. `*same` 0: it is not. */
static esign_result_t compare(esign_chainer_t *chainer, esign_database_t *database,
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
    /* A row that was removed or changed there is what `audit verify` finds. */
    if (!esign_failed(result) && rows->nelts &&
        esign_audit_row_judge(database->keyring, &APR_ARRAY_IDX(rows, 0, esign_audit_row_t), p) ==
            ESIGN_AUDIT_SOUND)
        *same =
            strcmp(APR_ARRAY_IDX(rows, 0, esign_audit_row_t).chain, chainer->reached_chain) == 0;
    return result;
}

/* The end of the chain as it is now becomes the furthest seen; one that was set back is told, and
 * copied again. */
static esign_result_t reach(esign_chainer_t *chainer, esign_database_t *database,
                            const esign_audit_head_t *head, apr_pool_t *p)
{
    int same;
    esign_result_t result = compare(chainer, database, head, &same, p);
    if (esign_failed(result))
        return result;
    if (!same) {
        say(chainer, LOG_ERR, 0,
            "the audit chain was set back from position %" APR_INT64_T_FMT
            "; it ends at %" APR_INT64_T_FMT " now: was the database restored?",
            chainer->reached, head->position);
        begin_behind(chainer, head->copied);
    }
    chainer->reached = head->position;
    apr_cpystrn(chainer->reached_chain, head->chain, sizeof(chainer->reached_chain));
    return ESIGN_OK;
}

/* The head as it stands now, and sound. */
static esign_result_t look(esign_chainer_t *chainer, esign_database_t *database,
                           esign_audit_head_t *head, apr_pool_t *p)
{
    const char *problem;
    esign_result_t result = esign_audit_head_read(database, head, &problem, chainer->round);
    if (!esign_failed(result) && problem)
        result = esign_result_make(chainer->round, APR_EINVAL, "audit",
                                   "the head of the chain %s; nothing is copied", problem);
    return esign_failed(result) ? result : reach(chainer, database, head, p);
}

static void copy(esign_chainer_t *chainer, esign_database_t *database, apr_time_t until,
                 apr_pool_t *p)
{
    esign_audit_head_t head;
    int done;
    esign_result_t result = look(chainer, database, &head, p);
    if (!esign_failed(result) && hold(chainer, database, &head, chainer->round)) {
        send_rows(chainer, database, &head, until, p);
        look_what_was_read(chainer);
        /* Other nodes chain while lines are on their way: by the head of before nothing would count
         * as long as there is much to send, and each ten seconds another begins anew. */
        if (chainer->acknowledged > head.copied)
            result = look(chainer, database, &head, p);
        if (!esign_failed(result) && chainer->acknowledged > head.copied)
            result = esign_audit_copied(database, &head, chainer->name, chainer->acknowledged,
                                        apr_time_now() + LEASE, &done, chainer->round);
    }
    complain_of(chainer, &chainer->copying, result);
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
    chain(chainer, database, until, work);
    if (chainer->options->copy)
        copy(chainer, database, until, work);
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
    /* When it fails, the next one waits a little longer. */
    (void)esign_audit_claim(database, &head, "", 0, &claimed, p);
}
