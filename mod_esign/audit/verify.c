/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: checks the rows of the chain in their order, then all other rows. */
#include "verify.h"

#include <apr_strings.h>

#include <stdarg.h>
#include <string.h>

/* Rows read at once. */
#define PAGE 1000
/* How many positions on each side are tried to find where a moved row was. */
#define NEIGHBOURS 64

/* One pass over the table. */
typedef struct {
    esign_database_t *database;
    const esign_audit_verify_options_t *options;
    esign_audit_verify_report_t *report;
    apr_int64_t position, id; /* of the row before; 0: there is none */
    char chain[64];           /* the chain value in the row before */
    int sound;        /* the seal of the row before is right: the next can be checked by it */
    apr_pool_t *page; /* cleared after each page */
} walk_t;

static void report_finding(walk_t *walk, const esign_audit_row_t *row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void report_finding(walk_t *walk, const esign_audit_row_t *row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    walk->report->findings++;
    walk->options->found(walk->options->baton, row, apr_pvsprintf(walk->page, format, arguments));
    va_end(arguments);
}

/* The position for which the seal of a row is right; 0: of no neighbour. */
static apr_int64_t sealed_position(const walk_t *walk, const esign_audit_row_t *row)
{
    esign_audit_row_t moved = *row;
    apr_int64_t first = row->position > NEIGHBOURS ? row->position - NEIGHBOURS : 1, sealed = 0;
    apr_int64_t last =
        row->position < APR_INT64_MAX - NEIGHBOURS ? row->position + NEIGHBOURS : APR_INT64_MAX - 1;
    apr_pool_t *scratch;
    apr_pool_create(&scratch, walk->page);
    for (moved.position = first; moved.position <= last && !sealed; moved.position++)
        if (esign_audit_row_judge(walk->database->keyring, &moved, scratch) == ESIGN_AUDIT_SOUND)
            sealed = moved.position;
    apr_pool_destroy(scratch);
    return sealed;
}

/* Reports a seal that is not right. */
static void report_seal(walk_t *walk, const esign_audit_row_t *row, esign_audit_verdict_e verdict)
{
    if (verdict == ESIGN_AUDIT_NO_KEY) {
        report_finding(walk, row, "sealed under key %d, which the key file does not have",
                       esign_audit_seal_key_id(row->seal));
        return;
    }
    apr_int64_t sealed = sealed_position(walk, row);
    if (sealed)
        report_finding(walk, row, "moved: it was sealed for position %" APR_INT64_T_FMT, sealed);
    else
        report_finding(walk, row, "changed or inserted: its seal is wrong");
}

/* Reports a gap before a row, or a second row at its position. */
static void judge_place(walk_t *walk, const esign_audit_row_t *row)
{
    if (row->position == walk->position)
        report_finding(walk, row, "inserted: there is another row at this position");
    else if (row->position - walk->position == 2)
        report_finding(walk, NULL, "removed: position %" APR_INT64_T_FMT, walk->position + 1);
    else if (row->position - walk->position > 1)
        report_finding(walk, NULL, "removed: positions %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                       walk->position + 1, row->position - 1);
}

/* Checks a row of the chain. */
static void judge_row(walk_t *walk, const esign_audit_row_t *row)
{
    const esign_audit_verify_options_t *o = walk->options;
    judge_place(walk, row);
    esign_audit_verdict_e verdict = esign_audit_row_judge(walk->database->keyring, row, walk->page);
    if (verdict != ESIGN_AUDIT_SOUND)
        report_seal(walk, row, verdict);
    else if (walk->sound && row->position - walk->position == 1 &&
             strcmp(esign_audit_row_chain(walk->chain, row, walk->page), row->chain) != 0)
        report_finding(walk, row,
                       "does not follow the row before it: one of the two is of another chain");
    if (row->position == o->expected_position && strcmp(row->chain, o->expected_chain) != 0)
        report_finding(walk, row, "not what was expected: the chain was another one then");
    walk->report->rows++;
    walk->sound = verdict == ESIGN_AUDIT_SOUND;
    walk->position = row->position;
    walk->id = row->id;
    apr_cpystrn(walk->chain, row->chain, sizeof(walk->chain));
}

static esign_result_t walk_chain(walk_t *walk, apr_pool_t *p)
{
    const apr_array_header_t *rows;
    esign_result_t result;
    do {
        apr_pool_clear(walk->page);
        result = esign_audit_page(walk->database, walk->position, walk->id,
                                  walk->report->head.position, PAGE, &rows, walk->page);
        for (int i = 0; !esign_failed(result) && i < rows->nelts; i++)
            judge_row(walk, &APR_ARRAY_IDX(rows, i, esign_audit_row_t));
    } while (!esign_failed(result) && rows->nelts == PAGE);
    return esign_failed(result)
               ? esign_result_make(p, result.status, result.problem, "%s", result.detail)
               : result;
}

/* Compares the head with the end of the chain. */
static void judge_end(walk_t *walk, const char *head_problem)
{
    const esign_audit_head_t *head = &walk->report->head;
    const esign_audit_verify_options_t *o = walk->options;
    if (head_problem)
        report_finding(walk, NULL, "the head of the chain %s", head_problem);
    if (walk->position < head->position)
        report_finding(walk, NULL,
                       "cut off: positions %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                       ", the end of the chain",
                       walk->position + 1, head->position);
    else if (strcmp(walk->chain, head->chain) != 0)
        report_finding(
            walk, NULL,
            "the head of the chain does not belong to the last row, position %" APR_INT64_T_FMT,
            walk->position);
    if (o->expected_position > head->position)
        report_finding(walk, NULL,
                       "set back: the chain ends at position %" APR_INT64_T_FMT
                       ", and it once reached %" APR_INT64_T_FMT,
                       head->position, o->expected_position);
}

/* Reports what is wrong with a row outside the chain. */
typedef void judge_fn(walk_t *walk, const esign_audit_row_t *row);

static void judge_beyond(walk_t *walk, const esign_audit_row_t *row)
{
    if (esign_audit_row_judge(walk->database->keyring, row, walk->page) == ESIGN_AUDIT_SOUND)
        report_finding(walk, row, "beyond the head, and its seal is right: the head was set back");
    else
        report_finding(walk, row, "inserted beyond the head: its seal is wrong");
}

static void judge_kept_out(walk_t *walk, const esign_audit_row_t *row)
{
    esign_audit_row_t before = *row;
    before.position = 0;
    if (esign_audit_row_judge(walk->database->keyring, &before, walk->page) == ESIGN_AUDIT_SOUND)
        report_finding(walk, row, "marked as forged, but its seal is right");
    else
        report_finding(walk, row, "inserted, and kept out of the chain: its seal is wrong");
}

static void judge_unchained(walk_t *walk, const esign_audit_row_t *row)
{
    switch (esign_audit_row_judge(walk->database->keyring, row, walk->page)) {
    case ESIGN_AUDIT_SOUND:
        if (!walk->report->waiting++)
            walk->report->waiting_since = row->time;
        break;
    case ESIGN_AUDIT_NO_KEY:
        report_finding(walk, row,
                       "not chained: sealed under key %d, which the key file does not have",
                       esign_audit_seal_key_id(row->seal));
        break;
    default:
        report_finding(walk, row, "inserted: its seal is wrong");
    }
}

/* Reports rows that WHOLE_NUMBERS of statements.c leaves out of all other statements, PAGE of them
 * at most. */
static esign_result_t walk_odd(walk_t *walk, apr_pool_t *p)
{
    apr_int64_t most = PAGE;
    const apr_array_header_t *rows;
    esign_result_t result = esign_database_read(walk->database, "audit_odd", ESIGN_SQL(&most),
                                                ESIGN_AUDIT_ROW_WIDTH, &rows, p);
    for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
        esign_audit_row_t row = esign_audit_row_read(APR_ARRAY_IDX(rows, i, const char *const *));
        report_finding(walk, &row,
                       "changed or inserted: its id, time or position is no whole number");
    }
    return result;
}

/* By which column a statement orders its rows; rows with the same value come by id. */
typedef enum { BY_POSITION, BY_TIME, BY_ID } order_e;

/* Reads all rows that a statement finds, page by page. */
static esign_result_t walk_outside(walk_t *walk, const char *label, order_e order, judge_fn *judge,
                                   apr_pool_t *p)
{
    apr_int64_t key = APR_INT64_MIN, id = APR_INT64_MIN, most = PAGE;
    const apr_array_header_t *rows;
    esign_result_t result;
    do {
        apr_pool_clear(walk->page);
        result = esign_database_read(walk->database, label, ESIGN_SQL(&key, &id, &most),
                                     ESIGN_AUDIT_ROW_WIDTH, &rows, walk->page);
        for (int i = 0; !esign_failed(result) && i < rows->nelts; i++) {
            esign_audit_row_t row =
                esign_audit_row_read(APR_ARRAY_IDX(rows, i, const char *const *));
            judge(walk, &row);
            key = order == BY_POSITION ? row.position : order == BY_TIME ? row.time : row.id;
            id = row.id;
        }
    } while (!esign_failed(result) && rows->nelts == PAGE);
    return esign_failed(result)
               ? esign_result_make(p, result.status, result.problem, "%s", result.detail)
               : result;
}

esign_result_t esign_audit_verify(esign_database_t *database,
                                  const esign_audit_verify_options_t *options,
                                  esign_audit_verify_report_t *report, apr_pool_t *p)
{
    walk_t walk = { .database = database, .options = options, .report = report, .sound = 1 };
    const char *head_problem;
    *report = (esign_audit_verify_report_t){ 0 };
    apr_pool_create(&walk.page, p);
    esign_result_t result = esign_audit_head_read(database, &report->head, &head_problem, p);
    if (!esign_failed(result))
        result = walk_chain(&walk, p);
    if (!esign_failed(result)) {
        judge_end(&walk, head_problem);
        result = walk_outside(&walk, "audit_beyond", BY_POSITION, judge_beyond, p);
    }
    if (!esign_failed(result))
        result = walk_outside(&walk, "audit_kept_out", BY_ID, judge_kept_out, p);
    if (!esign_failed(result))
        result = walk_outside(&walk, "audit_unchained", BY_TIME, judge_unchained, p);
    if (!esign_failed(result))
        result = walk_odd(&walk, p);
    apr_pool_destroy(walk.page);
    return result;
}
