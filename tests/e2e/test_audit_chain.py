# SPDX-License-Identifier: Apache-2.0
"""test_audit_chain.py: verification finds what somebody else writes into the audit trail."""

import contextlib
import os
import re
import signal
import sqlite3

import pytest

from rough import halt
from trail import copy, options, portal, settled  # noqa: F401
from trail import children, copied, count, export, lines, settle, verify


def test_an_end_that_was_told_is_still_there(portal, subscriber):
    _, end = verify(portal)
    position, hash = end.split(":")
    portal.ctl("subscriber", "open", subscriber.id)
    settle(portal)
    assert verify(portal, "--expect", end)[0] == []
    assert verify(portal, "--expect", position + ":" + "A" * 43)[0][0].endswith(
        "not what was expected: the chain was another one then"
    )
    beyond = int(position) + 1000
    assert (
        "set back: the chain ends at position %d, and it once reached %d" % (count(portal), beyond)
        in verify(portal, "--expect", "%d:%s" % (beyond, hash))[0]
    )
    for text in ("", "7", "7:", ":" + hash, "-7:" + hash, "7:" + hash + "A"):
        assert portal.ctl("audit", "verify", "--expect", text, ok=False).returncode == 2


@contextlib.contextmanager
def tampering(portal):
    """Whatever is done inside is put back by `back`, and at the end."""
    settle(portal)
    tables = ("audit", "audit_head")
    postgresql = "dbname=" in portal.env["DATABASE"]
    kept = {} if postgresql else {table: portal.sql("SELECT * FROM %s" % table) for table in tables}

    def back(*names):
        """In one transaction: no courier sees half of it."""
        if postgresql:
            portal.sql(
                "; ".join(
                    "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept_%s" % (table, table, table)
                    for table in names
                )
            )
            return
        with contextlib.closing(
            sqlite3.connect(portal.env["DATABASE"], timeout=20)
        ) as connection, connection:
            for table in names:
                connection.execute("DELETE FROM %s" % table)
                connection.executemany(
                    "INSERT INTO %s VALUES (%s)" % (table, ", ".join("?" * len(kept[table][0]))),
                    kept[table],
                )

    if postgresql:
        for table in tables:
            portal.sql("CREATE TABLE kept_%s AS SELECT * FROM %s" % (table, table))
    try:
        yield portal.sql, back
    finally:
        back(*tables)
        if postgresql:
            portal.sql("DROP TABLE kept_audit, kept_audit_head")


def named(portal, position):
    return "position %d, row %d" % (
        position,
        portal.sql("SELECT id FROM audit WHERE position = ?", position)[0][0],
    )


@pytest.fixture
def some(portal, subscriber):
    """At least a dozen rows; the position of one in their midst."""
    for _ in range(6):
        portal.ctl("subscriber", "open", subscriber.id)
    settle(portal)
    return count(portal) - 3


FORGED = "changed or inserted: its seal is wrong"


@pytest.mark.parametrize(
    "change",
    [
        "time = time - 60000000",
        "node = 'other'",
        "event = 'signed-in'",
        "subscriber = 1",
        "address = '192.0.2.7'",
        "chain = (SELECT chain FROM audit a WHERE a.position = 1)",
        "seal = (SELECT seal FROM audit a WHERE a.position = 1)",
    ],
)
def test_a_changed_row_is_named(portal, some, change):
    with tampering(portal) as (sql, _):
        sql("UPDATE audit SET %s WHERE position = ?" % change, some)
        assert verify(portal)[0] == ["%s: %s" % (named(portal, some), FORGED)]


def test_removed_and_moved_rows_are_named(portal, some):
    with tampering(portal) as (sql, back):
        sql("DELETE FROM audit WHERE position = ?", some)
        assert verify(portal)[0] == ["removed: position %d" % some]
        sql("DELETE FROM audit WHERE position = ?", some - 1)
        assert verify(portal)[0] == ["removed: positions %d to %d" % (some - 1, some)]
    with tampering(portal) as (sql, back):
        sql("UPDATE audit SET position = 1000000 WHERE position = ?", some)
        sql("UPDATE audit SET position = ? WHERE position = ?", some, some - 4)
        sql("UPDATE audit SET position = ? WHERE position = 1000000", some - 4)
        assert verify(portal)[0] == [
            "%s: moved: it was sealed for position %d" % (named(portal, a), b)
            for a, b in ((some - 4, some), (some, some - 4))
        ]


def told(portal, id):
    return len(re.findall(r"the audit row %d was not written by mod_esign" % id, portal.log()))


@pytest.mark.expects_log("was not written by mod_esign")
def test_a_row_written_by_sql_joins_no_chain(portal, copy, subscriber):
    """An intruder in the database without the key file inserts rows: with a made-up seal, another
    row's, and one kept from another time.
    """
    ids = [10**15 + portal.row(subscriber) % 10**9 + n for n in range(3)]
    row = portal.row(subscriber)
    insert = (
        "INSERT INTO audit (id, time, node, event, subscriber, address, position, chain, "
        "seal) SELECT ?, time, node, 'signed-in', ?, '192.0.2.66', NULL, NULL, %s FROM audit "
        "WHERE position = 1"
    )
    for id, seal in zip(ids, ("'1.none'", "seal", "''")):
        portal.sql(insert % seal, id, row)
    assert portal.wait(lambda: count(portal, "chain = 'kept out'") == 3)
    assert [told(portal, id) for id in ids] == [1, 1, 1]
    findings = verify(portal)[0]
    assert findings == [
        "row %d: inserted, and kept out of the chain: its seal is wrong" % id for id in ids
    ]
    assert (
        portal.ctl("audit", "list", "--subscriber", "#%d" % row).count(
            "NOT TO BE BELIEVED: its seal is wrong"
        )
        == 3
    )
    assert not {str(id) for id in ids} & {
        line["id"] for line in export(portal) + copied(portal, copy)
    }
    # The person reads nothing of it either.
    browser = portal.browser()
    browser.sign_in(subscriber)
    assert [
        e for e in browser.get("activity").xml.findall("event") if e.get("address") == "192.0.2.66"
    ] == []
    portal.courier_rounds()  # no further round logs them again
    assert [told(portal, id) for id in ids] == [1, 1, 1]
    portal.sql("DELETE FROM audit WHERE chain = 'kept out'")


# The last tests of all: the chain grows twice from the same place. The copy is not set back with
# it, and shows that.
@pytest.mark.expects_log(
    "the audit chain was set back", "the head of the chain", "audit rows are missing"
)
def test_an_end_cut_off_and_a_database_set_back_show(portal, copy, some):
    with tampering(portal) as (sql, back):
        end = count(portal)
        sql("DELETE FROM audit WHERE position >= ?", end - 1)
        assert verify(portal)[0] == [
            "cut off: positions %d to %d, the end of the chain" % (end - 1, end)
        ]
        sql(
            "UPDATE audit_head SET position = ?, chain = (SELECT chain FROM audit "
            "WHERE position = ?)",
            end - 2,
            end - 2,
        )
        assert verify(portal)[0] == ["the head of the chain was changed: its seal is wrong"]
        sql("DELETE FROM audit_head")
        assert "the head of the chain is missing" in verify(portal)[0]
        # Nothing joins a chain without an end.
        waiting = count(portal, "chain IS NULL")
        portal.ctl(
            "subscriber",
            "open",
            "#%d" % sql("SELECT subscriber FROM audit WHERE position = ?", end - 2)[0][0],
        )
        portal.courier_rounds()
        assert count(portal, "chain IS NULL") == waiting + 1
    copied(portal, copy)
    with tampering(portal) as (sql, back):
        portal.ctl(
            "subscriber",
            "open",
            "#%d" % sql("SELECT subscriber FROM audit WHERE position = ?", end)[0][0],
        )
        copied(portal, copy)
        _, told = verify(portal)
        back("audit_head")
        assert [finding.partition(": ")[2] for finding in verify(portal)[0]] == [
            "beyond the head, and its seal is right: the head was set back"
        ]
    assert verify(portal)[0] == []
    assert verify(portal, "--expect", told)[0] == [
        "set back: the chain ends at position %d, and it once reached %d" % (end, end + 1)
    ]
    assert lines(copy.read_text())[-1]["position"] == end + 1
    assert portal.wait(
        lambda: "the audit chain was set back from position %d; it ends at %d now" % (end + 1, end)
        in portal.log()
    )


@pytest.mark.expects_log("the audit chain was set back")
def test_a_chain_that_was_set_back_and_grew_beyond_its_old_end_shows(portal, copy, some):
    """Between two rounds of the courier: what it finds is longer than what it saw."""
    assert portal.wait(lambda: portal.sql("SELECT position - copied FROM audit_head") == [(0,)])
    head = portal.sql("SELECT position, chain, copied, seal FROM audit_head")[0]
    portal.ctl(
        "subscriber",
        "open",
        "#%d" % portal.sql("SELECT subscriber FROM audit WHERE position = ?", head[0])[0][0],
    )
    assert portal.wait(lambda: portal.sql("SELECT copied FROM audit_head") == [(head[0] + 1,)])
    stopped = children(portal)
    for pid in stopped:
        halt(pid)
    try:
        for _ in range(2):
            portal.ctl(
                "subscriber",
                "open",
                "#%d"
                % portal.sql("SELECT subscriber FROM audit WHERE position = ?", head[0])[0][0],
            )
        portal.sql("DELETE FROM audit WHERE position > ?", head[0])
        portal.sql(
            "UPDATE audit_head SET position = %d, chain = '%s', copied = %d, seal = '%s'" % head
        )
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert portal.wait(
        lambda: "the audit chain was set back from position %d; it ends at %d now"
        % (head[0] + 1, head[0] + 2)
        in portal.log()
    )
    assert portal.wait(
        lambda: [line["position"] for line in lines(copy.read_text())][-3:]
        == [head[0] + 1, head[0] + 1, head[0] + 2]
    )


@pytest.mark.expects_log("the head of the chain")
def test_a_wrong_head_is_told_once(portal, copy, some):
    """It stops chain and copy, whose complaints must not take turns in the error log."""
    assert portal.wait(lambda: portal.sql("SELECT position - copied FROM audit_head") == [(0,)])
    seal, told = portal.sql("SELECT seal FROM audit_head")[0][0], portal.log().count(
        "the head of the chain"
    )
    portal.sql("UPDATE audit_head SET seal = '1.none'")
    portal.ctl(
        "subscriber",
        "open",
        "#%d" % portal.sql("SELECT subscriber FROM audit WHERE position = ?", some)[0][0],
    )
    assert portal.wait(lambda: portal.log().count("the head of the chain") == told + 2)
    portal.courier_rounds(6)
    assert portal.log().count("the head of the chain") == told + 2
    portal.sql("UPDATE audit_head SET seal = '%s'" % seal)
