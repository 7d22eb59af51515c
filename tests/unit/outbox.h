/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h: an outbox of invented messages, each with a mark of one letter. */
#ifndef ESIGN_TESTS_OUTBOX_H
#define ESIGN_TESTS_OUTBOX_H

#include "store/outbox.h"
#include "tables.h"

#define SECOND APR_USEC_PER_SEC
#define NOW (1000000 * SECOND)
#define LEASE (60 * SECOND)

static inline void outbox_add(esign_database_t *database, esign_outbox_kind_e kind,
                              const char *mark, apr_time_t created)
{
    apr_table_t *values = apr_table_make(pool, 2);
    apr_table_setn(values, "mark", mark);
    apr_table_setn(values, "code", "739 & 154");
    OK(esign_outbox_add(database, kind, values, created, created + 600 * SECOND, pool));
}

/* How many messages the last lease could not unseal. */
static int outbox_unreadable;

static inline const apr_array_header_t *outbox_lease(esign_database_t *database, const char *owner,
                                                     esign_outbox_kind_e kind, int max,
                                                     apr_time_t now)
{
    const apr_array_header_t *messages = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_lease(database, owner, kind, max, now, LEASE,
                                                     &messages, &outbox_unreadable, pool)) &&
                    messages != NULL);
    return messages;
}

static inline const esign_outbox_message_t *outbox_nth(const apr_array_header_t *messages,
                                                       int index)
{
    CU_ASSERT_FATAL(index < messages->nelts);
    return &APR_ARRAY_IDX(messages, index, esign_outbox_message_t);
}

/* The marks of the messages, one letter each. */
static inline const char *outbox_marks(const apr_array_header_t *messages)
{
    const char *text = "";
    for (int i = 0; i < messages->nelts; i++)
        text =
            apr_pstrcat(pool, text, apr_table_get(outbox_nth(messages, i)->values, "mark"), NULL);
    return text;
}

static inline const apr_array_header_t *outbox_list(esign_database_t *database)
{
    const apr_array_header_t *messages = NULL;
    CU_ASSERT_FATAL(!esign_failed(esign_outbox_list(database, 1000, &messages, pool)));
    return messages;
}

static inline const esign_outbox_message_t *outbox_lease_one(esign_database_t *database,
                                                             apr_time_t now)
{
    const apr_array_header_t *messages = outbox_lease(database, "one", ESIGN_OUTBOX_CODE, 9, now);
    CU_ASSERT_EQUAL(messages->nelts, 1);
    return outbox_nth(messages, 0);
}

static inline const esign_outbox_message_t *outbox_get(esign_database_t *database, apr_int64_t id)
{
    const esign_outbox_message_t *message = NULL;
    OK(esign_outbox_get(database, id, &message, pool));
    return message;
}

#endif
