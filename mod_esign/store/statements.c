/* SPDX-License-Identifier: Apache-2.0 */
/* statements.c: every SQL statement of store/ and audit/, one text for SQLite and PostgreSQL. */
#include "database.h"

#define SUBSCRIBER_COLUMNS                                                                     \
    "id, national_id, name, email, phone, language, word_hash, failures, wait_until, closed, " \
    "epoch, link_epoch"

/* A message without its values. */
#define OUTBOX_LISTED                                                                          \
    "id, kind, created, due, expires, attempts, dead, lease_until, awaited, error, CASE body " \
    "WHEN '' THEN 0 ELSE 1 END"

/* One row with the number of a kind, if a message of it is due. ORDER BY makes PostgreSQL use the
 * index: without it, it reads the table when it expects to find a row soon. */
#define DUE_KIND(kind)                                                                \
    "SELECT " #kind " FROM (SELECT kind FROM outbox WHERE dead = 0 AND kind = " #kind \
    " AND due <= %lld ORDER BY due LIMIT 1) AS due" #kind

/* The first wait, doubled for each failure beyond the free ones. Placeholders: first, free. */
#define GROWN_WAIT "%lld * (CAST(1 AS BIGINT) << CAST(failures - %lld AS INTEGER))"

/* In the order of esign_audit_row_read (audit/row.h). mod_esign writes no text of 300 bytes. One
 * that somebody made longer is cut, so that it costs no memory; its seal is wrong either way. */
#define AUDIT_COLUMNS                                                                              \
    "id, time, substr(node, 1, 300), substr(event, 1, 300), subscriber, substr(address, 1, 300), " \
    "position, substr(chain, 1, 300), substr(seal, 1, 300)"

/* Rows whose key columns hold whole numbers. SQLite stores any value in a column, and orders the
 * text 7x or the number 7.5 differently from the number that esign_database_number makes of it.
 * Such a row would be on every page of a walk, and no UPDATE by its id would find it. `audit
 * verify` reports these rows, all other statements leave them out. Always true in PostgreSQL. */
#define WHOLE_NUMBERS                                                                       \
    "(id = CAST(id AS BIGINT) AND time = CAST(time AS BIGINT) AND COALESCE(position, 0) = " \
    "CAST(COALESCE(position, 0) AS BIGINT))"

/* The audit head is still the one that was read: its two numbers only grow. The texts are not
 * compared: SQLite could hold them as values of another type, which never compare equal. */
#define HEAD_STANDS "CAST(position AS BIGINT) = %lld AND CAST(copied AS BIGINT) = %lld"

const esign_statement_t esign_database_statements[] = {
    { "database_alive", "SELECT 1" },

    { "subscriber_find", "SELECT " SUBSCRIBER_COLUMNS " FROM subscriber WHERE lookup = %s" },
    { "subscriber_near",
      "SELECT id, word_hash FROM subscriber WHERE lookup >= %s ORDER BY lookup LIMIT 1" },
    { "subscriber_get", "SELECT " SUBSCRIBER_COLUMNS " FROM subscriber WHERE id = %lld" },
    { "subscriber_epoch", "SELECT epoch FROM subscriber WHERE id = %lld" },
    { "subscriber_add", "INSERT INTO subscriber (id, lookup, national_id, name, email, phone, "
                        "language, word_hash, failures, wait_until, closed, epoch, link_epoch, "
                        "sms_last, sms_day, sms_count, mail_last, mail_day, mail_count, created) "
                        "SELECT CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s "
                        "AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), "
                        "CAST(%s AS TEXT), 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, CAST(%lld AS BIGINT) "
                        "WHERE NOT EXISTS (SELECT 1 FROM subscriber WHERE lookup = %s)" },
    { "subscriber_failed",
      "UPDATE subscriber SET failures = failures + 1, "
      "wait_until = CASE WHEN failures < %lld THEN wait_until WHEN failures - %lld > 20 THEN %lld "
      "WHEN " GROWN_WAIT " > %lld THEN %lld ELSE %lld + " GROWN_WAIT " END, "
      "closed = CASE WHEN failures + 1 >= %lld THEN 1 ELSE closed END WHERE id = %lld AND "
      "wait_until <= %lld" },
    { "subscriber_failures", "SELECT failures FROM subscriber WHERE id = %lld" },
    { "subscriber_signed_in", "UPDATE subscriber SET failures = 0, wait_until = 0, link_epoch = "
                              "link_epoch + 1 WHERE id = %lld" },
    { "subscriber_word", "UPDATE subscriber SET word_hash = %s, epoch = epoch + 1, link_epoch = "
                         "link_epoch + 1, wait_until = 0 "
                         "WHERE id = %lld AND (link_epoch = %lld OR epoch = %lld)" },
    { "subscriber_end_sessions", "UPDATE subscriber SET epoch = epoch + 1, link_epoch = link_epoch "
                                 "+ 1 WHERE id = %lld AND epoch = %lld" },
    { "subscriber_rehash",
      "UPDATE subscriber SET word_hash = %s WHERE id = %lld AND word_hash = %s" },
    { "subscriber_sms",
      "UPDATE subscriber SET sms_count = CASE WHEN sms_day = %lld THEN sms_count + 1 ELSE 1 END, "
      "sms_day = %lld, sms_last = %lld "
      "WHERE id = %lld AND sms_last <= %lld AND (sms_day <> %lld OR sms_count < %lld)" },
    { "subscriber_sms_state",
      "SELECT sms_last, sms_day, sms_count FROM subscriber WHERE id = %lld" },
    { "subscriber_mail",
      "UPDATE subscriber SET mail_count = CASE WHEN mail_day = %lld THEN mail_count + 1 ELSE 1 "
      "END, mail_day = %lld, mail_last = %lld "
      "WHERE id = %lld AND (mail_last <= %lld OR mail_day <> %lld OR mail_count < %lld)" },
    { "subscriber_close", "UPDATE subscriber SET closed = 1, epoch = epoch + 1, link_epoch = "
                          "link_epoch + 1 WHERE id = %lld" },
    { "subscriber_lock", "UPDATE schema_version SET version = version" },
    { "subscriber_sealed", "SELECT id, lookup, national_id, name, email, phone, word_hash FROM "
                           "subscriber WHERE id > %lld ORDER BY id LIMIT %lld" },
    { "subscriber_reseal", "UPDATE subscriber SET lookup = %s, national_id = %s, name = %s, email "
                           "= %s, phone = %s, word_hash = %s "
                           "WHERE id = %lld AND lookup = %s AND national_id = %s AND name = %s AND "
                           "email = %s AND phone = %s "
                           "AND COALESCE(word_hash, '') = COALESCE(CAST(%s AS TEXT), '')" },
    { "subscriber_open",
      "UPDATE subscriber SET failures = 0, wait_until = 0, closed = 0 WHERE id = %lld" },

    { "card_add", "INSERT INTO card (id, subscriber, serial, state, not_before, not_after, "
                  "fingerprint, pin, puk) "
                  "SELECT CAST(%lld AS BIGINT), CAST(%lld AS BIGINT), CAST(%s AS TEXT), CAST(%s AS "
                  "TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), CAST(%s AS TEXT), "
                  "CAST(%s AS TEXT), CAST(%s AS TEXT) WHERE NOT EXISTS (SELECT 1 FROM card WHERE "
                  "serial = %s)" },
    { "card_list", "SELECT id, serial, state, not_before, not_after, fingerprint, pin, puk FROM "
                   "card WHERE subscriber = %lld ORDER BY serial" },
    { "card_sealed", "SELECT id, pin, puk FROM card WHERE id > %lld ORDER BY id LIMIT %lld" },
    { "card_reseal",
      "UPDATE card SET pin = %s, puk = %s WHERE id = %lld AND pin = %s AND puk = %s" },

    { "outbox_add", "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, "
                    "lease_until, dead, gateways, awaited, error) "
                    "VALUES (%lld, %lld, %s, %lld, %lld, %lld, 0, '', 0, 0, 0, -1, NULL)" },
    { "outbox_due", DUE_KIND(0) " UNION ALL " DUE_KIND(1) " UNION ALL " DUE_KIND(2) },
    /* The conditions are tested again after the row is locked. The + keeps SQLite from using the
       index over dead for that, by which it would read all messages that wait: it finds rows by
       id. */
    { "outbox_lease", "UPDATE outbox SET owner = %s, lease_until = %lld, attempts = attempts + 1 "
                      "WHERE +dead = 0 AND due <= %lld AND lease_until <= %lld AND id IN "
                      "(SELECT id FROM outbox WHERE dead = 0 AND kind = %lld AND due <= %lld AND "
                      "expires > %lld AND lease_until <= %lld AND owner <> %s "
                      "ORDER BY due LIMIT %lld) RETURNING id, kind, body, created, due, expires, "
                      "attempts, gateways, awaited, error" },
    { "outbox_renew", "UPDATE outbox SET lease_until = %lld WHERE owner = %s RETURNING id" },
    { "outbox_done", "DELETE FROM outbox WHERE id = %lld AND owner = %s" },
    { "outbox_retry", "UPDATE outbox SET due = %lld, error = %s, owner = '', lease_until = 0 WHERE "
                      "id = %lld AND owner = %s" },
    { "outbox_release",
      "UPDATE outbox SET due = %lld, error = COALESCE(error, %s), attempts = attempts - 1, owner = "
      "'', lease_until = 0 WHERE id = %lld AND owner = %s" },
    /* The gateway's bit may be set already: its report that the code was not delivered can arrive
       before its answer that accepts the code. */
    { "outbox_next_gateway",
      "UPDATE outbox SET due = CASE WHEN (gateways & %lld) <> 0 THEN %lld ELSE "
      "%lld END, gateways = gateways | %lld, "
      "awaited = CASE WHEN (gateways & %lld) <> 0 OR %lld = 0 THEN awaited ELSE "
      "%lld END, error = COALESCE(%s, error), owner = '', lease_until = 0 "
      "WHERE id = %lld AND owner = %s" },
    { "outbox_delivered", "DELETE FROM outbox WHERE id = %lld AND kind = 1 AND dead = 0" },
    { "outbox_undelivered", "UPDATE outbox SET due = CASE WHEN awaited = %lld THEN %lld ELSE due "
                            "END, gateways = gateways | %lld, "
                            "awaited = CASE WHEN awaited = %lld THEN -1 ELSE awaited END, error = "
                            "%s WHERE id = %lld AND kind = 1 AND dead = 0" },
    { "outbox_unreported", "DELETE FROM outbox WHERE dead = 0 AND awaited >= 0 AND expires <= %lld "
                           "AND lease_until <= %lld" },
    { "outbox_give_up",
      "UPDATE outbox SET dead = 1, body = CASE kind WHEN 1 THEN '' ELSE body END, "
      "error = %s, owner = '', lease_until = 0 WHERE id = %lld AND owner = %s" },
    { "outbox_expire",
      "UPDATE outbox SET dead = 1, body = '', error = 'expired', owner = '', lease_until = 0 "
      "WHERE dead = 0 AND kind = %lld AND expires <= %lld AND lease_until <= %lld" },
    { "outbox_purge", "DELETE FROM outbox WHERE +dead = 1 AND id IN (SELECT id FROM outbox WHERE "
                      "dead = 1 AND kind = %lld AND due <= %lld ORDER BY due LIMIT %lld)" },
    { "outbox_empty",
      "UPDATE outbox SET body = '' WHERE dead = 1 AND expires <= %lld AND body <> ''" },
    { "outbox_requeue", "UPDATE outbox SET dead = 0, due = %lld WHERE id = %lld AND lease_until <= "
                        "%lld AND awaited < 0 AND expires > %lld AND body <> ''" },
    { "outbox_drop", "DELETE FROM outbox WHERE id = %lld AND lease_until <= %lld" },
    { "outbox_body", "SELECT body FROM outbox WHERE id = %lld" },
    { "outbox_get", "SELECT " OUTBOX_LISTED " FROM outbox WHERE id = %lld" },
    { "outbox_list", "SELECT " OUTBOX_LISTED " FROM outbox ORDER BY created, id LIMIT %lld" },
    { "outbox_depths", "SELECT kind, dead, COUNT(*), SUM(CASE WHEN awaited >= 0 THEN 1 ELSE 0 "
                       "END), MIN(CASE WHEN awaited < 0 THEN created END) FROM outbox "
                       "GROUP BY dead, kind" },
    { "outbox_sealed", "SELECT id, body FROM outbox WHERE id > %lld ORDER BY id LIMIT %lld" },
    { "outbox_reseal", "UPDATE outbox SET body = %s WHERE id = %lld AND body = %s" },

    /* Portals with one key file report in turn, each its own life. The longest is kept as long as
       the keys stay the same. */
    { "node_report",
      "INSERT INTO node (name, keys, life, since, seen) VALUES (%s, %s, %lld, %lld, "
      "%lld) ON CONFLICT (name) DO UPDATE SET "
      "since = CASE WHEN node.keys = excluded.keys AND node.life >= excluded.life "
      "THEN node.since ELSE excluded.since END, "
      "life = CASE WHEN node.keys = excluded.keys AND node.life >= excluded.life THEN "
      "node.life ELSE excluded.life END, "
      "keys = excluded.keys, seen = excluded.seen" },
    { "node_list",
      "SELECT name, keys, life, since, seen FROM node WHERE seen >= %lld ORDER BY name" },

    { "audit_add", "INSERT INTO audit (id, time, node, event, subscriber, address, position, "
                   "chain, seal) VALUES (%lld, %lld, %s, %s, %lld, %s, NULL, NULL, %s)" },
    { "audit_count", "SELECT COUNT(*) FROM (SELECT event FROM audit WHERE subscriber = %lld AND "
                     "time >= %lld AND event = %s LIMIT %lld) AS counted" },
    { "audit_list", "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY time DESC, id LIMIT %lld" },
    { "audit_list_subscriber",
      "SELECT " AUDIT_COLUMNS
      " FROM audit WHERE subscriber = %lld ORDER BY time DESC, id LIMIT %lld" },
    { "audit_unchained",
      "SELECT " AUDIT_COLUMNS
      " FROM audit WHERE chain IS NULL AND (time, id) > (%lld, %lld) AND " WHOLE_NUMBERS " "
      "ORDER BY time, id LIMIT %lld" },
    { "audit_unchained_count", "SELECT COUNT(*), MIN(time) FROM (SELECT time FROM audit WHERE "
                               "chain IS NULL ORDER BY time, id LIMIT %lld) AS waiting" },
    { "audit_chain",
      "UPDATE audit SET position = %lld, chain = %s, seal = %s WHERE id = %lld AND chain IS NULL" },
    { "audit_keep_out", "UPDATE audit SET chain = 'kept out' WHERE id = %lld AND chain IS NULL" },
    { "audit_page",
      "SELECT " AUDIT_COLUMNS
      " FROM audit WHERE (position, id) > (%lld, %lld) AND position <= %lld AND " WHOLE_NUMBERS " "
      "ORDER BY position, id LIMIT %lld" },
    { "audit_beyond",
      "SELECT " AUDIT_COLUMNS " FROM audit WHERE (position, id) > (%lld, %lld) "
      "AND position > COALESCE((SELECT MAX(position) FROM audit_head), 0) AND " WHOLE_NUMBERS
      " ORDER BY position, id LIMIT %lld" },
    { "audit_kept_out",
      "SELECT " AUDIT_COLUMNS " FROM audit WHERE ((position IS NULL AND chain IS NOT "
      "NULL) OR position <= 0) AND (id, id) > (%lld, %lld) "
      "AND " WHOLE_NUMBERS " ORDER BY id LIMIT %lld" },
    { "audit_odd", "SELECT " AUDIT_COLUMNS " FROM audit WHERE (id IS NULL OR NOT " WHOLE_NUMBERS
                   ") LIMIT %lld" },
    { "audit_by_id", "SELECT " AUDIT_COLUMNS " FROM audit WHERE id > %lld AND " WHOLE_NUMBERS
                     " ORDER BY id LIMIT %lld" },
    { "audit_reseal",
      "UPDATE audit SET seal = %s WHERE id = %lld AND COALESCE(position, 0) = %lld" },
    { "audit_count_key",
      "SELECT COUNT(*) + (SELECT COUNT(*) FROM audit_head WHERE seal LIKE %s) FROM audit "
      "WHERE seal LIKE %s AND (position > 0 OR chain IS NULL)" },
    { "audit_head_add", "INSERT INTO audit_head (position, chain, copied, copier, copier_until, "
                        "seal) VALUES (0, '', 0, '', 0, %s)" },
    { "audit_head", "SELECT position, chain, copied, copier, copier_until, seal FROM audit_head" },
    { "audit_head_chained",
      "UPDATE audit_head SET position = %lld, chain = %s, seal = %s WHERE " HEAD_STANDS },
    { "audit_head_claim", "UPDATE audit_head SET copier = %s, copier_until = %lld WHERE "
                          "CAST(copier_until AS BIGINT) = %lld" },
    { "audit_head_copied",
      "UPDATE audit_head SET copied = %lld, copier_until = %lld, seal = %s WHERE " HEAD_STANDS
      " AND copier = %s" },
    { "audit_head_reseal", "UPDATE audit_head SET seal = %s WHERE " HEAD_STANDS },
    { NULL, NULL }
};
