-- SPDX-License-Identifier: Apache-2.0
-- schema.sql: the tables, as `esignctl db init` makes them; the build takes the statements from here. One text for SQLite and PostgreSQL. A statement ends with
-- a semicolon at the end of its line, a comment begins with two hyphens.
--
-- Times are microseconds since 1970, UTC. Ids are random numbers of 63 bits. "Sealed" is AES-256-GCM under a key of the key file, bound to table, row and column
-- (mod_esign/core/seal.h): without the key file it tells nothing and cannot be moved.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE subscriber (
    id BIGINT PRIMARY KEY,
    lookup TEXT NOT NULL UNIQUE,        -- the key's id and, behind a colon, the keyed hash of the national id, to find it by
    national_id TEXT NOT NULL,          -- sealed, as are the next three
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,                -- as +905551234567
    language TEXT NOT NULL,             -- tr or en
    word_hash TEXT,                     -- a PHC string of argon2id whose last part, the hash itself, is sealed and bound to what stands before it
    failures INTEGER NOT NULL,          -- in a row
    wait_until BIGINT NOT NULL,         -- no sign-in before
    closed INTEGER NOT NULL,            -- 1: until `esignctl subscriber open`
    epoch BIGINT NOT NULL,              -- raised by a word change and an end of all sessions: sessions of an older epoch are dead
    link_epoch BIGINT NOT NULL,         -- raised by these and a sign-in: mailed links of an older one are dead
    sms_last BIGINT NOT NULL,           -- when the last SMS went out
    sms_day BIGINT NOT NULL,            -- the day that sms_count counts
    sms_count INTEGER NOT NULL,
    mail_last BIGINT NOT NULL,          -- the same of mailed links
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
    not_after TEXT NOT NULL,
    fingerprint TEXT,                   -- SHA-256 of the certificate, 64 hexadecimal digits
    pin TEXT NOT NULL,                  -- sealed, with the subscriber's id before it
    puk TEXT NOT NULL                   -- the same
);
CREATE INDEX card_subscriber ON card (subscriber);

CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 0 a reset was asked for, 1 a code, 2 a notice
    body TEXT NOT NULL,                 -- sealed; empty when a code is given up, or another message expired
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,                -- not before
    expires BIGINT NOT NULL,            -- not after
    attempts INTEGER NOT NULL,
    owner TEXT NOT NULL,                -- the courier that has it
    lease_until BIGINT NOT NULL,        -- until when, if it does not say again that it has
    dead INTEGER NOT NULL,              -- 1: given up
    gateways BIGINT NOT NULL,           -- of a code, bits: the SMS gateways that are done with it, in the configuration's order from the lowest
    awaited INTEGER NOT NULL,           -- the gateway that took the code and has not reported yet; -1: none
    error TEXT                          -- why the last attempt failed
);
-- A courier looks for what is due of one kind. Where thousands wait, it reads those that it takes and no more. Who asks how many wait, and since when, reads this index alone.
CREATE INDEX outbox_due ON outbox (dead, kind, due, created, awaited);
CREATE INDEX outbox_owner ON outbox (owner);

CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    time BIGINT NOT NULL,
    node TEXT NOT NULL,                 -- host name
    event TEXT NOT NULL,
    subscriber BIGINT NOT NULL,         -- 0: unknown
    address TEXT NOT NULL,              -- the client's, or "local"
    position BIGINT,                    -- in the chain, from 1; not UNIQUE: who takes the next place would stop the chain
    chain TEXT,                         -- SHA-256 over this row and the chain value of the one before; NULL: not chained yet; "kept out": its seal was wrong
    seal TEXT NOT NULL                  -- key id and HMAC-SHA256 over all other columns
);
-- A row comes into the first when it is chained, not by the request that writes it. How often somebody did something of late is counted in the third alone.
CREATE INDEX audit_position ON audit (position, id) WHERE position IS NOT NULL;
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_subscriber ON audit (subscriber, time, event);
CREATE INDEX audit_unchained ON audit (time, id) WHERE chain IS NULL;

-- One row: where the chain ends. It is made with the tables, sealed.
CREATE TABLE audit_head (
    position BIGINT NOT NULL,           -- of the last row
    chain TEXT NOT NULL,                -- its chain value
    copied BIGINT NOT NULL,             -- rows up to this position have left the host (EsignAuditLog)
    copier TEXT NOT NULL,               -- the courier that copies
    copier_until BIGINT NOT NULL,       -- until when, if it gets no further
    seal TEXT NOT NULL                  -- key id and HMAC-SHA256 over position, chain and copied
);

CREATE TABLE node (
    name TEXT PRIMARY KEY,              -- host name and key file
    keys TEXT NOT NULL,                 -- ids of the keys that its httpd has loaded, the active one first
    life BIGINT NOT NULL,               -- how long a link or session of it lasts at most
    since BIGINT NOT NULL,              -- it has had these keys
    seen BIGINT NOT NULL                -- it told so last
);

INSERT INTO schema_version (version) VALUES (1);
