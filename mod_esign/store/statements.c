/* SPDX-License-Identifier: Apache-2.0 */
/* statements.c: every SQL statement of the store, one text for SQLite and PostgreSQL. */
#include "store/database.h"

#define SUBSCRIBER_COLUMNS "id, national_id, name, email, phone, language, word_hash, failures, wait_until, closed, epoch, link_epoch"

/* Codes go first. As the index outbox_order has it, word for word. */
#define OUTBOX_RANK "(CASE kind WHEN 1 THEN 0 ELSE 1 END)"

/* What the operator sees of a message. */
#define OUTBOX_SEEN "id, kind, created, due, expires, attempts, dead, lease_until, CASE body WHEN '' THEN 0 ELSE 1 END, error"

/* 2 to the number of failures beyond the free ones, times the first wait. Placeholders: free, first, free. */
#define GROWN_WAIT "%lld * (CAST(1 AS BIGINT) << CAST(failures - %lld AS INTEGER))"

const esign_statement_t esign_database_statements[] = {
    { "database_alive", "SELECT 1" },

    { "subscriber_find", "SELECT " SUBSCRIBER_COLUMNS " FROM subscriber WHERE lookup = %s" },
    { "subscriber_get", "SELECT " SUBSCRIBER_COLUMNS " FROM subscriber WHERE id = %lld" },
    { "subscriber_epoch", "SELECT epoch FROM subscriber WHERE id = %lld" },
    { "subscriber_add", "INSERT INTO subscriber (id, lookup, national_id, name, email, phone, language, word_hash, failures, wait_until, closed, epoch, link_epoch, "
                        "sms_last, sms_day, sms_count, mail_last, mail_day, mail_count, created) "
                        "SELECT CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), "
                        "CAST(%s AS TEXT), 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, CAST(%lld AS BIGINT) "
                        "WHERE NOT EXISTS (SELECT 1 FROM subscriber WHERE lookup = %s)" },
    { "subscriber_failed", "UPDATE subscriber SET failures = failures + 1, "
                           "wait_until = CASE WHEN failures < %lld THEN wait_until WHEN failures - %lld > 20 THEN %lld "
                           "WHEN " GROWN_WAIT " > %lld THEN %lld ELSE %lld + " GROWN_WAIT " END, "
                           "closed = CASE WHEN failures + 1 >= %lld THEN 1 ELSE closed END WHERE id = %lld" },
    { "subscriber_signed_in", "UPDATE subscriber SET failures = 0, wait_until = 0, link_epoch = link_epoch + 1 WHERE id = %lld" },
    { "subscriber_word", "UPDATE subscriber SET word_hash = %s, epoch = epoch + 1, link_epoch = link_epoch + 1, wait_until = 0 "
                         "WHERE id = %lld AND (link_epoch = %lld OR %lld < 0)" },
    { "subscriber_end_sessions", "UPDATE subscriber SET epoch = epoch + 1, link_epoch = link_epoch + 1 WHERE id = %lld AND epoch = %lld" },
    { "subscriber_rehash", "UPDATE subscriber SET word_hash = %s WHERE id = %lld AND word_hash = %s" },
    { "subscriber_sms", "UPDATE subscriber SET sms_count = CASE WHEN sms_day = %lld THEN sms_count + 1 ELSE 1 END, sms_day = %lld, sms_last = %lld "
                        "WHERE id = %lld AND sms_last <= %lld AND (sms_day <> %lld OR sms_count < %lld)" },
    { "subscriber_sms_state", "SELECT sms_last, sms_day, sms_count FROM subscriber WHERE id = %lld" },
    { "subscriber_mail", "UPDATE subscriber SET mail_count = CASE WHEN mail_day = %lld THEN mail_count + 1 ELSE 1 END, mail_day = %lld, mail_last = %lld "
                         "WHERE id = %lld AND (mail_last <= %lld OR mail_day <> %lld OR mail_count < %lld)" },
    { "subscriber_open", "UPDATE subscriber SET failures = 0, wait_until = 0, closed = 0 WHERE id = %lld" },

    { "card_add", "INSERT INTO card (id, subscriber, serial, state, not_before, not_after, fingerprint, pin, puk) "
                  "SELECT CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), "
                  "CAST(%s AS TEXT), CAST(%s AS TEXT) WHERE NOT EXISTS (SELECT 1 FROM card WHERE serial = %s)" },
    { "card_list", "SELECT id, serial, state, not_before, not_after, fingerprint, pin, puk FROM card WHERE subscriber = %lld ORDER BY serial" },

    { "outbox_add", "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, dead, error) "
                    "VALUES (%lld, %lld, %s, %lld, %lld, %lld, 0, '', 0, 0, NULL)" },
    /* The plus keeps SQLite from looking through all that wait, where it has the ids. */
    { "outbox_lease", "UPDATE outbox SET owner = %s, lease_until = %lld, attempts = attempts + 1 WHERE +dead = 0 AND due <= %lld AND lease_until <= %lld AND id IN "
                      "(SELECT id FROM outbox WHERE dead = 0 AND " OUTBOX_RANK " <= %lld AND due <= %lld AND lease_until <= %lld "
                      "AND (CAST(%lld AS BIGINT) & (CAST(1 AS BIGINT) << kind)) <> 0 ORDER BY " OUTBOX_RANK ", created LIMIT %lld)" },
    { "outbox_leased", "SELECT id, kind, body, created, due, expires, attempts, error FROM outbox WHERE owner = %s AND lease_until = %lld "
                       "ORDER BY " OUTBOX_RANK ", created" },
    { "outbox_done", "DELETE FROM outbox WHERE id = %lld AND owner = %s" },
    { "outbox_retry", "UPDATE outbox SET due = %lld, error = %s, owner = '', lease_until = 0 WHERE id = %lld AND owner = %s" },
    { "outbox_release", "UPDATE outbox SET due = %lld, error = COALESCE(error, %s), attempts = attempts - 1, owner = '', lease_until = 0 WHERE id = %lld AND owner = %s" },
    { "outbox_bury", "UPDATE outbox SET dead = 1, body = CASE kind WHEN 1 THEN '' ELSE body END, error = %s, owner = '', lease_until = 0 WHERE id = %lld AND owner = %s" },
    { "outbox_expire", "UPDATE outbox SET dead = 1, body = '', error = 'expired', owner = '', lease_until = 0 "
                       "WHERE dead = 0 AND expires <= %lld AND lease_until <= %lld" },
    { "outbox_empty", "UPDATE outbox SET body = '' WHERE dead = 1 AND expires <= %lld AND body <> ''" },
    { "outbox_revive", "UPDATE outbox SET dead = 0, due = %lld WHERE id = %lld AND lease_until <= %lld AND expires > %lld AND body <> ''" },
    { "outbox_drop", "DELETE FROM outbox WHERE id = %lld AND lease_until <= %lld" },
    { "outbox_body", "SELECT body FROM outbox WHERE id = %lld" },
    { "outbox_get", "SELECT " OUTBOX_SEEN " FROM outbox WHERE id = %lld" },
    { "outbox_list", "SELECT " OUTBOX_SEEN " FROM outbox ORDER BY created, id" },

    { "audit_add", "INSERT INTO audit (id, time, node, event, subscriber, address, position, chain) VALUES (%lld, %lld, %s, %s, %lld, %s, NULL, NULL)" },
    { "audit_count", "SELECT COUNT(*) FROM audit WHERE subscriber = %lld AND time >= %lld AND event = %s" },
    { "audit_list", "SELECT id, time, event, subscriber, address, node FROM audit ORDER BY time DESC, id LIMIT %lld" },
    { "audit_list_subscriber", "SELECT id, time, event, subscriber, address, node FROM audit WHERE subscriber = %lld ORDER BY time DESC, id LIMIT %lld" },
    { NULL, NULL }
};
