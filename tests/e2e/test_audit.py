# SPDX-License-Identifier: Apache-2.0
"""test_audit.py: what the audit trail tells, and the copy of it that leaves the host."""

import base64
import contextlib
import datetime
import hashlib
import os
import re
import signal
import time

import pytest
import requests

import portal as parts
from rough import halt
from trail import copy, options, portal, settled  # noqa: F401
from trail import LIMIT, children, copied, count, events, export, lines, register, settle, verify


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
    """One message has expired, the other cannot be unsealed."""
    insert = (
        "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, "
        "dead, gateways, awaited, error) "
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
        "SELECT position, id, time, node, event, subscriber, address, chain FROM audit "
        "ORDER BY position"
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


def test_the_copy_is_the_export(portal, copy, browser, subscriber):
    browser.sign_in(subscriber)
    assert copied(portal, copy) == export(portal)


def collector(copy, other_than=None):
    """The pid of the program, once it runs."""

    def look():
        with contextlib.suppress(OSError, ValueError):
            pid = int((copy.parent / (copy.name + ".pid")).read_text())
            return pid != other_than and parts.running(pid) and pid

    return parts.wait_until(look, "the program that the copy goes to runs")


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
        portal.courier_rounds()  # the copy stands still, whatever the courier tries
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
    portal.courier_rounds()  # the pipe is full
    portal.graceful()
    os.kill(pid, signal.SIGKILL)
    collector(copy, pid)
    assert copied(portal, copy) == export(portal)


@pytest.mark.expects_log(r"exit signal Killed", "mod_esign courier", r"\[dbd:", "long lost child")
def test_a_killed_courier_leaves_the_chain_whole(portal, copy):
    for round in range(3):
        register(portal, 1500, 3000 + 1500 * round)
        time.sleep(0.1 + 0.07 * round)  # another moment of the chaining each time
        for pid in children(portal):
            os.kill(pid, signal.SIGKILL)
        settle(portal, 60)
        assert verify(portal)[0] == []
    assert copied(portal, copy) == export(portal)
