-- SPDX-License-Identifier: Apache-2.0
-- schema.sql: the tables that `esignctl db init` makes, in one text for SQLite and PostgreSQL.
--
-- The build turns this file into C strings. So a statement ends with a semicolon at the end of a
-- line, and a comment begins with two hyphens.
--
-- Times are microseconds since 1970, UTC. Ids are random numbers of 63 bits. "Sealed" means
-- AES-256-GCM under a key of the key file, with table, row and column as associated data
-- (mod_esign/core/seal.h). Without the key file a sealed value cannot be read, and cannot be moved
-- to another place.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE subscriber (
    id BIGINT PRIMARY KEY,
    lookup TEXT NOT NULL UNIQUE,        -- KEYID:HASH, the keyed hash of the national id
    national_id TEXT NOT NULL,          -- sealed
    name TEXT NOT NULL,                 -- sealed
    email TEXT NOT NULL,                -- sealed
    phone TEXT NOT NULL,                -- sealed; E.164: +905551234567
    language TEXT NOT NULL,             -- tr or en
    word_hash TEXT,                     -- a PHC string of argon2id. Its last part, the hash, is
                                        -- sealed and bound to the parts before it. NULL: no word
    failures INTEGER NOT NULL,          -- in a row, of word and code together
    wait_until BIGINT NOT NULL,         -- no sign-in before; 0: no wait
    closed INTEGER NOT NULL,            -- 1: no sign-in until `esignctl subscriber open`
    epoch BIGINT NOT NULL,              -- raised by a change of the word and when all sessions are
                                        -- ended: sessions of an older epoch are invalid
    link_epoch BIGINT NOT NULL,         -- raised by these and by a sign-in: mailed links of an
                                        -- older epoch are invalid
    sms_last BIGINT NOT NULL,           -- when the last SMS was queued
    sms_day BIGINT NOT NULL,            -- the day, since 1970, that sms_count counts
    sms_count INTEGER NOT NULL,
    mail_last BIGINT NOT NULL,          -- the same three for mailed links
    mail_day BIGINT NOT NULL,
    mail_count INTEGER NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE card (
    id BIGINT PRIMARY KEY,
    subscriber BIGINT NOT NULL REFERENCES subscriber (id),
    serial TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                -- active, suspended, revoked, expired
    not_before TEXT NOT NULL,           -- YYYY-MM-DD
    not_after TEXT NOT NULL,            -- YYYY-MM-DD
    fingerprint TEXT,                   -- SHA-256 of the certificate, 64 hexadecimal digits
    pin TEXT NOT NULL,                  -- sealed: the subscriber's id, a space, the PIN
    puk TEXT NOT NULL                   -- sealed in the same way
);
CREATE INDEX card_subscriber ON card (subscriber);

CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 0: a reset was requested, 1: a code, 2: a notice
    body TEXT NOT NULL,                 -- sealed. Empty once the message can never be sent: a code
                                        -- that was given up, any message that has expired
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,                -- it is sent from then on,
    expires BIGINT NOT NULL,            -- and no longer from then on
    attempts INTEGER NOT NULL,          -- leases, without those that were given back
    owner TEXT NOT NULL,                -- the courier that leases it; '': none
    lease_until BIGINT NOT NULL,        -- the end of the lease, which the courier can renew
    dead INTEGER NOT NULL,              -- 1: given up
    gateways BIGINT NOT NULL,           -- of a code: one bit for each SMS gateway that will not be
                                        -- asked again, the first of the configuration lowest
    awaited INTEGER NOT NULL,           -- the number of the gateway that accepted the code and has
                                        -- sent no delivery report yet; -1: none
    error TEXT                          -- why the last attempt failed
);
-- A courier searches for messages of one kind that are due. It reads as many rows as it leases,
-- however many wait. The index also answers how many messages wait, and since when, by itself.
CREATE INDEX outbox_due ON outbox (dead, kind, due, created, awaited);
CREATE INDEX outbox_owner ON outbox (owner);

CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    node TEXT NOT NULL,                 -- host name
    event TEXT NOT NULL,                -- a name of mod_esign/audit/event.c
    subscriber BIGINT NOT NULL,         -- 0: unknown
    address TEXT NOT NULL,              -- the client's, or "local"
    position BIGINT,                    -- in the chain, from 1. Not UNIQUE: an inserted row with
                                        -- the next position would stop the chain
    chain TEXT,                         -- SHA-256 over this row and the chain value of the row
                                        -- before. NULL: not chained yet. "kept out": its seal was
                                        -- wrong, it is never chained
    seal TEXT NOT NULL                  -- KEYID.MAC, HMAC-SHA256 over all other columns
);
-- The first index gets a row when the row is chained, not in the request that writes it. The third
-- alone answers how often an event of a subscriber occurred lately.
CREATE INDEX audit_position ON audit (position, id) WHERE position IS NOT NULL;
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_subscriber ON audit (subscriber, time, event);
CREATE INDEX audit_unchained ON audit (time, id) WHERE chain IS NULL;

-- One row: where the chain of audit rows ends. It is made, sealed, with the tables.
CREATE TABLE audit_head (
    position BIGINT NOT NULL,           -- of the last row; 0: no row is chained
    chain TEXT NOT NULL,                -- the chain value of the last row
    copied BIGINT NOT NULL,             -- rows up to this position are copied (EsignAuditLog)
    copier TEXT NOT NULL,               -- the chainer that writes the copy; '': none
    copier_until BIGINT NOT NULL,       -- until then, or longer while it makes progress
    seal TEXT NOT NULL                  -- KEYID.MAC, HMAC-SHA256 over position, chain and copied
);

CREATE TABLE node (
    name TEXT PRIMARY KEY,              -- HOST:KEYFILE
    keys TEXT NOT NULL,                 -- ids of the keys that its httpd has loaded, the active
                                        -- key first: "2 1"
    life BIGINT NOT NULL,               -- the longest life of its links, sessions and counters
    since BIGINT NOT NULL,              -- since when the keys are these, and life has not risen
    seen BIGINT NOT NULL                -- its last report
);

INSERT INTO schema_version (version) VALUES (1);
