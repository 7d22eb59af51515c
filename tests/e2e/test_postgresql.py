# SPDX-License-Identifier: Apache-2.0
"""test_postgresql.py: the journey again on PostgreSQL, and what PostgreSQL has of its own:
connections that get lost.
"""

import os
import signal
import subprocess

import pytest

import rough
from test_journey import *  # noqa: F403
from test_links import *  # noqa: F403
from test_requests import *  # noqa: F403
from test_wrong_turns import *  # noqa: F403


@pytest.fixture(scope="module")
def portal(make_portal):
    return make_portal("--database", "postgresql")


@pytest.fixture
def lose_connections(portal):
    def lose():
        assert portal.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    return lose


# The courier may be in the midst of a transaction; it does it again.
@pytest.mark.expects_log("mod_esign courier")
def test_lost_connections_cost_nobody_a_page(portal, browser, subscriber, lose_connections):
    lose_connections()
    assert browser.login(subscriber).status == 303
    lose_connections()
    code = browser.confirm(subscriber)
    lose_connections()
    assert browser.post("otp/code", {"code": code}).location.endswith("/menu")
    lose_connections()
    assert browser.post("pin").status == 200
    lose_connections()
    link = browser.reset_link(subscriber)
    lose_connections()
    assert browser.get(link).status == 303
    lose_connections()
    assert (
        browser.post(
            "reset/word", {"word": "kayıp bağlantılar", "again": "kayıp bağlantılar"}
        ).status
        == 303
    )
    lose_connections()
    assert browser.login(subscriber, "kayıp bağlantılar").status == 303


def test_what_the_operator_sees(portal, browser):
    def figures():
        text = browser.session.get(
            "https://localhost:%d/esign-metrics" % portal.port, timeout=20
        ).text
        of = 'portal="%s"' % portal.url.rstrip("/")
        return all(
            line in text
            for line in (
                "esign_database_up{%s} 1\n" % of,
                'esign_messages_waiting{%s,kind="code"} 0\n' % of,
                "esign_audit_unchained{%s} 0\n" % of,
            )
        )

    assert portal.wait(figures)
    assert portal.ctl("outbox", "list", "--max", "1").startswith("ID ")


# As while a copy of the database is put back.
@pytest.mark.expects_log("mod_esign", r"\[dbd:")
def test_connections_that_came_back_before_a_table_did_are_whole_again(
    portal, subscriber, lose_connections
):
    def statuses():
        return {portal.browser().login(subscriber).status for _ in range(8)}

    portal.sql("ALTER TABLE audit RENAME TO away")
    lose_connections()
    assert portal.wait(lambda: statuses() == {503})
    portal.sql("ALTER TABLE away RENAME TO audit")
    assert portal.wait(lambda: statuses() == {303})


def test_a_courier_locks_subscribers_in_the_order_of_key_rotate(portal):
    """Two requests of one lease, the later subscriber's first. Another client goes through the
    table by ids, as `key rotate` and another node's courier do.
    """
    first, second = sorted((portal.new_subscriber(), portal.new_subscriber()), key=portal.row)
    courier = rough.courier_of(portal)
    other = subprocess.Popen(
        ["psql", "-X", "-q", "-t", "-A", portal.env["DATABASE"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def lock(subscriber):
        other.stdin.write(
            "SELECT 'locked' FROM subscriber WHERE id = %d FOR UPDATE;\n" % portal.row(subscriber)
        )
        other.stdin.flush()
        return other.stdout.readline()

    rough.halt(courier)
    try:
        for s in (second, first):
            portal.browser().ask_reset(s.id)
        other.stdin.write("BEGIN;\n")
        assert lock(first) == "locked\n"
    finally:
        os.kill(courier, signal.SIGCONT)
    assert portal.wait(
        lambda: portal.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        == [(1,)]
    )
    assert lock(second) == "locked\n"
    assert other.communicate("COMMIT;\n")[0] == ""
    assert portal.wait_mail(first.email) and portal.wait_mail(second.email)


def test_a_look_reads_no_messages_that_are_not_due(portal):
    """Thousands of messages wait for their next try. The courier finds by the index that nothing is
    due.
    """

    def scans():
        return portal.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox'")[0][0]

    assert portal.wait(lambda: portal.sql("SELECT COUNT(*) FROM outbox") == [(0,)])
    portal.sql(
        "INSERT INTO outbox SELECT i, 0, repeat('x', 500), 0, 9000000000000000, 9000000000000000, "
        "0, '', 0, 0, 0, -1, NULL FROM generate_series(1, 20000) i"
    )
    try:
        portal.sql("ANALYZE outbox")
        portal.courier_rounds(10)  # PostgreSQL plans a statement five times before it keeps a plan
        before = scans()
        portal.courier_rounds(25)
        assert scans() - before < 15  # a look each round; expired messages are looked for each 10 s
    finally:
        portal.sql("DELETE FROM outbox")
