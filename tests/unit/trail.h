/* SPDX-License-Identifier: Apache-2.0 */
/* trail.h: makes an audit trail with a chain, and runs the verification of it. */
#ifndef ESIGN_TESTS_TRAIL_H
#define ESIGN_TESTS_TRAIL_H

#include "audit/trail.h"
#include "audit/verify.h"
#include "tables.h"

#define NOW (1000000 * APR_USEC_PER_SEC)

static inline void trail_add(esign_database_t *database, int count)
{
    for (int i = 0; i < count; i++)
        OK(esign_audit_add(database, ESIGN_AUDIT_SIGNED_IN, 7, "192.0.2.1", NOW + i, pool));
}

static inline esign_audit_batch_t trail_chain(esign_database_t *database, int max)
{
    esign_audit_cursor_t cursor = ESIGN_AUDIT_FIRST;
    esign_audit_batch_t batch;
    OK(esign_audit_chain(database, &cursor, max, &batch, pool));
    return batch;
}

/* A database whose chain has `count` rows. */
static inline esign_database_t *trail_new(int count)
{
    esign_database_t *database = tables_new();
    trail_add(database, count);
    CU_ASSERT_EQUAL(trail_chain(database, 1000).chained, count);
    return database;
}

static inline void trail_note(void *baton, const esign_audit_row_t *row, const char *what)
{
    char **all = baton;
    *all = apr_pstrcat(pool, *all,
                       row ? apr_psprintf(pool, "%" APR_INT64_T_FMT ": ", row->position) : "", what,
                       "\n", NULL);
}

static esign_audit_verify_report_t trail_report;

/* All findings of a verification, one a line, each with its row's position. */
static inline const char *trail_verify_for(esign_database_t *database, apr_int64_t position,
                                           const char *expected)
{
    char *found = "";
    const esign_audit_verify_options_t options = { .expected_position = position,
                                                   .expected_chain = expected,
                                                   .found = trail_note,
                                                   .baton = &found };
    OK(esign_audit_verify(database, &options, &trail_report, pool));
    return found;
}

static inline const char *trail_verify(esign_database_t *database)
{
    return trail_verify_for(database, 0, "");
}

#define FOUND(database, text) CU_ASSERT_STRING_EQUAL(trail_verify(database), text)
/* The findings after one SQL statement. */
#define AFTER(database, sql, text) \
    do {                           \
        tables_run(database, sql); \
        FOUND(database, text);     \
    } while (0)
#define ODD "changed or inserted: its id, time or position is no whole number\n"
#define CHANGED "changed or inserted: its seal is wrong\n"

#endif
