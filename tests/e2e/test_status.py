# SPDX-License-Identifier: Apache-2.0
"""test_status.py: what the operator sees: metrics for Prometheus, mod_status's page, one log line
for a failure.

Real mails and SMS go through two portals with two databases.
"""

import os
import pathlib
import re
import shutil
import sqlite3
import tempfile
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

import command
import portal as parts
from rough import httpd, visitor

OTHER = "https://other.example.org/esign"
EXPIRED = (
    "INSERT INTO outbox (id, kind, body, created, due, expires, attempts, owner, lease_until, "
    "dead, gateways, awaited, error) VALUES (?, 2, '', 1, ?, 1, 3, '', 0, 1, 0, -1, 'old')"
)


@pytest.fixture(scope="module")
def watched(make_portal):
    """The demo, and a second portal with keys and a database of its own. The first one's name has
    to be escaped.
    """
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp"))
    second = command.Instance(folder)
    os.chmod(folder, 0o755)
    for name in ("", "esign.db"):
        if os.geteuid() == 0:
            shutil.chown(folder / name, "www-data", "www-data")
    include = folder / "two.conf"
    include.write_text(
        """
<VirtualHost *>
    ServerName localhost
</VirtualHost>
<VirtualHost *>
    ServerName other.example.org
    EsignPublicURL https://other.example.org
    EsignKeyFile "%s/keys"
    DBDParams "%s/esign.db"
    <EsignSMSGateway "\\"q\\\\">
        EsignSMSURL http://127.0.0.1:9/{number}/{text}
    </EsignSMSGateway>
</VirtualHost>
"""
        % (folder, folder)
    )
    one = make_portal("--include", str(include))
    one.second = second
    # Given up long ago, and just now.
    one.sql(EXPIRED, 11, 1)
    one.sql(EXPIRED, 12, int(time.time() * 1000000))
    yield one
    one.stop()
    shutil.rmtree(folder)


def ask(portal, path="/esign-metrics", method="GET", **more):
    browser = visitor(portal, **more)
    return browser.session.request(
        method, "https://localhost:%d%s" % (portal.port, path), timeout=20
    )


class Figures:
    """A scrape, as Prometheus' own parser reads it."""

    def __init__(self, portal):
        answer = ask(portal)
        assert (
            answer.status_code == 200
            and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        ), answer.text
        self.text, self.main = answer.text, portal.url.rstrip("/")
        self.families = {
            family.name: family for family in text_string_to_metric_families(answer.text)
        }
        assert len(self.families) == answer.text.count("# TYPE ") == answer.text.count("# HELP ")
        self.samples = {
            (s.name, frozenset(s.labels.items())): s.value
            for family in self.families.values()
            for s in family.samples
        }
        assert len(self.samples) == sum(
            len(family.samples) for family in self.families.values()
        )  # none twice

    def of(self, name, portal=None, **labels):
        """One sample; None: it is not there."""
        return self.samples.get(
            (name, frozenset({"portal": portal or self.main, **labels}.items()))
        )

    def kind(self, name, kind):
        return self.of("esign_messages_" + name, kind=kind)

    def breaker(self, service, port):
        return self.of("esign_breaker_open", service=service, server="127.0.0.1:%d" % port)


def until(portal, look, seconds=30):
    """A scrape that shows it."""
    end = time.time() + seconds
    while True:
        figures = Figures(portal)
        if look(figures):
            return figures
        assert time.time() < end, figures.text
        time.sleep(0.2)


@pytest.fixture(scope="module")
def person(watched):
    return watched.new_subscriber()


def test_the_format_and_what_is_documented(watched):
    figures = until(watched, lambda f: f.of("esign_courier_last_round_timestamp_seconds", OTHER))
    with open(os.path.join(parts.TOP, "docs", "operations.md"), encoding="utf-8") as file:
        told = re.findall(r"^\| ((?:`esign_\w+`(?:, )?)+) \|", file.read(), re.M)
    names = {name for names in told for name in re.findall(r"esign_\w+", names)}
    assert names == set(re.findall(r"^# TYPE (\w+) ", figures.text, re.M))
    assert all(
        family.type == ("counter" if family.name + "_total" in names else "gauge")
        for family in figures.families.values()
    )
    assert figures.samples[("esign_hash_slots", frozenset())] == 2
    for portal in (figures.main, OTHER):
        assert figures.of("esign_database_up", portal) == 1
        assert (
            abs(time.time() - figures.of("esign_courier_last_round_timestamp_seconds", portal)) < 3
        )
        assert all(
            figures.of("esign_messages_waiting", portal, kind=kind) == 0
            for kind in ("reset-request", "code", "notice")
        )
    assert (
        figures.of("esign_breaker_open", OTHER, service="sms", server="127.0.0.1:9", gateway='"q\\')
        == 0
    )
    assert (
        figures.breaker("mail", watched.port + 1) == figures.breaker("sms", watched.port + 2) == 0
    )


def test_counters_move_by_real_mails_and_codes(watched, person):
    before = Figures(watched)
    browser = watched.browser()
    assert browser.login(person, "yanlış ama uzun sözcük").status == 422
    browser.sign_in(person)
    browser.reset_link(person)
    watched.browser().ask_reset(parts.tckn())
    # A new browser causes a mail; nobody's request for a link is no mail.
    figures = until(
        watched,
        lambda f: f.kind("sent_total", "notice") > before.kind("sent_total", "notice")
        and f.of("esign_audit_events_total", event="reset-unknown")
        > before.of("esign_audit_events_total", event="reset-unknown"),
    )
    assert [
        figures.kind("sent_total", kind) - before.kind("sent_total", kind)
        for kind in ("reset-request", "code", "notice")
    ] == [1, 1, 1]
    assert [
        figures.kind("retried_total", kind) for kind in ("reset-request", "code", "notice")
    ] == [0, 0, 0]
    for event, times in (
        ("word-refused", 1),
        ("word-accepted", 1),
        ("code-sent", 1),
        ("signed-in", 1),
        ("reset-asked", 2),
        ("reset-mailed", 1),
        ("signed-out", 0),
    ):
        assert (
            figures.of("esign_audit_events_total", event=event)
            - before.of("esign_audit_events_total", event=event)
            == times
        ), event
        assert figures.of("esign_audit_events_total", OTHER, event=event) == 0
    hashes, seconds = (
        figures.of("esign_hash_" + name) - before.of("esign_hash_" + name)
        for name in ("accepted_total", "cpu_seconds_total")
    )
    assert (
        hashes == 2
        and 0.001 < seconds / hashes < 1
        and figures.of("esign_hash_accepted_total", OTHER) == 0
    )
    assert (
        until(watched, lambda f: f.of("esign_audit_unchained") == 0).of(
            "esign_audit_unchained_oldest_age_seconds"
        )
        == 0
    )


def test_counters_outlive_a_reload(watched):
    before = Figures(watched)
    reloads = watched.log().count("resuming normal operations")
    httpd(watched, "graceful")
    assert watched.wait(lambda: watched.log().count("resuming normal operations") > reloads)
    after = until(
        watched,
        lambda f: f.of("esign_courier_last_round_timestamp_seconds")
        > before.of("esign_courier_last_round_timestamp_seconds") + 0.5,
    )
    assert after.kind("sent_total", "code") == before.kind("sent_total", "code") > 0


def test_who_may_look_and_how(watched):
    for path in ("/esign-metrics", "/server-status", "/server-status?auto"):
        assert ask(watched, path, address="127.0.0.2").status_code == 403
    for method in ("POST", "PUT", "DELETE"):
        refused = ask(watched, method=method)
        assert refused.status_code == 405 and set(
            refused.headers["Allow"].replace(" ", "").split(",")
        ) == {"GET", "HEAD"}
    head = ask(watched, method="HEAD")
    assert (head.status_code, head.content) == (200, b"") and head.headers[
        "Cache-Control"
    ] == "no-store"
    # Below the prefix all is the portal's.
    assert watched.browser().get("esign-metrics").status == 404


def test_a_dead_server_shows_and_nobody_is_named(watched, person):
    before = Figures(watched)
    waiting = [watched.new_subscriber() for _ in range(3)]
    browser = watched.browser()
    assert browser.login(person).status == 303
    watched.sql("UPDATE subscriber SET sms_last = 0 WHERE id = ?", watched.row(person))
    os.kill(parts.pid_of(os.path.join(watched.dir, "receiver.pid")), 9)
    for s in waiting:
        watched.browser().ask_reset(s.id)
    assert browser.post("otp").status == 303
    figures = until(
        watched,
        lambda f: f.breaker("mail", watched.port + 1) == 1
        and f.kind("retried_total", "code") > 0
        and (f.kind("waiting", "reset-request"), f.kind("waiting", "code")) == (3, 1),
    )
    assert (
        0 < figures.kind("oldest_age_seconds", "code") < 20
        and figures.kind("retried_total", "reset-request") >= 3
    )
    assert (
        figures.kind("sent_total", "code") == before.kind("sent_total", "code")
        and figures.of(
            "esign_breaker_open", OTHER, service="mail", server="127.0.0.1:%d" % (watched.port + 1)
        )
        == 0
    )
    log = watched.log()
    ids = dict(watched.sql("SELECT id, kind FROM outbox WHERE dead = 0"))
    lines = re.findall(
        r"a ([\w-]+) was not sent \(message (\d+), try \d+\): (\S+ \S+) .*; "
        r"again (?:at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ|at once)$",
        log,
        re.M,
    )
    assert {("reset-request", "code")[ids[int(message)]] for _, message, _ in lines} == {
        "reset-request",
        "code",
    }
    assert all(
        (kind, server)
        == (("reset-request", "mail server"), ("code", "SMS gateway"))[ids[int(message)]]
        for kind, message, server in lines
    )
    assert log.count("mail server 127.0.0.1:%d is left alone" % (watched.port + 1)) == 1
    pages = [Figures(watched).text] + [
        ask(watched, "/server-status" + query).text for query in ("", "?auto", "?notable")
    ]
    assert (
        "Esign[1]Portal: %s\n" % OTHER in pages[2]
        and "Esign[0]Message[code]Waiting: 1\n" in pages[2]
        and "Esign[0]Server[0]BreakerOpen: 1\n" in pages[2]
    )
    assert pages[1].count("<td>https://") == 2 and re.search(
        r"mail 127\.0\.0\.1:%d: <b>(left alone for \d+ s|being tried)</b>" % (watched.port + 1),
        pages[1],
    )
    assert "&quot;q\\" in pages[1]
    for page in pages + [log]:
        for s in (person, *waiting):
            for private in (
                s.id,
                s.email,
                s.email.split("@")[0],
                s.phone,
                s.phone[3:],
                s.name,
                str(watched.row(s)),
            ):
                assert private not in page, private


def test_a_database_that_cannot_be_read_shows(watched):
    def down(figures):
        return figures.of("esign_database_up", OTHER) == 0

    connection = sqlite3.connect(watched.second.folder / "esign.db")
    connection.execute("DROP TABLE outbox")
    connection.close()
    figures = until(watched, down)
    assert (
        figures.of("esign_messages_waiting", OTHER, kind="code") is None
        and figures.of("esign_messages_sent_total", OTHER, kind="code") == 0
    )
    assert figures.of("esign_database_up") == 1 and figures.kind("waiting", "code") is not None
    assert "<b>the database cannot be read</b>" in ask(watched, "/server-status").text


def test_what_was_given_up_long_ago_goes_and_nobody_looks_more_than_once_a_second(watched):
    """Rows that come one after another in half a second show in two steps at most, however often
    the metrics are read.
    """
    first = until(watched, lambda f: f.kind("dead", "notice") == 1)
    assert watched.sql("SELECT id FROM outbox WHERE kind = 2") == [(12,)]
    depths, began = [], time.monotonic()
    while time.monotonic() - began < 0.5:
        watched.sql(EXPIRED, 100 + len(depths), int(time.time() * 1000000))
        depths.append(Figures(watched).kind("dead", "notice"))
    assert len(depths) >= 4 and len(set(depths) - {first.kind("dead", "notice")}) <= 1, depths
    until(watched, lambda f: f.kind("dead", "notice") == 1 + len(depths))
