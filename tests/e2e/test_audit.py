# SPDX-License-Identifier: Apache-2.0
"""test_audit.py: what the audit trail tells, what is found when somebody writes to it behind the courier's back, and the copy that leaves the host."""

import base64
import contextlib
import datetime
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest
import requests

import command
import portal as parts
from rough import halt

COLLECTOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "collector.py")
LIMIT = 40


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return tmp_path_factory.mktemp("copy") / "audit.jsonl"


@pytest.fixture(scope="module")
def options():
    return ()


@pytest.fixture(scope="module")
def portal(make_portal, copy, options):
    include = copy.parent / "audit.conf"
    include.write_text(
        'EsignAuditLog "|/usr/bin/python3 -B %s %s"\nEsignAddressFailures %d\nEsignAddressRequests %d\n'
        % (COLLECTOR, copy, LIMIT, LIMIT)
    )
    return make_portal("--include", str(include), *options)


@pytest.fixture(autouse=True)
def settled(portal):
    """Each test begins and ends with everything chained and whole."""
    settle(portal)
    yield
    settle(portal)
    assert portal.ctl("audit", "verify").startswith("%d rows, 0 findings" % count(portal))


def count(portal, where="1 = 1"):
    return portal.sql("SELECT count(*) FROM audit WHERE " + where)[0][0]


def settle(portal, seconds=30):
    assert portal.wait(lambda: count(portal, "chain IS NULL") == 0, seconds)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def export(portal, *options):
    settle(portal)
    return lines(portal.ctl("audit", "export", *options))


def events(portal, subscriber):
    return [
        line["event"]
        for line in export(portal, "--subscriber", "#%d" % portal.row(subscriber))
        if line["event"] not in ("registered", "subscriber-shown")
    ]


def verify(portal, *options):
    """The findings, and the end that is told."""
    done = portal.ctl("audit", "verify", *options, ok=False)
    *findings, last = done.stdout.splitlines()
    told = re.fullmatch(r"(\d+) rows, (\d+) findings, head (\d+:\S*)", last)
    assert (
        done.returncode == (1 if findings else 0)
        and done.stderr == ""
        and int(told[2]) == len(findings)
    ), done.stdout
    return findings, told[3]


def copied(portal, copy):
    """The lines of the copy once everything has left, each position once: at least once is what is promised."""
    settle(portal)
    assert portal.wait(lambda: portal.sql("SELECT position - copied FROM audit_head") == [(0,)], 30)
    seen = {}
    for line in lines(copy.read_text()):
        assert seen.setdefault(line["position"], line) == line
    return list(seen.values())


def register(portal, number, first):
    xml = command.file_of(
        *[command.subscriber(first + n, serial="AUDIT-%d" % (first + n)) for n in range(number)]
    )
    assert (
        portal.ctl("subscriber", "import", "-", stdin=xml) == "%d registered, 0 refused\n" % number
    )


def test_a_whole_journey(portal, browser, subscriber):
    browser.sign_in(subscriber)
    browser.post("pin")
    browser.post("activity")
    browser.post("logout")
    assert browser.get(link := browser.reset_link(subscriber)).status == 303
    browser.post("reset/word", {"word": "denetim izi uzun", "again": "denetim izi uzun"})
    assert browser.get(link).status == 410
    assert events(portal, subscriber) == [
        "word-accepted",
        "code-sent",
        "signed-in",
        "pin-shown",
        "sessions-ended",
        "signed-out",
        "reset-mailed",
        "link-opened",
        "word-reset",
    ]


def test_refusals_say_why(portal, browser, subscriber):
    row = portal.row(subscriber)
    for _ in range(5):
        assert browser.login(subscriber, "yanlış bir sözcük").status == 422
    assert browser.login(subscriber).status == 422
    portal.sql("UPDATE subscriber SET failures = 99, wait_until = 0 WHERE id = ?", row)
    assert browser.login(subscriber, "yanlış bir sözcük").status == 422
    assert browser.login(subscriber).status == 422
    assert events(portal, subscriber) == ["word-refused"] * 5 + [
        "refused-waiting",
        "closed",
        "refused-closed",
    ]
    assert {
        line["result"]
        for line in export(portal, "--subscriber", "#%d" % row)
        if line["event"] not in ("registered", "subscriber-shown")
    } == {"failure"}
    portal.ctl("subscriber", "open", subscriber.id)


def test_refusals_of_the_second_step(portal, browser, subscriber):
    row = portal.row(subscriber)
    browser.login(subscriber)
    for _ in range(2):
        assert browser.post("otp/code", {"code": "123456"}).status == 303
    code = browser.confirm(subscriber)
    portal.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", row)
    assert browser.confirm(subscriber) == code
    wrong = "%06d" % ((int(code) + 1) % 10**6)
    for _ in range(3):
        assert browser.post("otp/code", {"code": wrong}).status == 422
    for _ in range(2):
        assert browser.post("otp").status == 429
    portal.sql("UPDATE subscriber SET wait_until = ? WHERE id = ?", 2**60, row)
    assert (
        browser.post("otp").status == 429 and browser.post("otp/code", {"code": code}).status == 429
    )
    portal.sql("UPDATE subscriber SET wait_until = 0, closed = 1 WHERE id = ?", row)
    assert browser.post("otp").status == 429
    assert events(portal, subscriber) == [
        "word-accepted",
        "code-dead",
        "code-sent",
        "code-resent",
    ] + ["code-refused"] * 3 + ["sms-refused", "refused-waiting", "refused-closed"]


def test_links_that_died(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    portal.browser().sign_in(subscriber)
    for _ in range(3):
        assert browser.get(link).status == 410
    assert events(portal, subscriber) == [
        "reset-mailed",
        "word-accepted",
        "code-sent",
        "signed-in",
        "link-refused",
    ]


def test_requests_that_become_no_mail(portal, browser, subscriber):
    before = count(portal, "event = 'reset-unknown'")
    browser.ask_reset(parts.tckn())
    assert portal.wait(
        lambda: count(portal, "event = 'reset-unknown' AND subscriber = 0") == before + 1
    )
    row, now = portal.row(subscriber), int(time.time() * 1e6)
    portal.sql(
        "UPDATE subscriber SET mail_count = 99, mail_day = ?, mail_last = ? WHERE id = ?",
        now // 86400000000,
        now,
        row,
    )
    browser.ask_reset(subscriber.id)
    assert portal.wait(
        lambda: count(portal, "event = 'reset-spaced' AND subscriber = %d" % row) == 1
    )


def test_sign_in_writes_one_row_whatever_it_says(portal, browser, subscriber):
    def rows_of(subscriber, word=None, status=422):
        before = count(portal)
        assert browser.login(subscriber, word).status == status
        return count(portal) - before

    stranger = parts.Subscriber(parts.tckn(), "herhangi bir şey", None, None, None, None, [])
    row = portal.row(subscriber)
    assert rows_of(subscriber, status=303) == 1
    assert rows_of(subscriber, "yanlış bir sözcük") == rows_of(stranger) == 1
    portal.sql("UPDATE subscriber SET wait_until = ? WHERE id = ?", 2**60, row)
    assert rows_of(subscriber) == rows_of(subscriber, "yanlış bir sözcük") == 1
    portal.sql("UPDATE subscriber SET wait_until = 0, failures = 99 WHERE id = ?", row)
    assert rows_of(subscriber, "yanlış bir sözcük") == 1
    assert rows_of(subscriber) == rows_of(subscriber, "yanlış bir sözcük") == 1


def test_what_costs_nothing_writes_no_row(portal, browser):
    """A commit each would let anybody fill the database."""
    before = count(portal)
    fields = {
        "id": parts.tckn(),
        "word": "herhangi bir şey",
        "challenge": browser.get("login").challenge(),
        "answer": "?????",
    }
    assert browser.post("login", fields).status == 422
    assert (
        browser.post("reset", dict(fields, challenge=browser.get("reset").challenge())).status
        == 422
    )
    assert browser.post("login", fields, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert browser.get("reset/" + "A" * 43).status == 410
    assert browser.get("reset/word").status == 410
    assert browser.post("pin").status == 403
    assert count(portal) == before
    told = re.findall(r"\[client 127\.0\.0\.1:\d+\] mod_esign: refused: (.*)", portal.log())
    assert {
        "a wrong picture",
        "a form of another site",
        "a link that is dead or was never made",
    } <= {line.partition(", referer")[0] for line in told}


def test_a_limited_address_is_told_once(portal):
    browser = portal.browser()
    adapter = requests.adapters.HTTPAdapter()
    adapter.init_poolmanager(4, 4, source_address=("127.0.0.77", 0))
    browser.session.mount("https://", adapter)
    for form in ("login", "reset"):
        statuses = [
            browser.post(
                form,
                {
                    "id": "1",
                    "word": "x",
                    "challenge": browser.get(form).challenge(),
                    "answer": "?????",
                },
            ).status
            for _ in range(LIMIT + 3)
        ]
        assert statuses == [422] * LIMIT + [429] * 3
    assert [line["event"] for line in export(portal) if line["address"] == "127.0.0.77"] == [
        "sign-in-limited",
        "reset-limited",
    ]


@pytest.mark.expects_log("messages expired unsent")
def test_messages_given_up(portal, subscriber):
    """One whose time is over, and one that cannot be unsealed."""
    insert = (
        "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, dead, gateways, awaited, error) "
        "VALUES (?, 2, 'x', 0, ?, ?, 0, '', 0, 0, 0, -1, NULL)"
    )
    expired, given_up = (
        count(portal, "event = '%s' AND subscriber = 0" % event)
        for event in ("messages-expired", "message-given-up")
    )
    portal.sql(insert, portal.row(subscriber), 2**60, 1)
    portal.sql(insert, portal.row(subscriber) + 1, 0, 2**60)
    assert portal.wait(
        lambda: count(portal, "event = 'messages-expired' AND subscriber = 0") == expired + 1
    )
    assert portal.wait(
        lambda: count(portal, "event = 'message-given-up' AND subscriber = 0") == given_up + 1
    )


def test_lines_are_the_rows(portal, browser, subscriber):
    browser.sign_in(subscriber)
    all_lines = export(portal)
    rows = portal.sql(
        "SELECT position, id, time, node, event, subscriber, address, chain FROM audit ORDER BY position"
    )
    assert [line["position"] for line in all_lines] == list(range(1, len(rows) + 1))
    before = ""
    for line, (position, id, moment, node, event, who, address, chain) in zip(all_lines, rows):
        written = datetime.datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(
            tzinfo=datetime.timezone.utc
        )
        told = round(written.timestamp() * 1000000)
        assert (
            line["position"],
            int(line["id"]),
            told,
            line["node"],
            line["event"],
            int(line["subscriber"] or 0),
            line["address"],
            line["chain"],
        ) == (position, id, moment, str(node), event, who, address, chain)
        # The chain, followed from the lines alone.
        fields = [before, position, id, told, node, event, who, address]
        content = "".join("%d:%s" % (len(str(field).encode()), field) for field in fields)
        before = (
            base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
        )
        assert chain == before
    assert verify(portal) == ([], "%d:%s" % (len(rows), before))


def test_export_chooses(portal, subscriber):
    all_lines = export(portal)
    today = all_lines[-1]["time"][:10]
    moment = all_lines[-1]["time"][:19]
    assert [line for line in all_lines if line["time"][:10] >= today] == lines(
        portal.ctl("audit", "export", "--since", today)
    )
    assert [line for line in all_lines if line["time"][:19] < moment] == lines(
        portal.ctl("audit", "export", "--until", moment + "Z")
    )
    assert [line for line in all_lines if line["time"][:19] >= moment] == lines(
        portal.ctl("audit", "export", "--since", moment + "Z")
    )
    assert portal.ctl("audit", "export", "--until", "2001-01-01") == ""
    assert [
        line["event"]
        for line in lines(portal.ctl("audit", "export", "--subscriber", subscriber.id))
    ] == ["registered"]
    for option, text in (("--since", "yesterday"), ("--until", "2026-02-30"), ("--since", "")):
        done = portal.ctl("audit", "export", option, text, ok=False)
        assert done.returncode == 2 and option in done.stderr


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
    """An intruder in the database, without the key file: with a seal of no sense, another row's, and one kept from another time."""
    ids = [10**15 + portal.row(subscriber) % 10**9 + n for n in range(3)]
    row = portal.row(subscriber)
    insert = "INSERT INTO audit (id, time, node, event, subscriber, address, position, chain, seal) SELECT ?, time, node, 'signed-in', ?, '192.0.2.66', NULL, NULL, %s FROM audit WHERE position = 1"
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
    time.sleep(1)
    assert [told(portal, id) for id in ids] == [1, 1, 1]
    portal.sql("DELETE FROM audit WHERE chain = 'kept out'")


def test_the_copy_is_the_export(portal, copy, browser, subscriber):
    browser.sign_in(subscriber)
    assert copied(portal, copy) == export(portal)


def collector(copy, other_than=None):
    """The pid of the program, once it runs."""
    for _ in range(200):
        with contextlib.suppress(OSError, ValueError):
            pid = int((copy.parent / (copy.name + ".pid")).read_text())
            if pid != other_than and parts.running(pid):
                return pid
        time.sleep(0.05)
    raise AssertionError("the program does not run")


@pytest.mark.expects_log("piped log program")
def test_a_program_that_stands_still_and_dies_loses_no_line(portal, copy, browser, subscriber):
    copied(portal, copy)
    pid = collector(copy)
    halt(pid)
    try:
        register(portal, 600, 1000)
        settle(portal)
        # More than its pipe holds waits now; mails and codes go on.
        started = time.time()
        link = browser.reset_link(subscriber)
        assert browser.get(link).status == 303 and time.time() - started < 5
        portal.browser().sign_in(subscriber)
        time.sleep(1)
        size = copy.stat().st_size
        assert portal.sql("SELECT position - copied >= 600 FROM audit_head")[0][0] in (1, True, "t")
    finally:
        os.kill(pid, signal.SIGKILL)
    collector(copy, pid)
    assert copied(portal, copy) == export(portal) and copy.stat().st_size > size + 100000
    positions = [line["position"] for line in lines(copy.read_text())]
    assert positions == sorted(positions)


@pytest.mark.expects_log(
    "piped log program", "long lost child", r"\[ssl:warn\]", r"\[dbd:(error|crit)\]"
)
def test_a_reload_while_the_program_stands_still_loses_no_line(portal, copy):
    copied(portal, copy)
    pid = collector(copy)
    halt(pid)
    register(portal, 300, 2000)
    settle(portal)
    time.sleep(1)
    subprocess.run(
        [parts.HTTPD, "-f", portal.env["HTTPD_CONF"], "-k", "graceful"],
        check=True,
        capture_output=True,
    )
    time.sleep(1)
    os.kill(pid, signal.SIGKILL)
    collector(copy, pid)
    assert copied(portal, copy) == export(portal)


def children(portal):
    done = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(parts.pid_of(portal.env["HTTPD_PID"]))],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "apache2" in line]


@pytest.mark.expects_log(r"exit signal Killed", "mod_esign courier", r"\[dbd:", "long lost child")
def test_a_killed_courier_leaves_the_chain_whole(portal, copy):
    for round in range(3):
        register(portal, 1500, 3000 + 1500 * round)
        time.sleep(0.1 + 0.07 * round)
        for pid in children(portal):
            os.kill(pid, signal.SIGKILL)
        settle(portal, 60)
        assert verify(portal)[0] == []
    assert copied(portal, copy) == export(portal)


# The last of all: the chain grows twice from the same place, and its copy, which nobody sets back, shows that.
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
            "UPDATE audit_head SET position = ?, chain = (SELECT chain FROM audit WHERE position = ?)",
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
        time.sleep(1)
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
    time.sleep(2)
    assert portal.log().count("the head of the chain") == told + 2
    portal.sql("UPDATE audit_head SET seal = '%s'" % seal)
