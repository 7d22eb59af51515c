/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c: the tables. Times are microseconds since 1970 UTC; "sealed" is the text that core/seal.h describes. */
#include "store/schema.h"

#include <stddef.h>

const char *const esign_schema_statements[] = {
    "CREATE TABLE schema_version (version INTEGER NOT NULL)",

    "CREATE TABLE subscriber ("
    " id BIGINT PRIMARY KEY,"
    " lookup TEXT NOT NULL UNIQUE,"        /* key id and keyed hash of the national id */
    " national_id TEXT NOT NULL,"          /* sealed, as are the next three */
    " name TEXT NOT NULL,"
    " email TEXT NOT NULL,"
    " phone TEXT NOT NULL,"
    " language TEXT NOT NULL,"
    " word_hash TEXT,"
    " failures INTEGER NOT NULL,"
    " wait_until BIGINT NOT NULL,"
    " closed INTEGER NOT NULL,"
    " epoch BIGINT NOT NULL,"
    " link_epoch BIGINT NOT NULL,"
    " sms_last BIGINT NOT NULL,"
    " sms_day BIGINT NOT NULL,"
    " sms_count INTEGER NOT NULL,"
    " mail_last BIGINT NOT NULL,"
    " mail_day BIGINT NOT NULL,"
    " mail_count INTEGER NOT NULL,"
    " created BIGINT NOT NULL)",

    "CREATE TABLE card ("
    " id BIGINT PRIMARY KEY,"
    " subscriber BIGINT NOT NULL REFERENCES subscriber (id),"
    " serial TEXT NOT NULL UNIQUE,"
    " state TEXT NOT NULL,"
    " not_before TEXT NOT NULL,"
    " not_after TEXT NOT NULL,"
    " fingerprint TEXT,"
    " pin TEXT NOT NULL,"                  /* sealed */
    " puk TEXT NOT NULL)",                 /* sealed */
    "CREATE INDEX card_subscriber ON card (subscriber)",

    "CREATE TABLE outbox ("
    " id BIGINT PRIMARY KEY,"
    " kind INTEGER NOT NULL,"
    " body TEXT NOT NULL,"                 /* sealed */
    " created BIGINT NOT NULL,"
    " due BIGINT NOT NULL,"
    " expires BIGINT NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " owner TEXT NOT NULL,"
    " lease_until BIGINT NOT NULL,"
    " dead INTEGER NOT NULL,"
    " error TEXT)",
    "CREATE INDEX outbox_due ON outbox (dead, due)",

    "CREATE TABLE audit ("
    " id BIGINT PRIMARY KEY,"
    " time BIGINT NOT NULL,"
    " node TEXT NOT NULL,"
    " event TEXT NOT NULL,"
    " subscriber BIGINT NOT NULL,"         /* 0: unknown */
    " address TEXT NOT NULL,"
    " position BIGINT,"                    /* of the chain */
    " chain TEXT)",
    "CREATE INDEX audit_time ON audit (time)",
    "CREATE INDEX audit_subscriber ON audit (subscriber, time)",

    "INSERT INTO schema_version (version) VALUES (1)",
    NULL
};
